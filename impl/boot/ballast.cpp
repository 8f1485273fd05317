#include "impl/boot/ballast.h"

#include "impl/boot/boot.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace vmcheck {

namespace {

using Filled = tl::expected<void, std::string>;

constexpr spec::ProcId kBig = kBallast[0], kSmall = kBallast[1];

std::string why_no_ballast(spec::Outcome const& outcome) {
    bool const killed = std::holds_alternative<spec::Ended>(outcome.what);
    return describe(outcome.what, "the kernel panics", killed ? "the process is killed" : "the call fails");
}

class BallastFiller {
  public:
    explicit BallastFiller(KernelExecution& execution) : execution_(execution) {}

    // The two of them, and p0, each with an image of its own.
    Filled start() {
        execution_.reset();
        for (spec::ProcId holder : kBallast) {
            if (auto done = must("fork", {spec::kInit, spec::Fork{holder}, {}}); !done) return done;
            if (auto done = must("exec", {holder, spec::Exec{}, {}}); !done) return done;
        }
        return must("exec", {spec::kInit, spec::Exec{}, {}});
    }

    // Until no more than `frames` are free. REQUIRES: the free list is known.
    Filled fill(spec::ProcId holder, std::uint64_t frames) {
        while (free() > frames) {
            std::uint64_t const before = free();
            if (auto done = grow(holder, without_tables(before - frames)); !done) return done;
            if (free() >= before) return tl::unexpected(fmt::format("{} frames stay free", before));
        }
        return {};
    }

    Filled give_back(spec::ProcId holder, std::uint64_t pages) {
        if (pages == 0) return {};
        return must("sbrk", {holder, spec::Sbrk{-bytes(pages), spec::SbrkMode::eager}, {}}, pages);
    }

    // As many pages, and the memory for them.
    Filled grow(spec::ProcId holder, std::uint64_t pages) {
        auto const brk = ask(holder, 0);
        if (!brk) return tl::unexpected(std::string("sbrk(0) fails"));
        if (auto done = must(fmt::format("sbrk of {} pages", pages), growth(holder, bytes(pages)), ram_pages()); !done)
            return done;
        return touch(holder, *brk, pages);
    }

    // Takes pages until the kernel refuses one, by sbrk; a refused sbrk costs nothing.
    Filled fill_by_sbrk(spec::ProcId holder) {
        for (std::uint64_t pages = ram_pages(); pages > 0;)
            if (!ask(holder, bytes(pages))) pages /= 2;
        return {};
    }

    // Touches pages, one after the other, until the process is killed for it; it is buried. Returns how many it had.
    tl::expected<std::uint64_t, std::string> touch_to_death(spec::ProcId holder) {
        auto const brk = ask(holder, 0);
        if (!brk || !ask(holder, bytes(ram_pages())))
            return tl::unexpected(std::string("a lazy sbrk of all RAM fails"));
        for (std::uint64_t pages = 0; pages < ram_pages(); ++pages) {
            spec::Outcome const outcome = execution_.run(touch_step(holder, *brk + pages * kPageBytes, 1), 1).outcome;
            if (std::holds_alternative<spec::Returned>(outcome.what)) continue;
            if (std::holds_alternative<spec::Ended>(outcome.what)) return pages;
            return tl::unexpected(why_no_ballast(outcome));
        }
        return tl::unexpected(std::string("memory does not run out"));
    }

    std::uint64_t free() { return execution_.census().free.value_or(0); }

  private:
    static std::int64_t bytes(std::uint64_t pages) { return static_cast<std::int64_t>(pages * kPageBytes); }

    std::uint64_t ram_pages() const {
        return (execution_.board().ram_end().value - execution_.board().ram_start().value) / kPageBytes;
    }

    // Page-table pages take some of what is to be filled: one for every 512 pages, and a few above them.
    static std::uint64_t without_tables(std::uint64_t frames) {
        constexpr std::uint64_t kPagesOfATable = 512, kAbove = 3;
        std::uint64_t const tables = frames / kPagesOfATable + kAbove;
        return frames > 2 * tables ? frames - tables : 1;
    }

