#include "impl/boot/hogs.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace vmcheck {

namespace {

using Done = tl::expected<void, std::string>;

constexpr spec::ProcId kBig = kHogNames[0], kSmall = kHogNames[1];

std::string failure(spec::Outcome const& outcome) {
    if (auto const* panicked = std::get_if<spec::Panicked>(&outcome.what))
        return "the kernel panics: " + panicked->message;
    if (auto const* stuck = std::get_if<spec::Stuck>(&outcome.what)) return stuck->where;
    if (auto const* lost = std::get_if<spec::Lost>(&outcome.what)) return lost->what;
    if (std::holds_alternative<spec::Ended>(outcome.what)) return "the process is killed";
    return "the call fails";
}

class Hogs {
  public:
    explicit Hogs(KernelExecution& execution) : execution_(execution) {}

    // The two of them, and p0, each with an image of its own.
    Done start() {
        execution_.reset();
        for (spec::ProcId hog : kHogNames) {
            if (auto done = must("fork", {spec::kInit, spec::Fork{hog}, {}}); !done) return done;
            if (auto done = must("exec", {hog, spec::Exec{}, {}}); !done) return done;
        }
        return must("exec", {spec::kInit, spec::Exec{}, {}});
    }

    // Until no more than `frames` are free. REQUIRES: the free list is known.
    Done fill(spec::ProcId hog, std::uint64_t frames) {
        while (free() > frames) {
            std::uint64_t const before = free();
            if (auto done = grow(hog, without_tables(before - frames)); !done) return done;
            if (free() >= before) return tl::unexpected(fmt::format("{} frames stay free", before));
        }
        return {};
    }

    Done give_back(spec::ProcId hog, std::uint64_t pages) {
        if (pages == 0) return {};
        return must("sbrk", {hog, spec::Sbrk{-bytes(pages), spec::SbrkMode::eager}, {}}, pages);
    }

    // As many pages, and the memory for them.
    Done grow(spec::ProcId hog, std::uint64_t pages) {
        auto const brk = ask(hog, 0);
        if (!brk) return tl::unexpected(std::string("sbrk(0) fails"));
        if (auto done = must(fmt::format("sbrk of {} pages", pages), growth(hog, bytes(pages)), ram_pages()); !done)
            return done;
        return touch(hog, *brk, pages);
    }

    // Takes pages until the kernel refuses one, by sbrk; a refused sbrk costs nothing.
    Done fill_by_sbrk(spec::ProcId hog) {
        for (std::uint64_t pages = ram_pages(); pages > 0;)
            if (!ask(hog, bytes(pages))) pages /= 2;
        return {};
    }

