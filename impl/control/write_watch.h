#pragma once
// Who writes to some words: from each instruction to the next they are looked at, and where one has changed, it was the
// one before. Writes of what is there already, and those of the host, are not seen.

#include "impl/board/board.h"
#include "impl/target.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace vmcheck {

class WriteWatch final : public board::InstructionWatcher {
  public:
    // REQUIRES: `board` outlives this.
    explicit WriteWatch(board::Board const& board) : board_(board) {}

    void add(Word word) { words_.push_back({word, value(word)}); }

    // The latest write since the last call; nothing where there was none.
    std::optional<Write> take();

    bool stops_before(board::HartIndex hart, VirtAddr pc) override;

  private:
    // Where a hart is: its latest instruction, and the calls on the way to it, as far as they were seen.
    struct Path {
        VirtAddr at;
        std::vector<VirtAddr> calls;
    };

    std::uint64_t value(Word word) const;
    void notice();
    void follow(Path& path, VirtAddr pc) const;

    board::Board const& board_;
    std::vector<std::pair<Word, std::uint64_t>> words_;  // with what they hold
    std::array<Path, board::kHartsMax> paths_{};
    board::HartIndex ran_last_{};
    std::optional<Write> write_;
};

}  // namespace vmcheck
