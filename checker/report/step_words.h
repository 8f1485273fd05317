#pragma once
// A step, what a correct kernel does at it and what was seen, in short words: made from facts, for a reader alone.

#include "checker/finding/finding.h"
#include "checker/run/result.h"
#include "spec/answer.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmcheck::report {

// "p1"
std::string name_of(spec::ProcId id);

// "p1's store to rodata", "p0's fork (with its 6th kalloc failing)".
std::string in_words(spec::Step const& step);

// "p1's store to rodata", without its faults.
std::string deed_in_words(spec::Step const& step);

// What the marks mean that this program's steps have behind them: {"!oom n", "the n-th allocation ... fails"}.
std::vector<std::pair<std::string_view, std::string_view>> legend(spec::Program const& program);

// "any address in heap..heap+1p", of an argument of that step that does not matter.
std::string words_of(FreeArgument const& argument, spec::Action const& action);

// Those of a step of the finding, together: "any address in heap..heap+1p, any value"; empty where each argument
// matters.
std::string free_words(Finding const& finding, std::size_t step);
// What that means; empty where the finding has none.
std::string_view free_legend(Finding const& finding);

// The call by itself, as the subject of a sentence: "the write to the pipe", "fork".
std::string call_in_words(spec::Action const& action);

// How results read in a program of its own, where pids are others and the heap begins elsewhere.
struct OwnProgram {
    std::optional<VirtAddr> heap_start{};  // here; results of sbrk are relative to it: "heap+1p"
};

// "p1", "0x2a", "-1", "8 or -1 or less", "pid 4 (p1)", "killed"; "it depends" where there are none. In the order of the
// results, each once.
std::string expected_words(std::vector<spec::Result> const& results, spec::Step const& step,
                           std::optional<OwnProgram> const& own = std::nullopt);
std::string expected_words(run::StepRecord const& record);

// "ok", "-1", "0x2a", "killed", "panic: remap"; "not reached".
std::string seen_words(spec::Outcome const& outcome, spec::Step const& step);
std::string seen_words(run::StepRecord const& record);

// Why the step does not end: "the kernel goes in circles in acquire (kernel/spinlock.c:30)".
std::string words_of(spec::Stuck const& stuck);

}  // namespace vmcheck::report
