#include "impl/boot/process_scans.h"

#include "impl/board/instruction.h"
#include "spec/bytes.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace vmcheck {

namespace {

struct Instruction {
    VirtAddr at;
    std::uint32_t bits = 0;
};

// Empty unless all of it lies in the file, where it is executed.
std::vector<Instruction> code_of(elf::KernelImage const& image, elf::Symbol const& function) {
    constexpr std::uint64_t kMost = 1024;
    std::vector<Instruction> code;
    for (elf::Segment const& segment : image.segments()) {
        std::uint64_t const from = function.address.value - segment.linked.value;
        bool const inside = function.address >= segment.linked && from < segment.bytes.size() &&
                            function.bytes <= std::min(kMost, segment.bytes.size() - from);
        if (!inside || segment.physical.value != segment.linked.value) continue;
        auto const bytes = segment.bytes.subspan(from, function.bytes);
        for (std::uint64_t at = 0; at + 2 <= bytes.size();) {
            auto const left = bytes.subspan(at, std::min<std::uint64_t>(4, bytes.size() - at));
            auto const bits = static_cast<std::uint32_t>(load_little_endian(left));
            code.push_back({function.address + at, bits});
            at += board::is_compressed(bits) ? 2U : 4U;
        }
    }
    return code;
}

// Where the i-th calls to: `jal ra`, or `auipc ra` and `jalr ra` before the linker's relaxation.
std::optional<VirtAddr> call_at(std::vector<Instruction> const& code, std::size_t i) {
    constexpr unsigned kRa = 1;
    auto const [at, bits] = code[i];
    if ((bits & 0xfff) == (0x6f | kRa << 7)) {
        std::uint32_t const offset =
            (bits >> 31) << 20 | (bits & 0xff000) | ((bits >> 20) & 1) << 11 | ((bits >> 21) & 0x3ff) << 1;
        return at + ((std::uint64_t{offset} ^ 0x100000) - 0x100000);
    }
    if ((bits & 0xfff) != (0x17 | kRa << 7) || i + 1 == code.size()) return std::nullopt;
    std::uint32_t const next = code[i + 1].bits;
    if ((next & 0xfffff) != (0x67 | kRa << 7 | kRa << 15)) return std::nullopt;
    std::uint64_t const upper = (std::uint64_t{bits & 0xfffff000} ^ 0x80000000) - 0x80000000;
    std::uint64_t const lower = (std::uint64_t{next >> 20} ^ 0x800) - 0x800;
    return at + upper + lower;
}

// The code of one function, by address.
class Code {
  public:
    Code(std::vector<Instruction> instructions, elf::KernelImage const& image)
        : instructions_(std::move(instructions)), image_(image) {}

    std::size_t size() const { return instructions_.size(); }
    VirtAddr at(std::size_t i) const { return instructions_[i].at; }
    std::uint32_t bits(std::size_t i) const { return i < size() ? instructions_[i].bits : 0; }
    std::optional<std::size_t> index_of(VirtAddr at) const {
        auto const found = std::ranges::find(instructions_, at, &Instruction::at);
        if (found == instructions_.end()) return std::nullopt;
        return static_cast<std::size_t>(found - instructions_.begin());
    }
    // Behind the call of that function, where the i-th is one.
    std::optional<std::size_t> after_call(std::size_t i, std::string_view name) const {
        auto const target = i < size() ? call_at(instructions_, i) : std::nullopt;
        auto const function = target ? image_.function_at(*target) : std::nullopt;
        if (!function || function->offset != 0 || function->name != name) return std::nullopt;
        bool const far = (bits(i) & 0x7f) == 0x17;
        return i + (far ? 2 : 1);
    }
    // Behind `mv a0, element` and the call.
    std::optional<std::size_t> after_call_with(std::size_t i, unsigned element, std::string_view name) const {
        auto const move = board::decode_move(bits(i));
        constexpr unsigned kA0 = 10;
        if (!move || move->to != kA0 || move->from != element) return std::nullopt;
        return after_call(i + 1, name);
    }
    // Where a branch or jump at the i-th leads.
    std::optional<std::size_t> target(std::size_t i, std::int64_t offset) const {
        return index_of(at(i) + static_cast<std::uint64_t>(offset));
    }
    // Where it goes on from the i-th: past jumps without a condition.
    std::optional<std::size_t> follow(std::optional<std::size_t> i) const {
        for (unsigned jumps = 0; i && jumps < 4; ++jumps) {
            auto const offset = board::decode_jump(bits(*i));
            if (!offset) return i;
            i = target(*i, *offset);
        }
        return std::nullopt;
    }

