// Properties of the tree of candidates, over programs of any form.

#include "checker/shrink/candidates.h"

#include "checker/generate/generator.h"
#include "spec/step_kinds.h"
#include "spec/testing/arbitrary_program.h"
#include "spec/testing/test_setting.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <compare>
#include <cstdlib>
#include <tuple>
#include <vector>

namespace vmcheck::shrink {
namespace {

using namespace spec;
using Rank = std::vector<std::uint64_t>;

std::uint64_t distance(std::int64_t offset) {
    auto const bits = static_cast<std::uint64_t>(offset);
    return offset < 0 ? 0 - bits : bits;
}

// ---- how plain a program is: what is plainer comes first, and nothing can become plainer for ever -----------------

void add_rank(Rank& rank, Address const& at, bool only_named = false) {
    bool const plain = at == Address{Anchor::data, 0} || at == Address{Anchor::heap, 0};
    bool const usual = at.anchor == Anchor::heap || at.anchor == Anchor::data || at.anchor == Anchor::bss ||
                       at.anchor == Anchor::stack || at.anchor == Anchor::brk || at.anchor == Anchor::text ||
                       at.anchor == Anchor::rodata;
    rank.insert(rank.end(), {only_named && !usual ? 1U : 0U, plain ? 0U : 1U, distance(at.offset),
                             static_cast<std::uint64_t>(at.anchor == Anchor::data ? 0 : 1)});
}

Rank rank_of(Action const& action) {
    Rank rank{action == Action{Exit{0}} ? 0U : 1U};
    std::visit(
        [&]<class Kind>(Kind const& each) {
            for_each_field<Kind>([&]<class Field>(Field const& field) {
                auto const& value = each.*(field.member);
                if constexpr (std::is_same_v<Field, Place<Kind>>) {
                    add_rank(rank, value, field.access == spec::Access::none);
                } else if constexpr (std::is_same_v<Field, OptionalPlace<Kind>>) {
                    rank.push_back(value ? 1 : 0);
                    if (value) add_rank(rank, *value);
                } else if constexpr (std::is_same_v<Field, BreakAmount<Kind>>) {
                    std::uint64_t const pages = (distance(value) + kPageBytes - 1) / kPageBytes;
                    rank.insert(rank.end(),
                                {pages, value % static_cast<std::int64_t>(kPageBytes) == 0 ? 0U : 1U, distance(value)});
                } else if constexpr (std::is_same_v<Field, AccessSize<Kind>>) {
                    rank.push_back(value == 1 ? 0 : value == 8 ? 1 : 2);
                } else if constexpr (std::is_same_v<Field, StoredValue<Kind>> ||
                                     std::is_same_v<Field, PageCount<Kind>> || std::is_same_v<Field, ByteCount<Kind>>) {
                    rank.push_back(value);
                } else if constexpr (std::is_same_v<Field, Mode<Kind>>) {
                    rank.push_back(value == SbrkMode::by_profile ? 0 : 1);
                } else if constexpr (std::is_same_v<Field, ProgramName<Kind>>) {
                    rank.push_back(value == Executable::init ? 0 : 1);
                } else if constexpr (std::is_same_v<Field, ExitStatus<Kind>>) {
                    rank.push_back(value == 0 ? 0 : 1);
                }
            });
        },
        action);
    return rank;
}

// Steps; what is done to them; who does them.
auto shape_of(Program const& program) {
    std::size_t faults = (program.memory ? 1U : 0U) + (program.harts ? 1U : 0U), not_by_init = 0;
    for (Step const& step : program.steps) {
        faults += (step.faults.oom ? 1U : 0U) + (step.faults.preempt ? 1U : 0U) + (step.faults.meanwhile ? 1U : 0U) +
                  (step.faults.switch_hart ? 1U : 0U);
        not_by_init += step.actor != kInit ? 1U : 0U;
    }
    return std::tuple(program.steps.size(), faults, not_by_init);
}

std::tuple<std::uint32_t, std::uint32_t, std::uint32_t> lateness_of(Faults const& faults) {
    return {faults.oom.value_or(0), faults.preempt.value_or(0), faults.switch_hart.value_or(0)};
}

bool is_plainer(Program const& candidate, Program const& original) {
    if (auto const order = shape_of(candidate) <=> shape_of(original); order != 0) return order < 0;
    // The same shape: one step has become plainer.
    std::size_t plainer = 0;
    for (std::size_t i = 0; i < original.steps.size(); ++i) {
        Step const &now = candidate.steps[i], &before = original.steps[i];
        if (now == before) continue;
        bool const is = now.action == before.action ? lateness_of(now.faults) < lateness_of(before.faults)
                                                    : rank_of(now.action) < rank_of(before.action);
        if (!is) return false;
        ++plainer;
    }
    return plainer == 1;
}

// ---- properties ---------------------------------------------------------------------------------------------------

rc::Gen<Program> programs() {
    auto const setting = spec::testing::shared_setting({ForkPolicy::cow, SbrkPolicy::lazy});
    return rc::gen::noShrink(rc::gen::oneOf(rc::gen::resize(15, spec::testing::arbitrary_program()),
                                            generate::programs(setting, {}),
                                            generate::programs(setting, {.overlaps_max = 3})));
}

RC_GTEST_PROP(Tree, EveryCandidateIsPlainer, ()) {
    Program const original = *programs().as("program");
    rc::seq::forEach(tree({original}).shrinks(), [&](rc::Shrinkable<Candidate>&& each) {
        Candidate const candidate = each.value();
        bool const only_renamed = candidate.program == renumbered(original);
        if (!only_renamed && !is_plainer(candidate.program, original)) RC_FAIL(print(candidate.program));
        if (candidate.program == original) RC_FAIL("the same again");
    });
}

RC_GTEST_PROP(Tree, IsAPureFunctionOfTheProgram, ()) {
    Program const original = *programs().as("program");
    auto one = shrinks(original).shrinks(), other = shrinks(original).shrinks();
    RC_ASSERT(one.next().operator bool() == other.next().operator bool());
    // Deep down, too: whoever takes the same way comes to the same candidates.
    auto first = shrinks(original), second = shrinks(original);
    for (std::size_t way = 0; way < 40; ++way) {
        auto const left = rc::seq::at(first.shrinks(), way % 7), right = rc::seq::at(second.shrinks(), way % 7);
        RC_ASSERT(bool(left) == bool(right));
        if (!left) break;
        RC_ASSERT(left->value() == right->value());
        first = *left;
        second = *right;
    }
}

// If everything fails, the first candidate is taken each time. Others may make the length of a copy shorter by a byte
// at a time.
RC_GTEST_PROP(Tree, EndsWhereverOneGoesDown, ()) {
    Program const program = *programs().as("program");
    std::size_t deepest = 2'000;
    for (Step const& step : program.steps) {
        if (auto const* read = std::get_if<FileRead>(&step.action)) deepest += read->bytes;
        if (auto const* read = std::get_if<PipeRead>(&step.action)) deepest += read->bytes;
        if (auto const* write = std::get_if<PipeWrite>(&step.action)) deepest += write->bytes;
    }
    auto node = shrinks(program);
    auto const pick = *rc::gen::inRange<std::size_t>(0, 5).as("which candidate");
    std::size_t depth = 0;
    for (auto next = rc::seq::at(node.shrinks(), pick); next; next = rc::seq::at(node.shrinks(), pick), ++depth) {
        node = *next;
        RC_ASSERT(depth < deepest);
    }
}

TEST(Tree, MakesACandidateWhenItIsAskedFor) {
    // All that it has would not fit into memory: each of many steps has many candidates as long as it.
    Program huge{{}, {}};
    for (std::uint32_t i = 0; i < 5'000; ++i) huge.steps.push_back({kInit, Store{{Anchor::heap, 4'097 + i}, 4, 77}});
    auto candidates = shrinks(huge).shrinks();
    for (int i = 0; i < 3; ++i) EXPECT_LT(candidates.next()->value().steps.size(), huge.steps.size());
}

TEST(Tree, GoesOnWithTheStageThatWasOfUse) {
    Program const original = *parse("vmcheck 1\nprofile cow lazy\np0 sbrk 5000\np0 exec\n");
    Candidate const simpler = {*parse("vmcheck 1\nprofile cow lazy\np0 sbrk +1p\np0 exec\n"), 4};
    ASSERT_TRUE(rc::seq::any(tree({original}).shrinks(),
                             [&](rc::Shrinkable<Candidate> const& each) { return each.value() == simpler; }));
    EXPECT_EQ(tree(simpler).shrinks().next()->value(),
              (Candidate{*parse("vmcheck 1\nprofile cow lazy\np0 sbrk 0\np0 exec\n"), 4}));
}

TEST(Tree, EndsWithTheNames) {
    Program const original = *parse("vmcheck 1\nprofile cow lazy\np0 fork p7\n");
    auto const last = rc::seq::last(shrinks(original).shrinks());
    ASSERT_TRUE(last);
    EXPECT_EQ(last->value(), renumbered(original));
    EXPECT_FALSE(last->shrinks().next());
}

}  // namespace
}  // namespace vmcheck::shrink
