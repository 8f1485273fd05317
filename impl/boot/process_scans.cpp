#include "impl/boot/process_scans.h"

#include "impl/board/instruction.h"
#include "spec/bytes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

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

// The register with the element, and where it is given to acquire.
struct Loop {
    VirtAddr at;
    unsigned element = 0;
};

// Nothing unless there is one call of acquire, and none of what nobody expects there.
std::optional<Loop> loop_of(std::vector<Instruction> const& code, elf::KernelImage const& image) {
    constexpr std::array<std::string_view, 4> kCalled = {"acquire", "release", "myproc", "swtch"};
    constexpr unsigned kA0 = 10;
    std::optional<Loop> loop;
    for (std::size_t i = 0; i < code.size(); ++i) {
        auto const target = call_at(code, i);
        if (!target) continue;
        auto const function = image.function_at(*target);
        if (!function || function->offset != 0 || std::ranges::find(kCalled, function->name) == kCalled.end())
            return std::nullopt;
        if (function->name != "acquire") continue;
        auto const move = i > 0 ? board::decode_move(code[i - 1].bits) : std::nullopt;
        if (loop || !move || move->to != kA0) return std::nullopt;
        loop = Loop{code[i - 1].at, move->from};
    }
    return loop;
}

// Whether nothing is done with an element but what TableScan says.
bool only_looks(std::vector<Instruction> const& code, Loop const& loop, map::ProcessTable const& table) {
    constexpr unsigned kBranchesMax = 4;
    unsigned branches = 0, other_loads = 0;
    bool moves_on = false, reads_state = false;
    for (std::size_t i = 0; i < code.size(); ++i) {
        Instruction const& each = code[i];
        branches += board::decode_branch(each.bits).has_value();
        bool const adds_to_pc = i > 0 && (code[i - 1].bits & 0xfff) == (0x17 | loop.element << 7);  // auipc
        if (auto const step = board::decode_increment(each.bits); step && step->to == loop.element && !adds_to_pc) {
            if (moves_on || step->by != static_cast<std::int64_t>(table.stride)) return false;
            moves_on = true;
        }
        auto const access = board::decode_memory_access(each.bits);
        if (!access || access->base != loop.element) continue;
        bool const is_state = access->offset == static_cast<std::int64_t>(table.state.offset) && access->size == 4;
        if (access->stores && !is_state) return false;
        reads_state = reads_state || (!access->stores && is_state);
        other_loads += !access->stores && !is_state;
    }
    return moves_on && reads_state && other_loads <= 1 && branches <= kBranchesMax;
}

}  // namespace

std::vector<board::TableScan> find_process_scans(elf::KernelImage const& image, map::KernelMap const& map) {
    std::vector<board::TableScan> scans;
    if (!map.processes || map.processes->state.bytes != 4) return scans;
    map::ProcessTable const& table = *map.processes;
    for (std::string_view name : {"wakeup", "scheduler"}) {
        elf::Symbol const* const function = image.find_symbol(name);
        if (function == nullptr) continue;
        auto const code = code_of(image, *function);
        auto const loop = loop_of(code, image);
        if (!loop || !only_looks(code, *loop, table)) continue;
        scans.push_back({.at = loop->at,
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
