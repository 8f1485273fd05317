#pragma once
// Smaller programs: the ways in which a failing program may be simplified, from the boldest to the most timid.
// Pure functions of the program; whether a candidate still fails is for the shrinker to find out.

#include "spec/program.h"

#include <vector>

namespace vmcheck::shrink {

// The program without a process and all that it and its descendants do; one candidate for each fork.
std::vector<spec::Program> without_subtrees(spec::Program const& program);

// The program with all that a process does done by its parent, or by p0, instead: its fork and its end go, and so does
// the wait that would reap it. Two to four candidates for each fork.
std::vector<spec::Program> with_children_merged(spec::Program const& program);

// The program without some steps: halves, quarters, ... single steps, from the back (ddmin: Zeller and Hildebrandt,
// "Simplifying and Isolating Failure-Inducing Input", 2002).
std::vector<spec::Program> without_chunks(spec::Program const& program);

// One argument made simpler: smaller amounts and lengths, plainer addresses and values, no status address, no fault;
// and a process's last access, to an address that no program has, made a plain exit.
std::vector<spec::Program> with_simpler_arguments(spec::Program const& program);

// Another allocation of the last step fails, the first ones first: with one step less before it, alone, or as it is.
// Which allocation is the wanted one depends on what the steps before have allocated, so both change together. For
// programs of at most 8 steps.
std::vector<spec::Program> with_earlier_failing_allocations(spec::Program const& program);

// Of two overlapping steps that both let the other hart go on, the first does so once, after each number of blocks up
// to 256: where one turn is enough, it is seldom enough at the place where one of the two was.
std::vector<spec::Program> with_one_switch_for_two(spec::Program const& program);

// Children named p1, p2, ... in the order of their forks.
spec::Program renumbered(spec::Program const& program);

}  // namespace vmcheck::shrink
