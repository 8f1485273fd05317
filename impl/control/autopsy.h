#pragma once
// The autopsy: what a kernel that does not go on has died of, and where. It reads the registers, the console and the
// latest exception that the kernel took itself.

#include "impl/board/board.h"
#include "impl/control/circles.h"
#include "spec/observation.h"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck {

// Where a function stands that has not returned.
struct Frame {
    VirtAddr stack;    // sp
    VirtAddr pointer;  // s0
    // ra, where it may not have been saved: the function may be one that calls no other.
    std::optional<VirtAddr> return_address{};
    bool is_callers = false;  // the function has no frame yet
};
// The word that a kernel's stack has there; nothing: not mapped.
using WordAt = std::function<std::optional<std::uint64_t>(VirtAddr)>;
// Who called whom, innermost first, by the frame pointer that xv6 is compiled to keep (CFLAGS in its Makefile; RISC-V
// ELF psABI, "Frame Pointer Convention"): the last byte of each call. What is no such stack has no callers.
std::vector<VirtAddr> callers(Frame const& innermost, WordAt const& word_at);

class Autopsy {
  public:
    // `where` names a kernel address for messages. REQUIRES: `board` outlives this.
    Autopsy(board::Board const& board, std::function<std::string(VirtAddr)> where)
        : board_(board), where_(std::move(where)) {}

    // The machine does not go on as it should.
    spec::Stuck stuck(spec::Stuck::Why why);
    // It goes in circles.
    spec::Stuck stuck(Circle const& circle);
    // The step has had all of its time.
    spec::Unfinished unfinished() const;
    // It is about to execute panic()'s first instruction. `since`: an exception that the kernel took before that has
    // nothing to do with it.
    spec::Panicked panicked(board::Parcels since);
    // For a kernel whose panic() is not known: the message, if it is the last thing on the console.
    std::optional<spec::Panicked> panic_on_console() const;

    std::string where(VirtAddr pc) const { return where_(pc); }
    // The caller of panic, or the pc at a mishap; nothing while it lives.
    std::optional<VirtAddr> died_at() const { return died_at_; }
    // The machine is at an earlier moment again.
    void resurrect() { died_at_.reset(); }

  private:
    std::string read_string(VirtAddr at) const;
    std::vector<VirtAddr> callers(Frame const& innermost) const;

    board::Board const& board_;
    std::function<std::string(VirtAddr)> where_;
    std::optional<VirtAddr> died_at_;
};

// The message of the first panic there, if its line is over.
std::optional<std::string> panic_in(std::string_view console);

// The message of a panic that is the last thing on the console (panic() in xv6's kernel/printf.c prints "panic: "
// first).
std::optional<std::string> last_panic_printed(std::string_view console);

// Those that ran between an entry of `function` and the return to who had called it, and nowhere else. `way`: which
// function ran, whenever that changed.
std::set<std::string> ran_only_within(std::string const& function, std::vector<std::string> const& way);

}  // namespace vmcheck
