#pragma once
// Who writes to some words, and who reads them: from each instruction to the next they are looked at, and where one has
// changed, it was the one before. Writes of what is there already, and those of the host, are not seen; of reads, those
// by kernel code, which is mapped where it lies.

#include "impl/board/board.h"
#include "impl/target.h"

#include <array>
#include <cstdint>
#include <vector>

namespace vmcheck {

class WordWatch final : public board::InstructionWatcher {
  public:
    // REQUIRES: `board` outlives this.
    explicit WordWatch(board::Board const& board) : board_(board) {}

    void add(Word word) { words_.push_back({word, value(word), {}}); }

    // Since the last call, of each word in the order of add().
    std::vector<WordAccesses> take();

    bool stops_before(board::HartIndex hart, VirtAddr pc) override;

  private:
    // Where a hart is: its latest instruction, and the calls on the way to it, as far as they were seen.
    struct Path {
        VirtAddr at;
        std::vector<VirtAddr> calls;
    };

    struct Watched {
        Word word;
        std::uint64_t holds = 0;
        WordAccesses seen;
    };

    std::uint64_t value(Word word) const;
    Access access_by(Path const& path);
    void notice_write();
    void notice_read(board::HartIndex hart, VirtAddr pc);
    void follow(Path& path, VirtAddr pc) const;

    board::Board const& board_;
    std::vector<Watched> words_;
    std::array<Path, board::kHartsMax> paths_{};
    board::HartIndex ran_last_{};
    std::uint64_t accesses_ = 0;
};

}  // namespace vmcheck
