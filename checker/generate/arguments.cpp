#include "checker/generate/arguments.h"

#include "checker/generate/draw.h"

#include <algorithm>
#include <array>

namespace vmcheck::generate {

namespace {

using namespace spec;

// ---- addresses

// An address as long as nobody knows how large the heap is: what it depends on is drawn once and for all states.
struct Spot {
    Address at;
    // Of the heap: which of its pages, counted round; mostly one of the first, used again and again, so that steps meet
    // each other.
    std::uint32_t page = 0;
};

// Pages of the heap that a process has, by its break; 0 when it was shrunk into the image.
std::int64_t heap_pages(Scene const& scene) {
    std::uint64_t const start = scene.world.layout_of(scene.actor).heap.value;
    std::uint64_t const end = round_up_to_page(scene.world.find(scene.actor)->space->brk).value;
    return end > start ? static_cast<std::int64_t>((end - start) / kPageBytes) : 0;
}

Address address_at(Spot const& spot, std::int64_t heap_pages) {
    Address const& at = spot.at;
    if (at.anchor == Anchor::heap) {
        if (heap_pages == 0) return {Anchor::data, at.offset};
        std::int64_t const pages = spot.page % 4 == 0 ? heap_pages : std::min<std::int64_t>(heap_pages, 4);
        return {Anchor::heap, spot.page / 4 % pages * kPage + at.offset};
    }
    if (at.anchor == Anchor::brk && at.offset < 0 && at.offset > -kPage && heap_pages == 0) return {Anchor::data, 0};
    return at;
}

rc::Gen<std::int64_t> words(std::int64_t first, std::int64_t last) {
    return rc::gen::map(between(first, last), [](std::int64_t word) { return 8 * word; });
}

// Within a page: its start, its end, something aligned between, or across the boundary to the next one.
rc::Gen<std::int64_t> offsets_in_page() {
    return weighted<std::int64_t>({{3, words(0, 3)},
                                   {1, rc::gen::just(kPage - 8)},
                                   {1, between(kPage - 7, kPage - 1)},
                                   {1, between(0, kPage - 1)},
                                   {1, words(0, kPage / 8 - 1)},
                                   {1, rc::gen::just(kPage - std::int64_t{kPathBytes})}});
}

rc::Gen<Spot> at(Anchor anchor, rc::Gen<std::int64_t> offsets) {
    return rc::gen::map(std::move(offsets), [anchor](std::int64_t offset) { return Spot{{anchor, offset}}; });
}

rc::Gen<Spot> in_the_heap() {
    return drawn([offsets = offsets_in_page(), pages = below(std::uint32_t{1} << 24)](Draw& draw) {
        return Spot{{Anchor::heap, draw(offsets)}, draw(pages)};
    });
}

rc::Gen<Spot> doubtful() {
    return rc::gen::elementOf(std::vector<Spot>{{{Anchor::text, 0}},
                                                {{Anchor::rodata, 8}},
                                                {{Anchor::guard, 0}},
                                                {{Anchor::guard, kPage - 8}},
                                                // The second reaches into the stack for 8 bytes.
                                                {{Anchor::guard, kPage - 4}},
                                                {{Anchor::brk, 0}},
                                                {{Anchor::brk, -4}},
                                                {{Anchor::brk, kPage}},
                                                {{Anchor::top, -8}},
                                                {{Anchor::trapframe, 0}},
                                                {{Anchor::trampoline, 0}},
                                                // An access of 8 bytes ends beyond MAXVA.
                                                {{Anchor::trampoline, kPage - 4}},
                                                {{Anchor::maxva, 0}},
                                                {{Anchor::maxva, -8}},
                                                {{Anchor::kernel, 0}},
                                                // Not canonical; the highest address; the lowest of the upper half.
                                                {{Anchor::absolute, std::int64_t{1} << 40}},
                                                {{Anchor::absolute, -8}},
                                                {{Anchor::absolute, static_cast<std::int64_t>(0x8000000000000000)}}});
}

// One in six is doubtful. p0 may not be killed, so such an address is of use to it in system calls only; why_not()
// sorts that out.
rc::Gen<Spot> const& spots(bool writable) {
    static rc::Gen<Spot> const to_write = weighted<Spot>({{15, in_the_heap()},
                                                          {5, at(Anchor::data, offsets_in_page())},
                                                          {5, at(Anchor::bss, offsets_in_page())},
                                                          {5, at(Anchor::stack, words(-8, -1))},
                                                          {5, at(Anchor::brk, between(-16, -1))},
                                                          {7, doubtful()}});
    static rc::Gen<Spot> const to_read = weighted<Spot>({{42, to_write},
                                                         {5, at(Anchor::rodata, offsets_in_page())},
                                                         {5, at(Anchor::text, offsets_in_page())},
                                                         {2, doubtful()}});
    return writable ? to_write : to_read;
}

// ---- values by role of a field

// The most that a copy of this kind is asked for.
template <class Kind>
std::uint32_t most_bytes(Scene const&) {
    return 6100;  // more than a page, and most of the data file
}
template <>
std::uint32_t most_bytes<PipeRead>(Scene const&) {
    return 600;  // more than the pipe holds
}
// More than fits would have the writer sleep for good.
template <>
std::uint32_t most_bytes<PipeWrite>(Scene const& scene) {
    std::size_t const filled = scene.world.pipe().empty() ? 0 : scene.world.pipe().front().size();
    std::size_t const room = scene.world.setting().traits.pipe_bytes - filled;
    return room == 0 ? 1U : static_cast<std::uint32_t>(room);
}

Address draw_address(Draw& draw, Scene const& scene, Access access) {
    return address_at(draw(spots(access == Access::write || access == Access::none)), heap_pages(scene));
}

template <class Kind>
Address draw_field(Draw& draw, Place<Kind> const& field, Scene const& scene) {
    return draw_address(draw, scene, field.access);
}
// Mostly where a path really is: in read-only and in writable memory.
Address draw_field(Draw& draw, Place<Open> const& field, Scene const& scene) {
    static auto const lots = below(4);
    switch (draw(lots)) {
        case 0:
            return {Anchor::rodata, 0};
        case 1:
            return {Anchor::data, 0};
        default:
            return draw_address(draw, scene, field.access);
    }
}
// Half of them in the page of return instructions.
Address draw_field(Draw& draw, Place<Fetch> const&, Scene const& scene) {
    static auto const returns = rc::gen::oneOf(rc::gen::just(std::int64_t{-1}), between(0, 60));
    std::int64_t const which = draw(returns);
    return which < 0 ? draw_address(draw, scene, Access::read) : Address{Anchor::text, 2 * which};
}
// Mostly no arguments, or those in writable memory: in most other places is no list of them.
std::optional<Address> draw_field(Draw& draw, OptionalPlace<Exec> const& field, Scene const& scene) {
    static auto const lots = below(8);
    int const lot = draw(lots);
    if (lot < 4) return std::nullopt;
    return lot < 6 ? Address{Anchor::data, kArgumentsAt} : draw_address(draw, scene, field.access);
}
template <class Kind>
std::optional<Address> draw_field(Draw& draw, OptionalPlace<Kind> const& field, Scene const& scene) {
    static auto const without = chance(1, 3);
    return draw(without) ? std::nullopt : std::optional{draw_address(draw, scene, field.access)};
}
template <class Kind>
std::uint8_t draw_field(Draw& draw, AccessSize<Kind> const&, Scene const&) {
    static auto const sizes = rc::gen::weightedElement<std::uint8_t>({{5, 8}, {1, 1}, {1, 2}, {1, 4}});
    return draw(sizes);
}
template <class Kind>
std::uint64_t draw_field(Draw& draw, StoredValue<Kind> const&, Scene const&) {
    static auto const stored =
        weighted<std::uint64_t>({{7, rc::gen::inRange<std::uint64_t>(1, 256)}, {1, below(UINT64_MAX)}});
    return draw(stored);
}
template <class Kind>
std::uint32_t draw_field(Draw& draw, PageCount<Kind> const&, Scene const&) {
    static auto const counts = rc::gen::inRange(1U, 5U);
    return draw(counts);
}
template <class Kind>
std::uint32_t draw_field(Draw& draw, ByteCount<Kind> const&, Scene const& scene) {
    return draw(copy_bytes(most_bytes<Kind>(scene)));
}
template <class Kind>
std::int64_t draw_field(Draw& draw, BreakAmount<Kind> const&, Scene const& scene) {
    return draw(break_amounts(scene));
}
template <class Kind>
SbrkMode draw_field(Draw& draw, Mode<Kind> const&, Scene const& scene) {
    static auto const modes = rc::gen::element(SbrkMode::by_profile, SbrkMode::eager, SbrkMode::lazy);
    return scene.world.setting().traits.sbrk_takes_mode ? draw(modes) : SbrkMode::by_profile;
}
template <class Kind>
Executable draw_field(Draw& draw, ProgramName<Kind> const&, Scene const& scene) {
    static auto const programs =
        rc::gen::weightedElement<Executable>({{3, Executable::init}, {4, Executable::large}, {1, Executable::broken}});
    return scene.world.setting().more_pages.empty() ? Executable::init : draw(programs);
}
template <class Kind>
std::int32_t draw_field(Draw& draw, ExitStatus<Kind> const&, Scene const&) {
    static auto const statuses = rc::gen::inRange(-1, 256);
    return draw(statuses);
}
template <class Kind>
ProcId draw_field(Draw&, NewProcess<Kind> const&, Scene const& scene) {
    return scene.next_child;
}
template <class Kind>
ProcId draw_field(Draw& draw, OtherProcess<Kind> const&, Scene const& scene) {
    return draw(one_of(scene.running));
}

template <class Kind>
rc::Gen<Action> actions_of(Scene const& scene) {
    return drawn([scene](Draw& draw) -> Action {
        Kind action{};
        for_each_field<Kind>([&](auto const& field) { action.*(field.member) = draw_field(draw, field, scene); });
        return action;
    });
}

}  // namespace

rc::Gen<Address> addresses(Scene const& scene, Access access) {
    return drawn([scene, access](Draw& draw) { return draw_address(draw, scene, access); });
}

rc::Gen<std::int64_t> break_amounts(Scene const& scene) {
    return drawn([scene](Draw& draw) -> std::int64_t {
        std::int64_t const heap = heap_pages(scene) * kPage;
        std::int64_t const heap_bytes =
            std::max<std::int64_t>(0, static_cast<std::int64_t>(scene.world.find(scene.actor)->space->brk.value -
                                                                scene.world.layout_of(scene.actor).heap.value));
        bool const lazy = scene.world.setting().profile.sbrk == SbrkPolicy::lazy;
        // Not below the start of the heap: programs do not give their stack and image back, and kernels differ in what
        // becomes of one that does.
        auto const back = [&](std::int64_t bytes) { return -std::min(bytes, heap_bytes); };
        static auto const kinds = below(64);
        int const kind = draw(kinds);
        if (kind < 24) return kPage * draw(between(1, 4));
        if (kind < 34) return back(kPage * draw(between(1, 3)));
        if (kind < 42) return draw(between(1, 3 * kPage));
        if (kind < 48) return back(draw(between(1, 2 * kPage)));
        if (kind < 54) return -heap_bytes;
        // Into the stack, only where it must be refused; past zero.
        if (kind < 55 && scene.world.setting().traits.sbrk_keeps_to_the_heap && draw(chance(1, 2)))
            return -heap_bytes - kPage;
        if (kind < 55) return -heap - (std::int64_t{1} << 30);
        if (kind < 57) return kPage * draw(between(5, 64));
        if (kind < 58) return 0;
        // What follows makes the kernel loop over many pages: rare, and rarer where each page costs a frame.
        if (!draw(chance(1, lazy ? 6 : 64))) return kPage;
        // Sizes that no longer fit an int.
        if (lazy && heap > (std::int64_t{1} << 30)) return (std::int64_t{1} << 31) - kPage;
        switch (draw(below<std::int64_t>(lazy ? 80 : 5))) {
            case 0:
                return (std::int64_t{1} << 31) - kPage;
            case 1:
                return (std::int64_t{1} << 31) - 1;
            case 2:
                return (std::int64_t{1} << 32) + kPage;  // an int sees one page
            case 3:
                return std::int64_t{1} << 31;  // an int sees the most negative number
            case 4:
                return (std::int64_t{1} << 38) + kPage;  // beyond all user addresses; an int sees one page
            case 5:
                return std::int64_t{1} << 30;
            default:
                return kPage * draw(between(500, 2000));  // reaches new last-level and middle-level tables
        }
    });
}

rc::Gen<std::uint32_t> copy_bytes(std::uint32_t most) {
    return drawn([most](Draw& draw) -> std::uint32_t {
        static rc::Gen<std::uint32_t> const kinds = below(8U);
        switch (draw(kinds)) {
            case 0:
                return most;
            case 1:
                return draw(rc::gen::inRange(1U, most + 1));
            case 2:
                return 1;
            case 3:
                return std::min(most, kPathBytes);
            default:
                return draw(rc::gen::inRange(1U, std::min(most, 24U) + 1));
        }
    });
}

rc::Gen<Action> actions(std::size_t kind, Scene const& scene) {
    using Make = rc::Gen<Action> (*)(Scene const&);
    static constexpr auto kByKind = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
        return std::array<Make, kActionKinds>{&actions_of<std::variant_alternative_t<kIndex, Action>>...};
    }
    (std::make_index_sequence<kActionKinds>{});
    return kByKind[kind](scene);
}

}  // namespace vmcheck::generate
