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

// From where an element has been let go: the register moves on by one element and is compared with the end;
// then, perhaps past those that are the current process, back to the start. Nothing else happens on that way. Gives the
// register that holds the end.
std::optional<unsigned> goes_on(FunctionCode const& code, Loop const& loop, std::size_t i,
                                map::ProcessTable const& table) {
    using If = board::Branch::If;
    auto const step = board::decode_increment(code.bits(i));
    if (!step || step->to != loop.element || step->by != static_cast<std::int64_t>(table.stride)) return std::nullopt;
    auto const end = board::decode_branch(code.bits(i + 1));
    if (!end || !end->compares(loop.element) || end->taken_if == If::other) return std::nullopt;
    unsigned const bound = end->one == loop.element ? end->another : end->one;
    if (!is_kept(bound)) return std::nullopt;
    // Where they differ it leads back.
    std::optional<std::size_t> next = i + 2;
    if (end->taken_if == If::unequal) next = code.target(i + 1, end->offset);
    next = code.follow(next);
    if (!next) return std::nullopt;
    if (auto const asked = code.after_call(*next, "myproc")) {
        auto const is_current = board::decode_branch(code.bits(*asked));
        if (!is_current || !is_current->compares(loop.element) || is_current->taken_if != If::equal)
            return std::nullopt;
        next = code.follow(*asked + 1);
    }
    return next == loop.start ? std::optional(bound) : std::nullopt;
}

// Nothing unless all that is done about some elements is to take their lock, look at their state, and let it go.
std::optional<board::TableScan> scan_of(FunctionCode const& code, Loop const& loop, map::ProcessTable const& table) {
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
    auto const end = released ? goes_on(code, loop, *released, table) : std::nullopt;
    if (!end) return std::nullopt;
    return board::TableScan{.at = code.at(loop.start),
                            .element = loop.element,
                            .end = *end,
                            .first = table.base,
                            .stride = table.stride,
                            .count = table.count,
                            .state_offset = table.state.offset,
                            .idle = idle};
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
        if (auto const scan = loop ? scan_of(code, *loop, table) : std::nullopt) scans.push_back(*scan);
    }
    return scans;
}

}  // namespace vmcheck
