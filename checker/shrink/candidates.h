#pragma once
// Simpler programs: every way in which a program may be simplified, from the boldest to the most timid, as a tree of
// RapidCheck's. A pure function of the program: one from the generator, from a file and from the corpus shrink alike.
//
//     rc::Shrinkable<spec::Program> const tree = shrinks(program);
//
// A candidate is made when it is asked for. Each is simpler than the one it was made from in an order that has an end,
// so whoever goes down the tree arrives. Whether a candidate still fails, and whether a kernel can be asked each of its
// steps, is for others to find out: shrinker.h on a kernel, RapidCheck itself in a property.

#include "spec/layout.h"
#include "spec/program.h"

#include <rapidcheck.h>

#include <cstddef>
#include <memory>

namespace vmcheck::shrink {

using Programs = rc::Seq<spec::Program>;

// ---- the stages, in order; none of them yields the program itself -------------------------------------------------

// The program without its end: half of it, a quarter, ... the last step.
Programs prefixes(spec::Program const& program);

// The program without a process and all that it and its descendants do; one candidate for each fork.
Programs without_subtrees(spec::Program const& program);

// The program with all that a process does done by its parent, or by p0, instead: its fork and its end go, and so does
// the wait that would reap it. Two to four candidates for each fork but one that the program ends with.
Programs with_children_merged(spec::Program const& program);

// The program without some steps before the last: halves, quarters, ... single steps, from the back (ddmin: Zeller and
// Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002).
Programs without_chunks(spec::Program const& program);

// The memory and harts of any program; two overlapping steps in the other order, one after the other. One argument made
// simpler: smaller amounts and lengths, plainer addresses and values, no status address, no fault;
// and a process's last access, to an address that no program has, made a plain exit.
Programs with_simpler_arguments(spec::Program const& program);

// Another allocation of the last step fails, the first ones first: with one step less before it, alone, or as it is.
// Which allocation is the wanted one depends on what the steps before have allocated, so both change together. For
// programs of at most 8 steps.
Programs with_earlier_failing_allocations(spec::Program const& program);

// Of two overlapping steps that both let the other hart go on, the first does so once, after each number of blocks up
// to 256: where one turn is enough, it is seldom enough at the place where one of the two was.
Programs with_one_switch_for_two(spec::Program const& program);

// ---- the tree -----------------------------------------------------------------------------------------------------

struct Candidate {
    spec::Program program;
    // Which stage made it. Its own candidates begin with that stage, which was of use, and come round to those before
    // it: each may have made room for the others.
    std::size_t stage = 0;
    friend bool operator==(Candidate const&, Candidate const&) = default;
};
rc::Shrinkable<Candidate> tree(Candidate root);

// The same, of the programs alone. The last candidate of each is itself with its children named p1, p2, ... in the
// order of their forks; nothing is simpler than that.
rc::Shrinkable<spec::Program> shrinks(spec::Program program);
// The same, of which those are left that can be asked.
rc::Shrinkable<spec::Program> shrinks(spec::Program program, std::shared_ptr<spec::Setting const> setting);

// Whether each step can be asked of a kernel that behaves, and steps overlap where they are said to. What follows an
// allocation that fails depends on what the kernel makes of it: the run will tell.
bool can_be_asked(std::shared_ptr<spec::Setting const> const& setting, spec::Program const& program);

// Children named p1, p2, ... in the order of their forks.
spec::Program renumbered(spec::Program const& program);

}  // namespace vmcheck::shrink
