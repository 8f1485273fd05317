// What the observer remembers of frames that nobody has written to is what it would find there now: on random programs,
// with kernels that are right, wrong and hostile.

#include "checker/generate/generator.h"
#include "checker/run/runner.h"
#include "checker/run/stepper.h"
#include "impl/boot/kernel_target.h"
#include "impl/observe/page_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

namespace vmcheck::e2e {
namespace {

bool same(std::vector<spec::ObservedPage> const& a, std::vector<spec::ObservedPage> const& b) {
    return std::ranges::equal(a, b, [](spec::ObservedPage const& one, spec::ObservedPage const& other) {
        return one.page == other.page && one.frame == other.frame && one.rights == other.rights;
    });
}

class FreshLook final : public run::Watcher {
  public:
    explicit FreshLook(board::Board const& board) : board_(board) {}

    // Has it compare what the step may write to; the run itself has had it compare other copies of that.
    void before(spec::StepIndex, Execution& execution) override {
        spec::Observation const seen = execution.observe();
        for (spec::ObservedProcess const& process : seen.processes)
            for (spec::ObservedPage const& page : process.pages)
                if (page.in_ram) compare(*seen.memory, page.frame);
    }
    void after(spec::StepIndex, Execution& execution) override {
        spec::Observation const seen = execution.observe();
        for (spec::ObservedProcess const& process : seen.processes) {
            if (process.table_frames.empty()) continue;
            auto const found = observe::read_user_table({board_.ram_start(), board_.ram()}, process.table_frames[0]);
            EXPECT_TRUE(same(process.pages, found.pages));
            EXPECT_EQ(process.table_frames, found.tables);
            EXPECT_EQ(process.broken, found.broken);
            for (spec::ObservedPage const& page : process.pages)
                if (page.in_ram) compare(*seen.memory, page.frame);
        }
        ++looks;
    }

    int looks = 0;
    int changes = 0;  // of frames' contents

  private:
    void compare(spec::MachineMemory const& memory, FrameNo frame) {
        auto const bytes = memory.bytes(frame);
        spec::Contents& before = contents_[frame];
        bool const is_as_before = before && std::memcmp(bytes.data(), before->data(), kPageBytes) == 0;
        if (before) {
            EXPECT_EQ(memory.holds(frame, before), is_as_before) << "frame " << frame.value;
        }
        if (is_as_before) return;
        changes += before ? 1 : 0;
        auto now = std::make_shared<spec::PageBytes>();
        std::memcpy(now->data(), bytes.data(), kPageBytes);
        before = std::move(now);
        EXPECT_TRUE(memory.holds(frame, before));
    }

    board::Board const& board_;
    std::map<FrameNo, spec::Contents> contents_;
};

class Remembered : public testing::TestWithParam<char const*> {};

TEST_P(Remembered, IsWhatAFreshLookFinds) {
    auto const target = KernelTarget::boot({.kernel = std::filesystem::path(VMCHECK_KERNELS) / GetParam() / "kernel"});
    ASSERT_TRUE(target);
    auto const machine = (*target)->start_on_board();
    ASSERT_TRUE(machine);
    auto const reference = run::first_look(**machine, (*target)->setting()).reference;
    auto const programs = generate::programs((*target)->setting(), {});
    FreshLook look((*machine)->board());
    run::Counts counts;
    constexpr std::uint64_t kPrograms = 24;
    for (std::uint64_t i = 0; i < kPrograms; ++i)
        run::run_program(**machine, reference, generate::program_of_case(programs, 1, i),
                         {.twice = i % 4 == 0, .go_on = true, .watcher = &look}, counts);
    // By a process that is not trapped in between, so that its translations stay.
    spec::Program stores;
    for (std::uint64_t value : {1u, 2u, 3u, 4u})
        stores.steps.push_back({spec::kInit, spec::Store{{spec::Anchor::data, 8}, 8, value}, {}});
    run::run_program(**machine, reference, stores, {.watcher = &look}, counts);
    EXPECT_GT(look.looks, 100);
    EXPECT_GT(look.changes, 10);
}

INSTANTIATE_TEST_SUITE_P(OnKernels, Remembered,
                         testing::Values("cow-eager", "cow-lazy", "eager-eager", "eager-lazy", "vintage-2020",
                                         "mutants/16-parent-keeps-w", "mutants/57-heap-page-not-zeroed",
                                         "hostile/garbage-in-process-table", "hostile/table-in-circles",
                                         "hostile/wild-dma"));

}  // namespace
}  // namespace vmcheck::e2e
