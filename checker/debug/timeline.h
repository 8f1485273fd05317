#pragma once
// A recorded run as a debugger sees it: each instruction that was executed has a number, whichever hart it was, and the
// board can be made to stand before any of them. Going somewhere is doing the run again up to there, from the nearest
// checkpoint before; so backwards costs what forwards does, and each state is the one that was, to the bit.
//
//     auto timeline = Timeline::make(board, start, recording, {});
//     Hit const hit = (*timeline)->backward({.watches = {{.at = pte, .bytes = 8}}}, asked_to_stop);
//     // the board stands before the store that last changed it

#include "impl/board/board.h"
#include "spec/address.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::debug {

// How many instructions the recorded run had executed.
struct Position : detail::Number<Position> {
    using Number::Number;
};

// Bytes of memory that one waits for.
struct Watch {
    enum class Kind : std::uint8_t {
        change,  // they are not what they were, whoever wrote them
        read,    // the kernel's code reads them; user programs and the translation trampoline are not looked at
        access,  // either
    };
    Kind kind = Kind::change;
    VirtAddr address;  // as it was asked for
    PhysAddr at;       // where it led then
    std::uint64_t bytes = 0;
};

// Where to stop.
struct Search {
    std::vector<VirtAddr> breakpoints{};
    std::vector<Watch> watches{};
    // At each instruction of this hart that does not lie in [from, to).
    std::optional<board::HartIndex> steps{};
    VirtAddr from{}, to{};
};

// Where the board stands now, and why there.
struct Hit {
    enum class Why : std::uint8_t {
        here,         // a breakpoint, or a step's end
        watch,        // forwards: after the instruction; backwards: before it
        end,          // of what was recorded, in that direction
        interrupted,  // forwards: wherever it was; backwards: where it began
    };
    Why why = Why::here;
    std::size_t watch = 0;  // which one
};

class Timeline final : private board::InstructionWatcher {
  public:
    struct Limits {
        std::uint64_t instructions_apart = std::uint64_t{1} << 19;  // of checkpoints, while they fit
        std::size_t checkpoint_bytes = std::size_t{256} << 20;
    };
    // `start`: where the recording began. The board tells of its instructions already. Fails with a sentence where the
    // recording does not come to the same again, or the emulator fails. Stands at the end then. REQUIRES: the board
    // outlives the timeline, and nobody else runs it.
    static tl::expected<std::unique_ptr<Timeline>, std::string> make(board::Board& board, board::Checkpoint start,
                                                                     board::Recording recording, Limits limits);
    ~Timeline();

    Position end() const { return Position{end_}; }
    Position now() const { return Position{now_}; }
    // Whose instruction comes next; at the end, who stopped last.
    board::HartIndex hart() const { return hart_; }
    // Of each mark in the recording, in order: how many instructions had been executed.
    struct Mark {
        board::Request::Kind kind;
        Position at;
    };
    std::vector<Mark> const& marks() const { return marks_; }

    // REQUIRES: to <= end().
    void go_to(Position to);
    // To the first that is met behind, or the last before, where the board stands. `interrupted` is asked now and then.
    Hit forward(Search const& search, std::function<bool()> const& interrupted);
    Hit backward(Search const& search, std::function<bool()> const& interrupted);

    // How much was executed to get to where one was asked for, in instructions: all the time that a debugger takes.
    std::uint64_t executed() const { return executed_; }

  private:
    struct Stand {
        std::uint64_t instructions = 0;
        std::size_t request = 0;  // the first that comes after it
        board::Checkpoint machine;
    };
    // What is being looked for while the board runs.
    struct Looking {
        Search const* search = nullptr;
        std::function<bool()> const* interrupted = nullptr;
        std::uint64_t after = 0;  // hits before or at it do not count
        std::uint64_t until = 0;  // stops before this instruction
        bool first_only = false;
        std::vector<std::vector<std::byte>> before{};  // what each watch held
        std::optional<std::size_t> read{};             // by the latest instruction
        std::optional<std::uint64_t> found_at{};
        Hit hit{};
    };

    Timeline(board::Board& board, board::Recording recording, Limits limits);
    tl::expected<void, std::string> number_instructions(board::Checkpoint start);
    void keep(Stand stand);
    std::size_t stand_before(std::uint64_t instruction) const;
    void run_from(Stand const& stand);
    void run_to(std::uint64_t instruction);

    bool stops_before(board::HartIndex hart, VirtAddr pc) override;
    bool look(std::uint64_t number, board::HartIndex hart, VirtAddr pc);
    void look_at_memory(std::uint64_t number);
    void look_for_reads(board::HartIndex hart, VirtAddr pc);
    void note(std::uint64_t at, Hit hit);
    void begin_looking(Search const& search, std::function<bool()> const& interrupted, std::uint64_t after,
                       std::uint64_t until, bool first_only);

    board::Board& board_;
    board::Recording recording_;
    Limits limits_;
    std::vector<Stand> stands_;
    std::vector<Mark> marks_;
    std::uint64_t end_ = 0;
    std::uint64_t now_ = 0;
    board::HartIndex hart_{0};
    std::uint64_t executed_ = 0;

    std::uint64_t count_ = 0;      // of the instruction that comes next, while the board runs
    std::uint64_t look_from_ = 0;  // instructions before it are of no interest
    bool stopped_ = false;
    Looking looking_;
};

}  // namespace vmcheck::debug
