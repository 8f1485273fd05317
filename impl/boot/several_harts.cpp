#include "impl/boot/boot.h"

#include <fmt/core.h>

#include <utility>

namespace vmcheck {

namespace {

static_assert(spec::kHartsMax == board::kHartsMax);

std::string why_it_fails(spec::Outcome const& outcome) {
    return describe(outcome.what, "it panics", "a process does not do what it is told");
}

// Two processes that load at the same time: as harmless as can be.
tl::expected<void, std::string> rehearse(std::shared_ptr<BootedKernel const> const& kernel) {
    constexpr spec::ProcId kChild{1};
    auto const execution = KernelExecution::start(kernel);
    if (!execution) return tl::unexpected(execution.error().sentence());
    spec::Step const fork{spec::kInit, spec::Fork{kChild}, {}};
    auto const forked = (*execution)->run(fork, kernel->setting->traits.frames_total).outcome;
    if (!std::holds_alternative<spec::Returned>(forked.what))
        return tl::unexpected(fmt::format("after fork, {}", why_it_fails(forked)));
    spec::Address const data{spec::Anchor::absolute,
                             static_cast<std::int64_t>(kernel->setting->layout.heap.value) - std::int64_t{kPageBytes}};
    spec::Step first{spec::kInit, spec::Load{data, 8}, {}}, second{kChild, spec::Load{data, 8}, {}};
    first.faults.switch_hart = 1;
    second.faults.meanwhile = true;
    Overlap const both = (*execution)->run_overlapping({first, second}, 1);
    for (spec::Outcome const* each : {&both.outcome.first, both.outcome.second ? &*both.outcome.second : nullptr})
        if (each != nullptr && spec::is_mishap(*each)) return tl::unexpected(why_it_fails(*each));
    if (!both.reached) return tl::unexpected(std::string("no second hart runs a process"));
    return {};
}

}  // namespace

tl::expected<std::shared_ptr<BootedKernel const>, std::string> with_harts(BootedKernel const& kernel,
                                                                          KernelOptions const& options,
                                                                          std::uint32_t harts) {
    std::string const number = harts == 2 ? "two" : "three";
    auto const refuse = [&](std::string const& why) {
        return tl::unexpected(fmt::format("The kernel does not run on {} harts: {}.", number, why));
    };
    if (!kernel.windows->processes)
        return tl::unexpected(std::string(
            "Without the kernel's process table, a process that sleeps and one that is at work on the other hart look "
            "alike."));
    auto booted = boot_to_agent(options, *kernel.image, *kernel.map, *options.disk, harts);
    if (!booted) return tl::unexpected(fmt::format("With {} harts: {}", number, booted.error().error.sentence()));
    if (booted->heap != kernel.setting->layout.heap) return refuse("/init is laid out differently there");
    auto elsewhere = std::make_shared<BootedKernel>(kernel);
    if (kernel.windows->free_list) {
        auto list = observe::GoldenFreeList::take(observe::ram_of(booted->board), booted->entries.free_list_heads);
        if (!list) return refuse("its free list is no sound list of frames");
        auto windows = std::make_shared<observe::Windows>(*kernel.windows);
        windows->free_list = std::make_shared<observe::GoldenFreeList const>(std::move(*list));
        elsewhere->windows = std::move(windows);
    }
    if (elsewhere->windows->counts && elsewhere->windows->counts->layout().by_use) {
        // They may be one of several, one for each hart.
        auto windows = std::make_shared<observe::Windows>(*elsewhere->windows);
        windows->counts.reset();
        elsewhere->windows = std::move(windows);
    }
    auto golden = booted->board.take_golden(kernel.golden);
    if (!golden) return tl::unexpected(golden.error().message);
    elsewhere->golden = std::move(*golden);
    elsewhere->config = booted->config;
    elsewhere->entries = booted->entries;
    elsewhere->agents = booted->agents;
    elsewhere->descriptors = booted->descriptors;
    if (auto ready = rehearse(elsewhere); !ready) return refuse(ready.error());
    return elsewhere;
}

}  // namespace vmcheck
