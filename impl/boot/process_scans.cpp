#include "impl/boot/process_scans.h"

#include "impl/board/instruction.h"
#include "impl/boot/function_code.h"

#include <optional>
#include <string_view>

namespace vmcheck {

namespace {

// The register with the element, and where it is given to acquire.
struct Loop {
    std::size_t start = 0;
    unsigned element = 0;
};

// Over calls: s0 to s11.
bool is_kept(unsigned number) {
    return number == 8 || number == 9 || (number >= 18 && number <= 27);
}

// Nothing unless there is one call of acquire, with a register that is kept over calls.
std::optional<Loop> loop_of(FunctionCode const& code) {
    std::optional<Loop> loop;
    for (std::size_t i = 1; i < code.size(); ++i) {
        if (!code.after_call(i, "acquire")) continue;
        auto const move = board::decode_move(code.bits(i - 1));
        if (loop || !move || !is_kept(move->from) || !code.after_call_with(i - 1, move->from, "acquire"))
            return std::nullopt;
        loop = Loop{i - 1, move->from};
    }
    return loop;
}

// The address that a register is given relative to the pc (`auipc` and `addi`); nothing unless it is given one only.
std::optional<VirtAddr> address_in(FunctionCode const& code, unsigned number) {
    std::optional<VirtAddr> address;
    for (std::size_t i = 0; i + 1 < code.size(); ++i) {
        if ((code.bits(i) & 0xfff) != (0x17 | number << 7)) continue;
        auto const rest = board::decode_increment(code.bits(i + 1));
        if (address || !rest || rest->to != number) return std::nullopt;
        std::uint64_t const upper = (std::uint64_t{code.bits(i) & 0xfffff000} ^ 0x80000000) - 0x80000000;
        address = code.at(i) + upper + static_cast<std::uint64_t>(rest->by);
    }
    return address;
}

// From where an element has been let go: the register moves on by one element and is compared with the end;
// then, perhaps past those that are the current process, back to the start. Nothing else happens on that way.
bool goes_on(FunctionCode const& code, Loop const& loop, std::size_t i, map::ProcessTable const& table) {
    auto const step = board::decode_increment(code.bits(i));
    if (!step || step->to != loop.element || step->by != static_cast<std::int64_t>(table.stride)) return false;
    auto const end = board::decode_branch(code.bits(i + 1));
    if (!end || !end->compares(loop.element)) return false;
    auto const bound = address_in(code, end->one == loop.element ? end->another : end->one);
    if (!bound || bound->value != table.base.value + table.count * table.stride) return false;
    // It leads back, or else out of the loop.
    std::optional<std::size_t> next = i + 2;
    if (end->offset < 0) next = code.target(i + 1, end->offset);
    next = code.follow(next);
    if (!next) return false;
    if (auto const asked = code.after_call(*next, "myproc")) {
        auto const is_current = board::decode_branch(code.bits(*asked));
        if (!is_current || !is_current->compares(loop.element) || is_current->taken_if != board::Branch::If::equal)
            return false;
        next = code.follow(*asked + 1);
    }
    return next == loop.start;
}

// How elements are told about which all that is done is to take their lock, look at their state, and let it go.
std::optional<board::TableScan::Idle> idle_of(FunctionCode const& code, Loop const& loop,
                                              map::ProcessTable const& table) {
    using If = board::Branch::If;
    auto const locked = code.after_call_with(loop.start, loop.element, "acquire");
    if (!locked) return std::nullopt;
    auto const load = board::decode_memory_access(code.bits(*locked));
    bool const is_state = load && !load->stores && load->size == 4 && load->base == loop.element &&
                          load->offset == static_cast<std::int64_t>(table.state.offset);
    if (!is_state) return std::nullopt;
    unsigned const state = board::destination_of(code.bits(*locked));
    // Whether it is a certain other state, or, where unused is 0, whether it is that.
    std::size_t const at = *locked + 1;
    auto const branch = board::decode_branch(code.bits(at));
    if (!branch || !branch->compares(state) || branch->taken_if == If::other) return std::nullopt;
    unsigned const compared = branch->one == state ? branch->another : branch->one;
    if (compared == 0 ? table.state_unused != 0 : !is_kept(compared)) return std::nullopt;
    board::TableScan::Idle const idle{.compared = compared, .if_equal = compared == 0};
    bool const taken = (branch->taken_if == If::equal) == idle.if_equal;
    auto const let_go = code.follow(taken ? code.target(at, branch->offset) : at + 1);
    auto const released = let_go ? code.after_call_with(*let_go, loop.element, "release") : std::nullopt;
    return released && goes_on(code, loop, *released, table) ? std::optional(idle) : std::nullopt;
}

}  // namespace

std::vector<board::TableScan> find_process_scans(elf::KernelImage const& image, map::KernelMap const& map) {
    std::vector<board::TableScan> scans;
    if (!map.processes || map.processes->state.bytes != 4) return scans;
    map::ProcessTable const& table = *map.processes;
    for (std::string_view name : {"wakeup", "scheduler"}) {
        elf::Symbol const* const function = image.find_symbol(name);
        if (function == nullptr) continue;
        FunctionCode const code(image, *function);
        auto const loop = loop_of(code);
        auto const idle = loop ? idle_of(code, *loop, table) : std::nullopt;
        if (!idle) continue;
        scans.push_back({.at = code.at(loop->start),
                         .element = loop->element,
                         .first = table.base,
                         .stride = table.stride,
                         .count = table.count,
                         .state_offset = table.state.offset,
                         .idle = *idle});
    }
    return scans;
}

}  // namespace vmcheck
