#pragma once
// The plan of a repro.c: which process does what in which order, as lines of C, and how the outcome is told.
//
// The plan is the shrunk program, plus the turns that make a broken invariant visible to the program itself: I3, say,
// by a store in one process and a load in the other.

#include "checker/finding/finding.h"
#include "checker/repro/code.h"

#include <tl/expected.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck::repro {

// What one process does before another one goes on.
struct Turn {
    spec::ProcId actor;
    Code code;                            // statements of C
    Code check{};                         // more of them: what must hold afterwards
    std::optional<spec::ProcId> forks{};  // the child that it makes
    bool ends = false;                    // the actor is not there any more afterwards
    std::optional<spec::ProcId> kills{};  // who else must not be there any more
    int exit_status = 0;                  // where it ends: the status for its parent; -1 when killed

    bool is_end_of(spec::ProcId process) const { return (ends && actor == process) || kills == process; }
};

struct Plan {
    std::vector<Turn> turns;         // the last one shows what is wrong
    std::optional<VirtAddr> heap{};  // where the heap must begin: as high as it does in vmcheck's program
    bool on_own_stack = false;       // the page of the first one is given back
    bool measures_memory = false;    // instead, the program is run often, and free memory counted before and after
    std::string complaint;           // about the end of the last turn's process: "p1's store to rodata must kill p1"
};

// Why something cannot be shown, as part of a sentence.
inline tl::unexpected<std::string> cannot(std::string why) {
    return tl::unexpected(std::move(why));
}

// Or why no user program can show the finding, as part of a sentence.
tl::expected<Plan, std::string> plan_of(Finding const& finding);

}  // namespace vmcheck::repro