    static spec::Step touch_step(spec::ProcId holder, VirtAddr from, std::uint64_t pages) {
        spec::Address const at{spec::Anchor::absolute, static_cast<std::int64_t>(from.value)};
        return {holder, spec::Touch{at, static_cast<std::uint32_t>(pages)}, {}};
    }

    // Where sbrk has mapped them already, this only loads.
    Filled touch(spec::ProcId holder, VirtAddr from, std::uint64_t pages) {
        return must("a touch of its memory", touch_step(holder, from, pages), pages);
    }

    static spec::Step growth(spec::ProcId holder, std::int64_t amount) {
        return {holder, spec::Sbrk{amount, spec::SbrkMode::eager}, {}};
    }

    // sbrk(); nothing where it returns -1 or not at all.
    std::optional<VirtAddr> ask(spec::ProcId holder, std::int64_t amount) {
        spec::Outcome const outcome = execution_.run(growth(holder, amount), ram_pages()).outcome;
        auto const value = success(outcome.what);
        return value ? std::optional<VirtAddr>{*value} : std::nullopt;
    }

    Filled must(std::string_view what, spec::Step const& step, std::uint64_t pages = 0) {
        // The images count, too: their sum is far below this.
        constexpr std::uint64_t kPagesOfImages = 1024;
        spec::Outcome const outcome = execution_.run(step, kPagesOfImages + 4 * pages).outcome;
        if (success(outcome.what) || std::holds_alternative<spec::Restarted>(outcome.what)) return {};
        return tl::unexpected(fmt::format("after {}, {}", what, why_no_ballast(outcome)));
    }

    KernelExecution& execution_;
};

// Without a window on the free list, the kernel itself says when nothing is left.
Filled fill_blindly(BallastFiller& ballast, spec::SbrkPolicy sbrk) {
    if (sbrk == spec::SbrkPolicy::eager) {
        if (auto done = ballast.fill_by_sbrk(kBig); !done) return done;
        return ballast.give_back(kBig, kBallastLeaves);
    }
    auto const pages = ballast.touch_to_death(kBig);
    if (!pages) return tl::unexpected(pages.error());
    // Once more, and not so far.
    if (auto done = ballast.start(); !done) return done;
    if (*pages <= kBallastLeaves) return tl::unexpected(fmt::format("memory ends after {} pages", *pages));
    return ballast.grow(kBig, *pages - kBallastLeaves);
}

}  // namespace

tl::expected<std::shared_ptr<BootedKernel const>, std::string> with_ballast(
    std::shared_ptr<BootedKernel const> const& kernel) {
    auto const execution = KernelExecution::start(kernel);
    if (!execution) return tl::unexpected(execution.error().sentence());
    BallastFiller ballast(**execution);
    auto done = ballast.start();
    if (done && kernel->windows->free_list) {
        done = ballast.fill(kBig, kBallastLeaves);
        // A page-table page may have been one too many.
        if (done && ballast.free() < kBallastLeaves) done = ballast.give_back(kBig, kBallastLeaves - ballast.free());
    } else if (done) {
        done = fill_blindly(ballast, kernel->setting->profile.sbrk);
    }
    if (auto engine = (*execution)->engine_failure()) return tl::unexpected(*engine);
    if (!done)
        return tl::unexpected(fmt::format("Memory cannot be filled by processes that ask for it: {}.", done.error()));
    return (*execution)->freeze();
}

tl::expected<void, std::string> leave_free(KernelExecution& execution, std::uint64_t frames) {
    BallastFiller ballast(execution);
    bool const counted = execution.census().free.has_value();
    std::uint64_t const now = counted ? ballast.free() : kBallastLeaves;
    auto const done = frames > now   ? ballast.give_back(kBig, frames - now)
                      : frames < now ? ballast.grow(kSmall, now - frames)
                                     : Filled{};
    if (!done) return tl::unexpected(fmt::format("{} frames cannot be left free: {}.", frames, done.error()));
    if (counted && ballast.free() != frames)
        return tl::unexpected(fmt::format("{} frames cannot be left free: after the ballast's last step it is {}.",
                                          frames, ballast.free()));
    return {};
}

}  // namespace vmcheck