    // Touches pages, one after the other, until the hog is killed for it; it is buried. Returns how many it had.
    tl::expected<std::uint64_t, std::string> touch_to_death(spec::ProcId hog) {
        auto const brk = ask(hog, 0);
        if (!brk || !ask(hog, bytes(ram_pages()))) return tl::unexpected(std::string("a lazy sbrk of all RAM fails"));
        for (std::uint64_t pages = 0; pages < ram_pages(); ++pages) {
            spec::Outcome const outcome = execution_.run(touch_step(hog, *brk + pages * kPageBytes, 1), 1);
            if (std::holds_alternative<spec::Returned>(outcome.what)) continue;
            if (std::holds_alternative<spec::Ended>(outcome.what)) return pages;
            return tl::unexpected(failure(outcome));
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

    static spec::Step touch_step(spec::ProcId hog, VirtAddr from, std::uint64_t pages) {
        spec::Address const at{spec::Anchor::absolute, static_cast<std::int64_t>(from.value)};
        return {hog, spec::Touch{at, static_cast<std::uint32_t>(pages)}, {}};
    }

    // Where sbrk has mapped them already, this only loads.
    Done touch(spec::ProcId hog, VirtAddr from, std::uint64_t pages) {
        return must("a touch of its memory", touch_step(hog, from, pages), pages);
    }

    static spec::Step growth(spec::ProcId hog, std::int64_t amount) {
        return {hog, spec::Sbrk{amount, spec::SbrkMode::eager}, {}};
    }

    // sbrk(); nothing where it returns -1 or not at all.
    std::optional<VirtAddr> ask(spec::ProcId hog, std::int64_t amount) {
        spec::Outcome const outcome = execution_.run(growth(hog, amount), ram_pages());
        auto const* returned = std::get_if<spec::Returned>(&outcome.what);
        if (returned == nullptr || static_cast<std::int64_t>(returned->value) < 0) return std::nullopt;
        return VirtAddr{returned->value};
    }

    Done must(std::string_view what, spec::Step const& step, std::uint64_t pages = 0) {
        // The images count, too: their sum is far below this.
        constexpr std::uint64_t kPagesOfImages = 1024;
        spec::Outcome const outcome = execution_.run(step, kPagesOfImages + 4 * pages);
        auto const* returned = std::get_if<spec::Returned>(&outcome.what);
        bool const well = returned != nullptr ? static_cast<std::int64_t>(returned->value) >= 0
                                              : std::holds_alternative<spec::Restarted>(outcome.what);
        if (well) return {};
        return tl::unexpected(fmt::format("after {}, {}", what, failure(outcome)));
    }

    KernelExecution& execution_;
};

// Without a window on the free list, the kernel itself says when nothing is left.
Done fill_blindly(Hogs& hogs, spec::SbrkPolicy sbrk) {
    if (sbrk == spec::SbrkPolicy::eager) {
        if (auto done = hogs.fill_by_sbrk(kBig); !done) return done;
        return hogs.give_back(kBig, kHogsLeave);
    }
    auto const pages = hogs.touch_to_death(kBig);
    if (!pages) return tl::unexpected(pages.error());
    // Once more, and not so far.
    if (auto done = hogs.start(); !done) return done;
    if (*pages <= kHogsLeave) return tl::unexpected(fmt::format("memory ends after {} pages", *pages));
    return hogs.grow(kBig, *pages - kHogsLeave);
}

tl::expected<std::unique_ptr<KernelExecution>, std::string> execution_of(std::shared_ptr<BootedKernel const> kernel) {
    auto board = new_board(*kernel);
    if (!board) return tl::unexpected(board.error().message);
    return std::make_unique<KernelExecution>(std::move(kernel), std::move(*board));
}

}  // namespace

tl::expected<std::shared_ptr<BootedKernel const>, std::string> with_hogs(
    std::shared_ptr<BootedKernel const> const& kernel) {
    auto const execution = execution_of(kernel);
    if (!execution) return tl::unexpected(execution.error());
    Hogs hogs(**execution);
    auto done = hogs.start();
    if (done && kernel->windows->free_list) {
        done = hogs.fill(kBig, kHogsLeave);
        // A page-table page may have been one too many.
        if (done && hogs.free() < kHogsLeave) done = hogs.give_back(kBig, kHogsLeave - hogs.free());
    } else if (done) {
        done = fill_blindly(hogs, kernel->setting->profile.sbrk);
    }
    if (auto engine = (*execution)->engine_failure()) return tl::unexpected(*engine);
    if (!done)
        return tl::unexpected(fmt::format("Memory cannot be filled by processes that ask for it: {}.", done.error()));
    return (*execution)->freeze();
}

tl::expected<void, std::string> leave_free(KernelExecution& execution, std::uint64_t frames) {
    Hogs hogs(execution);
    bool const counted = execution.census().free.has_value();
    std::uint64_t const now = counted ? hogs.free() : kHogsLeave;
    auto const done = frames > now   ? hogs.give_back(kBig, frames - now)
                      : frames < now ? hogs.grow(kSmall, now - frames)
                                     : Done{};
    if (!done) return tl::unexpected(fmt::format("{} frames cannot be left free: {}.", frames, done.error()));
    if (counted && hogs.free() != frames)
        return tl::unexpected(
            fmt::format("{} frames cannot be left free: after the hogs' last step it is {}.", frames, hogs.free()));
    return {};
}

}  // namespace vmcheck
