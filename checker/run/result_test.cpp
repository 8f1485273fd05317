#include "checker/run/result.h"

#include <gtest/gtest.h>

namespace vmcheck::run {
namespace {

constexpr spec::Address kHeap{spec::Anchor::heap, 0};
constexpr spec::Circumstances kGuard{.grounds = spec::Ground::no_user};

spec::WrongAnswer answer(spec::Mistake mistake) {
    return {.mistake = mistake, .step = {}, .allowed = {}, .seen = {}};
}

Family failed(spec::Action const& action, spec::Facts facts, spec::Circumstances const& met = {},
              std::vector<VirtAddr> died = {}) {
    Divergence divergence;
    divergence.violations.push_back({.facts = std::move(facts)});
    divergence.circumstances = met;
    divergence.died = std::move(died);
    return family_of(divergence, {spec::kInit, action, {}});
}

TEST(Family, HoldsWhatGoesWrongInTheSameCopy) {
    EXPECT_EQ(failed(spec::Fstat{kHeap}, spec::WrongByte{}), failed(spec::Wait{kHeap}, spec::WrongByte{}));
    EXPECT_EQ(failed(spec::Fstat{kHeap}, answer(spec::Mistake::copyout_accepted), kGuard),
              failed(spec::FileRead{kHeap, 1}, answer(spec::Mistake::counted_unwritable), kGuard));
}

TEST(Family, TellsAWaitThatCopiesFromOneThatOnlyFrees) {
    EXPECT_EQ(way_of(spec::Wait{kHeap}), spec::Way::copyout);
    EXPECT_EQ(way_of(spec::Wait{}), spec::Way::end);
    EXPECT_EQ(failed(spec::Wait{kHeap}, spec::WrongTotal{2, 1}), failed(spec::Wait{}, spec::WrongTotal{2, 1}))
        << "where frames are lost, either may have done it";
}

TEST(Family, OfAChildThatIsNotFoundIsOneHoweverWaitSaysSo) {
    EXPECT_EQ(failed(spec::Wait{}, answer(spec::Mistake::slept)), failed(spec::Wait{}, spec::ChildLost{}));
    EXPECT_EQ(failed(spec::Wait{kHeap}, answer(spec::Mistake::slept)), failed(spec::Wait{}, spec::ChildLost{}));
    EXPECT_NE(failed(spec::Wait{}, answer(spec::Mistake::never_ended)), failed(spec::Wait{}, spec::ChildLost{}));
}

TEST(Family, ACopyWithoutMemoryThatSpoilsTheFreeListHasGoneOn) {
    EXPECT_EQ(failed(spec::Fstat{kHeap}, spec::FreeListBroken{}, {.refused = true}),
              failed(spec::Fstat{kHeap}, spec::WrongByte{}, {.refused = true}));
    EXPECT_NE(failed(spec::Fstat{kHeap}, spec::FreeListBroken{}), failed(spec::Fstat{kHeap}, spec::WrongByte{}));
}

TEST(Family, APageThatAForkDropsIsLostTouchedOrNot) {
    spec::Fork const fork{spec::ProcId{1}};
    EXPECT_EQ(failed(fork, spec::NotMapped{}), failed(fork, spec::PageLost{}));
    EXPECT_NE(failed(fork, spec::NotMapped{}), failed(fork, spec::MappedEarly{}));
}

TEST(Family, TellsSymptomsWaysAndCircumstancesApart) {
    Family const store = failed(spec::Store{kHeap}, spec::WrongByte{});
    EXPECT_NE(store, failed(spec::Fstat{kHeap}, spec::WrongByte{}));
    EXPECT_NE(store, failed(spec::Store{kHeap}, spec::WrongRights{}));
    EXPECT_NE(store, failed(spec::Store{kHeap}, spec::WrongByte{}, {.refused = true}));
    EXPECT_NE(store, failed(spec::Store{kHeap}, spec::WrongByte{}, kGuard));
}

TEST(Family, OfAProcessThatIsKilledForNothingIsOneWhateverItOrAnotherDid) {
    spec::WrongAnswer killed = answer(spec::Mistake::did_not_return);
    killed.seen.what = spec::Ended{};
    Family const at_fork = failed(spec::Fork{spec::ProcId{1}}, killed);
    EXPECT_EQ(at_fork, failed(spec::Store{kHeap}, killed));
    EXPECT_EQ(at_fork, failed(spec::Fstat{kHeap}, answer(spec::Mistake::ended_other), kGuard));
    EXPECT_TRUE(explains(at_fork, failed(spec::Store{kHeap}, killed, {.grounds = spec::Ground::shared})));
    EXPECT_FALSE(explains(failed(spec::Store{kHeap}, killed, {.grounds = spec::Ground::shared}), at_fork));
}

TEST(Family, IsExplainedByWhatFailsInTheSameWayWithLessAboutIt) {
    Family const plain = failed(spec::Fstat{kHeap}, spec::WrongByte{}, {.grounds = spec::Ground::shared});
    Family const crossing =
        failed(spec::Fstat{kHeap}, spec::WrongByte{}, {.grounds = spec::Ground::shared, .crosses = true});
    EXPECT_TRUE(explains(plain, crossing));
    EXPECT_FALSE(explains(crossing, plain)) << "what goes wrong across a page border only is another mistake";
    Family const refused =
        failed(spec::Fstat{kHeap}, spec::WrongByte{}, {.grounds = spec::Ground::reserved, .refused = true});
    EXPECT_FALSE(explains(plain, refused)) << "without memory, on another kind of page";
}

TEST(Family, OfAPanicIsThePlaceAndWhoCalledIt) {
    VirtAddr const walk{0x8000'1000}, copyout{0x8000'2000}, fault{0x8000'3000}, unmap{0x8000'4000};
    auto const died = [](spec::Action const& action, VirtAddr at, VirtAddr from) {
        return failed(action, answer(spec::Mistake::panicked), {}, {at, from, VirtAddr{0x8000'9000}});
    };
    EXPECT_FALSE(explains(died(spec::Store{kHeap}, walk, fault), died(spec::Fstat{kHeap}, walk, copyout)))
        << "walk panics with one text for two that call it";
    EXPECT_TRUE(explains(died(spec::Store{kHeap}, walk, fault), died(spec::Load{kHeap}, walk, fault)));
    EXPECT_TRUE(explains(died(spec::Exec{}, unmap, VirtAddr{1}), died(spec::Sbrk{-1}, unmap, VirtAddr{2})))
        << "whoever gives memory back goes through one function";
    EXPECT_TRUE(explains(died(spec::Fstat{kHeap}, VirtAddr{1}, copyout), died(spec::Pipe{kHeap}, VirtAddr{2}, copyout)))
        << "one copies bytes, the other words";
}

}  // namespace
}  // namespace vmcheck::run
