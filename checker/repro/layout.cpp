#include "checker/repro/layout.h"

#include "checker/report/expect.h"
#include "checker/repro/code.h"
#include "checker/repro/plan.h"
#include "spec/step_kinds.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

namespace vmcheck::repro {

namespace {

using namespace report;  // the words
using spec::Address;
using spec::Anchor;

// From the stack's end downwards: names and pointers of two arguments.
constexpr std::int64_t kArgumentBytes = 64;

// Absolute addresses up to here above the heap's start are meant as some of the heap.
constexpr std::uint64_t kNearHeap = std::uint64_t{64} << 20;

constexpr char const* kOwnStack = "it gives back memory below the stack, where a user program has its variables";
constexpr char const* kAcrossStack = "it reaches across the stack's end, and would write to this program's own stack";

// Addresses and their distances are modulo 2^64, as spec::Address is.
std::int64_t sum(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// The regions that lie side by side, as offsets from the start of the heap; nothing for other addresses.
std::optional<std::int64_t> from_heap(Address const& at, std::int64_t heap_bytes,
                                      std::optional<VirtAddr> const& heap_start) {
    switch (at.anchor) {
        case Anchor::heap:
        case Anchor::stack:
            return at.offset;
        case Anchor::guard:
            return sum(at.offset, -2 * kPage);
        case Anchor::brk:
            return sum(at.offset, heap_bytes);
        case Anchor::absolute: {
            auto const value = static_cast<std::uint64_t>(at.offset);
            // The first page is text in every program.
            if (!heap_start || value < kPageBytes || value >= heap_start->value + kNearHeap) return std::nullopt;
            return static_cast<std::int64_t>(value - heap_start->value);
        }
        default:
            return std::nullopt;
    }
}

Address named_from_heap(std::int64_t offset, bool on_own_stack) {
    if (offset >= (on_own_stack ? -kPage : 0)) return {Anchor::heap, offset};
    if (offset >= -kPage) return {Anchor::stack, offset};
    return {Anchor::guard, offset + 2 * kPage};
}

// Whether bytes in the stack's page are accessed together with bytes of the heap.
bool crosses_stack_end(Address const& at, std::uint64_t bytes) {
    return at.anchor == Anchor::stack && at.offset < 0 && at.offset + static_cast<std::int64_t>(bytes) > 0;
}

class Mover {
  public:
    Mover(Finding finding, bool on_own_stack) : finding_(std::move(finding)), on_own_stack_(on_own_stack) {}

    tl::expected<OwnLayout, std::string> move() {
        for (std::size_t i = 0; i < finding_.program.steps.size(); ++i) {
            if (!name_addresses(i)) return cannot(kOtherImage);
            if (!move_break(i)) return cannot(kOwnStack);
        }
        if (auto& place = finding_.evidence.place; place && !is_of_image(place->anchor))
            if (auto const offset = from_heap(*place, 0, finding_.evidence.heap_start))
                *place = named_from_heap(*offset, on_own_stack_);
        bool crosses = false;
        for (spec::Step const& step : finding_.program.steps) {
            auto const access = access_of(step.action);
            // A touch writes nothing.
            if (!access || std::holds_alternative<spec::Touch>(step.action) ||
                !crosses_stack_end(access->at, access->bytes))
                continue;
            if (access->at.offset < -kArgumentBytes) return cannot(kAcrossStack);
            crosses = true;
        }
        if (crosses) use_real_stack_end();
        return OwnLayout{std::move(finding_), std::move(below_zero_), on_own_stack_};
    }
    bool gives_back_stack() const { return gives_back_stack_; }

  private:
    // False where an address is in the pages of the image without being named after one.
    bool name_addresses(std::size_t at) {
        spec::Step& step = finding_.program.steps[at];
        bool known = true;
        spec::for_each_address(step.action, [&](Address& address, spec::Access access, std::uint64_t) {
            auto const offset = from_heap(address, heap_bytes_[step.actor], finding_.evidence.heap_start);
            // Where sp points to is not accessed.
            if (offset && *offset < -2 * kPage && access != spec::Access::none) known = false;
            if (offset && known) address = named_from_heap(*offset, on_own_stack_);
        });
        return known;
    }

    // False where the program's own stack would go, or its variables.
    bool move_break(std::size_t at) {
        spec::Step const& step = finding_.program.steps[at];
        run::StepRecord const& record = finding_.records[at];
        if (auto const* fork = std::get_if<spec::Fork>(&step.action))
            heap_bytes_[fork->child] = heap_bytes_[step.actor];
        if (std::holds_alternative<spec::Exec>(step.action) && !must_fail(record.expected)) heap_bytes_[step.actor] = 0;
        auto const* sbrk = std::get_if<spec::Sbrk>(&step.action);
        if (sbrk == nullptr) return true;
        std::int64_t& heap_bytes = heap_bytes_[step.actor];
        if (auto const beyond = below_zero(*sbrk, heap_bytes)) {
            below_zero_[at] = *beyond;
            return true;
        }
        // What is refused moves nothing; the last step's result may be the very thing that is wrong.
        bool const last = at + 1 == finding_.program.steps.size();
        if (last ? must_fail(record.expected) : failed(record.seen)) return true;
        heap_bytes = sum(heap_bytes, sbrk->bytes);
        gives_back_stack_ = gives_back_stack_ || heap_bytes < 0;
        return heap_bytes >= (on_own_stack_ ? -2 * kPage : 0);
    }

    // By how much more than the heap's start is high the break is to be lowered, where there is not so much.
    std::optional<std::int64_t> below_zero(spec::Sbrk const& sbrk, std::int64_t heap_bytes) const {
        std::int64_t const lowered = -std::int64_t{static_cast<std::int32_t>(sbrk.bytes)};
        if (!finding_.evidence.heap_start) return std::nullopt;
        auto const heap_start = static_cast<std::int64_t>(finding_.evidence.heap_start->value);
        if (lowered <= heap_start + heap_bytes) return std::nullopt;
        return lowered - heap_start;
    }

    void use_real_stack_end() {
        auto const rename = [](Address& address, spec::Access, std::uint64_t) {
            if (address.anchor == Anchor::stack && address.offset >= -kArgumentBytes) address.anchor = Anchor::heap;
        };
        for (spec::Step& step : finding_.program.steps) spec::for_each_address(step.action, rename);
        if (finding_.evidence.place) rename(*finding_.evidence.place, spec::Access::none, 0);
    }

    Finding finding_;
    bool on_own_stack_;
    bool gives_back_stack_ = false;
    std::map<spec::ProcId, std::int64_t> heap_bytes_;
    std::map<std::size_t, std::int64_t> below_zero_;
};

}  // namespace

tl::expected<OwnLayout, std::string> in_own_layout(Finding finding) {
    Mover mover(finding, false);
    auto moved = mover.move();
    return mover.gives_back_stack() ? Mover(std::move(finding), true).move() : moved;
}

}  // namespace vmcheck::repro
