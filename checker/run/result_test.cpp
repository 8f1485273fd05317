#include "checker/run/result.h"

#include <gtest/gtest.h>

namespace vmcheck::run {
namespace {

constexpr spec::Address kHeap{spec::Anchor::heap, 0};

// A run that ended at `action`.
Run failed_at(spec::Action action, spec::Invariant invariant, std::string panic = {}) {
    Run run;
    run.program.steps.push_back({spec::kInit, spec::Fork{spec::ProcId{1}}, {}});
    run.program.steps.push_back({spec::kInit, action, {}});
    run.divergence = Divergence{spec::StepIndex{1}, {}, {invariant, action.index()}, std::move(panic)};
    return run;
}

TEST(Family, HoldsWhatGoesThroughTheSameCopy) {
    EXPECT_EQ(family_of(failed_at(spec::Fstat{kHeap}, spec::Invariant::contents)),
              family_of(failed_at(spec::Wait{kHeap}, spec::Invariant::contents)));
}

TEST(Family, TellsAWaitThatCopiesFromOneThatOnlyFrees) {
    EXPECT_EQ(way_of(spec::Wait{kHeap}), spec::Way::copyout);
    EXPECT_EQ(way_of(spec::Wait{}), spec::Way::end);
}

TEST(Family, TellsInvariantsAndWaysApart) {
    Family const store = family_of(failed_at(spec::Store{kHeap}, spec::Invariant::contents));
    EXPECT_NE(store, family_of(failed_at(spec::Fstat{kHeap}, spec::Invariant::contents)));
    EXPECT_NE(store, family_of(failed_at(spec::Store{kHeap}, spec::Invariant::rights)));
}

TEST(Family, HoldsEqualPanicsWhereverTheyShow) {
    EXPECT_EQ(family_of(failed_at(spec::Sbrk{-4096}, spec::Invariant::liveness, "uvmunmap: not mapped")),
              family_of(failed_at(spec::Exec{}, spec::Invariant::containment, "uvmunmap: not mapped")));
    EXPECT_NE(family_of(failed_at(spec::Exec{}, spec::Invariant::liveness, "uvmunmap: not mapped")),
              family_of(failed_at(spec::Exec{}, spec::Invariant::liveness, "kfree")));
}

TEST(Family, TellsPanicsThatSayNothingApartByTheWay) {
    EXPECT_NE(family_of(failed_at(spec::Store{kHeap}, spec::Invariant::liveness, "kerneltrap")),
              family_of(failed_at(spec::Exec{}, spec::Invariant::liveness, "kerneltrap")));
}

}  // namespace
}  // namespace vmcheck::run
