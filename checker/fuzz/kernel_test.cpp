// A kernel as a fuzzer's target, without libFuzzer: programs of the corpus and mutations of them on kernels that are
// right, and a program that shows a defect on one that is not.

#include "checker/fuzz/kernel.h"

#include "checker/fuzz/fuzz.h"
#include "spec/text.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

namespace vmcheck::fuzz {
namespace {

using testing::HasSubstr;

KernelUnderFuzz booted(std::string const& name) {
    auto kernel = KernelUnderFuzz::boot(VMCHECK_KERNELS "/" + name + "/kernel");
    if (!kernel) throw std::runtime_error(kernel.error().sentence());
    return std::move(*kernel);
}

struct Kept {
    Taken taken;
    std::unique_ptr<Reached> reached = std::make_unique<Reached>();
};
Kept take(KernelUnderFuzz& kernel, std::string_view input) {
    Kept kept;
    kept.taken = kernel.take(input, *kept.reached);
    return kept;
}
bool reached_the_same(Kept const& a, Kept const& b) {
    return a.reached->edges == b.reached->edges && a.reached->features == b.reached->features;
}
std::size_t edges_of(Kept const& kept) {
    return static_cast<std::size_t>(
        std::ranges::count_if(kept.reached->edges, [](std::uint8_t each) { return each > 0; }));
}

TEST(KernelUnderFuzz, TakesTheCorpusAndItsMutationsAndReachesTheSameByTheSame) {
    KernelUnderFuzz kernel = booted("cow-lazy");
    EXPECT_TRUE(kernel.wrong_at_boot().empty());
    std::vector<std::string> const seeds = files(VMCHECK_SOURCE "/corpus/seeds", ".vmc");
    ASSERT_GT(seeds.size(), 20U);
    std::mt19937 random(1);
    auto const some = [&]() -> std::string const& { return seeds[random() % seeds.size()]; };
    std::vector<std::string> inputs(seeds.begin(), seeds.begin() + 20);
    for (int i = 0; i < 250; ++i) {
        inputs.push_back(i % 4 == 0 ? kernel.crossed(some(), some(), random(), 4'096)
                                    : kernel.mutated(i % 2 == 0 ? some() : inputs.back(), random(), 4'096));
        EXPECT_LE(inputs.back().size(), 4'096U);
    }
    std::vector<Kept> first;
    for (std::string const& input : inputs) {
        first.push_back(take(kernel, input));
        EXPECT_TRUE(first.back().taken.program) << input;
        EXPECT_FALSE(first.back().taken.report) << *first.back().taken.report;
    }
    // In another order, after other programs.
    for (std::size_t i = inputs.size(); i-- > inputs.size() / 2;)
        EXPECT_TRUE(reached_the_same(take(kernel, inputs[i]), first[i])) << inputs[i];
    EXPECT_GT(edges_of(first[0]), 200U);
}

TEST(KernelUnderFuzz, WhatIsNoProgramReachesNothingAndGivesWayToOne) {
    KernelUnderFuzz kernel = booted("eager-eager");
    for (std::string const input : {"x", "vmcheck 2\n", "vmcheck 1\nprofile cow\nmemory 4\nharts 2\n"}) {
        Kept const kept = take(kernel, input);
        EXPECT_FALSE(kept.taken.program) << input;
        EXPECT_EQ(edges_of(kept), 0U);
    }
    // libFuzzer begins with these where it has no corpus.
    for (std::string const input : {"", "\n"}) {
        EXPECT_TRUE(take(kernel, input).taken.program);
        std::string const next = kernel.mutated(input, 3, 4'096);
        ASSERT_TRUE(spec::parse(next));
        EXPECT_GT(spec::parse(next)->steps.size(), 0U);
        EXPECT_EQ(kernel.mutated(input, 3, 4), "\n");
    }
    // Changed as text: the p7 that nobody has forked goes, the profile is the kernel's.
    EXPECT_EQ(kernel.mended("vmcheck 1\nprofile cow lazy\np0 fork p1\np7 exit 0\n", 4'096),
              "vmcheck 1\nprofile eager eager\np0 fork p1\n");
    EXPECT_EQ(kernel.mended("vmcheck 1\nprofile cow\np0 frok p1\n", 4'096), std::nullopt);
}

TEST(KernelUnderFuzz, ADefectIsReportedInAParagraphWithItsProgram) {
    KernelUnderFuzz kernel = booted("mutants/16-parent-keeps-w");
    Taken const taken = kernel.take(files(VMCHECK_SOURCE "/corpus/regression", "16-parent-keeps-w.vmc").at(0),
                                    *std::make_unique<Reached>());
    ASSERT_TRUE(taken.report);
    EXPECT_THAT(*taken.report, HasSubstr("fork"));
    EXPECT_THAT(*taken.report, HasSubstr("Came 3 of 3 times on a freshly booted kernel."));
    std::size_t const program = taken.report->find("vmcheck 1\n");
    ASSERT_NE(program, std::string::npos);
    EXPECT_TRUE(spec::parse(taken.report->substr(program)));
    // And found from the seeds, by mutations alone.
    std::string input = files(VMCHECK_SOURCE "/corpus/seeds", ".vmc").front();
    std::optional<std::string> found;
    for (std::uint64_t seed = 0; seed < 300 && !found; ++seed)
        found = take(kernel, input = kernel.mutated(seed % 30 == 0 ? "\n" : input, seed, 4'096)).taken.report;
    EXPECT_TRUE(found);
}

TEST(KernelUnderFuzz, ADictionaryHasTheWordsOfTheGrammar) {
    for (std::string const line : {"\"pipe_write \"\n", "\"trapframe\"\n", "\"!oom \"\n", "\"\\x0Ap1 \"\n"})
        EXPECT_THAT(dictionary(), HasSubstr(line));
}

}  // namespace
}  // namespace vmcheck::fuzz
