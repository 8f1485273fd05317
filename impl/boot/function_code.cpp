#include "impl/boot/function_code.h"

#include "impl/board/instruction.h"
#include "spec/bytes.h"

#include <algorithm>

namespace vmcheck {

FunctionCode::FunctionCode(elf::KernelImage const& image, elf::Symbol const& function) : image_(image) {
    constexpr std::uint64_t kMost = 1024;
    for (elf::Segment const& segment : image.segments()) {
        std::uint64_t const from = function.address.value - segment.linked.value;
        bool const inside = function.address >= segment.linked && from < segment.bytes.size() &&
                            function.bytes <= std::min(kMost, segment.bytes.size() - from);
        if (!inside || segment.physical.value != segment.linked.value) continue;
        auto const bytes = segment.bytes.subspan(from, function.bytes);
        for (std::uint64_t at = 0; at + 2 <= bytes.size();) {
            auto const left = bytes.subspan(at, std::min<std::uint64_t>(4, bytes.size() - at));
            auto const bits = static_cast<std::uint32_t>(load_little_endian(left));
            instructions_.push_back({function.address + at, bits});
            at += board::is_compressed(bits) ? 2U : 4U;
        }
    }
}

std::optional<std::size_t> FunctionCode::index_of(VirtAddr at) const {
    auto const found = std::ranges::lower_bound(instructions_, at, {}, &Instruction::at);
    if (found == instructions_.end() || found->at != at) return std::nullopt;
    return static_cast<std::size_t>(found - instructions_.begin());
}

// Where the i-th calls to: `jal ra`, or `auipc ra` and `jalr ra` before the linker's relaxation.
std::optional<VirtAddr> FunctionCode::call_at(std::size_t i) const {
    constexpr unsigned kRa = 1;
    constexpr std::uint32_t kLink = kRa << 7;
    auto const [at, bits] = instructions_[i];
    if ((bits & 0xfff) == (0x6f | kLink))
        if (auto const offset = board::decode_jump(bits & ~kLink)) return at + static_cast<std::uint64_t>(*offset);
    if ((bits & 0xfff) != (0x17 | kLink) || i + 1 == size()) return std::nullopt;
    std::uint32_t const next = instructions_[i + 1].bits;
    if ((next & 0xfffff) != (0x67 | kLink | kRa << 15)) return std::nullopt;
    std::uint64_t const upper = (std::uint64_t{bits & 0xfffff000} ^ 0x80000000) - 0x80000000;
    std::uint64_t const lower = (std::uint64_t{next >> 20} ^ 0x800) - 0x800;
    return at + upper + lower;
}

std::optional<std::size_t> FunctionCode::after_call(std::size_t i, std::string_view name) const {
    auto const called = i < size() ? call_at(i) : std::nullopt;
    auto const function = called ? image_.function_at(*called) : std::nullopt;
    if (!function || function->offset != 0 || function->name != name) return std::nullopt;
    bool const far = (bits(i) & 0x7f) == 0x17;
    return i + (far ? 2 : 1);
}

std::optional<std::size_t> FunctionCode::after_call_with(std::size_t i, unsigned element, std::string_view name) const {
    auto const move = board::decode_move(bits(i));
    constexpr unsigned kA0 = 10;
    if (!move || move->to != kA0 || move->from != element) return std::nullopt;
    return after_call(i + 1, name);
}

std::optional<std::size_t> FunctionCode::target(std::size_t i, std::int64_t offset) const {
    return index_of(at(i) + static_cast<std::uint64_t>(offset));
}

std::optional<std::size_t> FunctionCode::follow(std::optional<std::size_t> i) const {
    for (unsigned jumps = 0; i && jumps < 4; ++jumps) {
        auto const offset = board::decode_jump(bits(*i));
        if (!offset) return i;
        i = target(*i, *offset);
    }
    return std::nullopt;
}

}  // namespace vmcheck