  private:
    std::vector<Instruction> instructions_;
    elf::KernelImage const& image_;
};

// The register with the element, and where it is given to acquire.
struct Loop {
    std::size_t start = 0;
    unsigned element = 0;
};

// Nothing unless there is one call of acquire, with a register that is kept over calls (s0 to s11).
std::optional<Loop> loop_of(Code const& code) {
    std::optional<Loop> loop;
    for (std::size_t i = 1; i < code.size(); ++i) {
        if (!code.after_call(i, "acquire")) continue;
        auto const move = board::decode_move(code.bits(i - 1));
        bool const is_kept = move && (move->from == 8 || move->from == 9 || (move->from >= 18 && move->from <= 27));
        if (loop || !is_kept || !code.after_call_with(i - 1, move->from, "acquire")) return std::nullopt;
        loop = Loop{i - 1, move->from};
    }
    return loop;
}

// The address that a register is given relative to the pc (`auipc` and `addi`); nothing unless it is given one only.
std::optional<VirtAddr> address_in(Code const& code, unsigned number) {
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

// From where an unused element has been let go: the register moves on by one element and is compared with the end;
// then, perhaps past those that are the current process, back to the start. Nothing else happens on that way.
bool goes_on(Code const& code, Loop const& loop, std::size_t i, map::ProcessTable const& table) {
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

// Whether all that is done about an unused element is to take its lock, look at its state, and let it go.
bool only_looks(Code const& code, Loop const& loop, map::ProcessTable const& table) {
    using If = board::Branch::If;
    auto const locked = code.after_call_with(loop.start, loop.element, "acquire");
    if (!locked) return false;
    auto const load = board::decode_memory_access(code.bits(*locked));
    bool const is_state = load && !load->stores && load->size == 4 && load->base == loop.element &&
                          load->offset == static_cast<std::int64_t>(table.state.offset);
    if (!is_state) return false;
    unsigned const state = board::destination_of(code.bits(*locked));
    // Whether it is a certain other state, or, where unused is 0, whether it is that.
    std::size_t const at = *locked + 1;
    auto const branch = board::decode_branch(code.bits(at));
    if (!branch || !branch->compares(state) || branch->taken_if == If::other) return false;
    bool const with_zero = branch->compares(0);
    if (with_zero && table.state_unused != 0) return false;
    bool const equal = with_zero;  // what the two registers are for one that is unused
    bool const taken = (branch->taken_if == If::equal) == equal;
    auto const let_go = code.follow(taken ? code.target(at, branch->offset) : at + 1);
    auto const released = let_go ? code.after_call_with(*let_go, loop.element, "release") : std::nullopt;
    return released && goes_on(code, loop, *released, table);
}

}  // namespace

std::vector<board::TableScan> find_process_scans(elf::KernelImage const& image, map::KernelMap const& map) {
    std::vector<board::TableScan> scans;
    if (!map.processes || map.processes->state.bytes != 4) return scans;
    map::ProcessTable const& table = *map.processes;
    for (std::string_view name : {"wakeup", "scheduler"}) {
        elf::Symbol const* const function = image.find_symbol(name);
        if (function == nullptr) continue;
        Code const code(code_of(image, *function), image);
        auto const loop = loop_of(code);
        if (!loop || !only_looks(code, *loop, table)) continue;
        scans.push_back({.at = code.at(loop->start),
                         .element = loop->element,
                         .first = table.base,
                         .stride = table.stride,
                         .count = table.count,
                         .state_offset = table.state.offset,
                         .unused = static_cast<std::uint32_t>(table.state_unused)});
    }
    return scans;
}

}  // namespace vmcheck
