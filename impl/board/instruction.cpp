#include "impl/board/instruction.h"

#include "spec/bytes.h"

#include <algorithm>
#include <array>

namespace vmcheck::board {
namespace {

constexpr unsigned field(std::uint32_t bits, unsigned high, unsigned low) {
    return (bits >> low) & ((1u << (high - low + 1)) - 1);
}

constexpr std::int64_t sign_extend(std::uint32_t value, unsigned width) {
    std::int64_t const sign = std::int64_t{1} << (width - 1);
    return (static_cast<std::int64_t>(value) ^ sign) - sign;
}

// The three-bit register fields of compressed instructions name x8...x15.
constexpr unsigned short_register(std::uint32_t bits) {
    return 8 + field(bits, 9, 7);
}

constexpr unsigned kStackPointer = 2;

std::optional<MemoryAccess> decode_wide(std::uint32_t bits) {
    unsigned const base = field(bits, 19, 15);
    unsigned const width = field(bits, 14, 12);
    switch (bits & 0x7f) {
        case 0x03:  // LOAD; widths 4...6 are the unsigned ones
        case 0x07:  // LOAD-FP
            return MemoryAccess{base, sign_extend(bits >> 20, 12), 1u << (width & 3), false};
        case 0x23:    // STORE
        case 0x27: {  // STORE-FP
            std::uint32_t const offset = (field(bits, 31, 25) << 5) | field(bits, 11, 7);
            return MemoryAccess{base, sign_extend(offset, 12), 1u << (width & 3), true};
        }
        case 0x2f: {  // AMO; funct5 00010 is lr
            bool const is_load_reserved = (bits >> 27) == 2;
            return MemoryAccess{base, 0, 1u << (width & 3), !is_load_reserved};
        }
        default:
            return std::nullopt;
    }
}

// Quadrant 0: c.fld c.lw c.ld c.fsd c.sw c.sd. Quadrant 2: the same relative to the stack pointer.
std::optional<MemoryAccess> decode_compressed(std::uint32_t bits) {
    unsigned const function = field(bits, 15, 13);
    if (function == 0 || function == 4) return std::nullopt;
    bool const stores = function >= 4;
    bool const is_word = function == 2 || function == 6;
    if ((bits & 3) == 0) {
        unsigned const middle = field(bits, 12, 10) << 3;
        if (is_word) {
            unsigned const offset = middle | (field(bits, 6, 6) << 2) | (field(bits, 5, 5) << 6);
            return MemoryAccess{short_register(bits), offset, 4, stores};
        }
        return MemoryAccess{short_register(bits), middle | (field(bits, 6, 5) << 6), 8, stores};
    }
    if ((bits & 3) != 2) return std::nullopt;
    if (stores) {
        unsigned const offset = is_word ? (field(bits, 12, 9) << 2) | (field(bits, 8, 7) << 6)
                                        : (field(bits, 12, 10) << 3) | (field(bits, 9, 7) << 6);
        return MemoryAccess{kStackPointer, offset, is_word ? 4u : 8u, true};
    }
    unsigned const top = field(bits, 12, 12) << 5;
    unsigned const offset = is_word ? top | (field(bits, 6, 4) << 2) | (field(bits, 3, 2) << 6)
                                    : top | (field(bits, 6, 5) << 3) | (field(bits, 4, 2) << 6);
    return MemoryAccess{kStackPointer, offset, is_word ? 4u : 8u, false};
}

}  // namespace

unsigned destination_of(std::uint32_t bits) {
    if (!is_compressed(bits)) {
        unsigned const opcode = bits & 0x7f;
        bool const none = opcode == 0x07 || opcode == 0x0f || opcode == 0x23 || opcode == 0x27;
        return none ? 0 : field(bits, 11, 7);
    }
    unsigned const function = field(bits, 15, 13);
    switch (bits & 3) {
        case 0:
            return function == 0 || function == 2 || function == 3 ? 8 + field(bits, 4, 2) : 0;
        case 1:
            return function == 4 ? short_register(bits) : field(bits, 11, 7);
        default:
            return function == 1 || function > 4 ? 0 : field(bits, 11, 7);
    }
}

std::optional<MemoryAccess> decode_memory_access(std::uint32_t bits) {
    return is_compressed(bits) ? decode_compressed(bits & 0xffff) : decode_wide(bits);
}

std::optional<CsrAccess> decode_csr_access(std::uint32_t bits) {
    unsigned const function = field(bits, 14, 12);
    if ((bits & 0x7f) != 0x73 || (function & 3) == 0) return std::nullopt;
    CsrAccess access;
    access.csr = bits >> 20;
    access.operation = (function & 3) == 1   ? CsrAccess::Operation::write
                       : (function & 3) == 2 ? CsrAccess::Operation::set
                                             : CsrAccess::Operation::clear;
    access.immediate = (function & 4) != 0;
    access.source = field(bits, 19, 15);
    access.destination = field(bits, 11, 7);
    return access;
}

namespace {

// Jumps, branches and whatever else may change the course of things.
bool ends_straight_code(std::uint32_t bits) {
    if (!is_compressed(bits)) {
        unsigned const opcode = bits & 0x7f;
        return opcode == 0x63 || opcode == 0x67 || opcode == 0x6f || opcode == 0x73;
    }
    unsigned const function = field(bits, 15, 13);
    if ((bits & 3) == 1) return function >= 5;                          // c.j c.beqz c.bnez
    return (bits & 3) == 2 && function == 4 && field(bits, 6, 2) == 0;  // c.jr c.jalr c.ebreak
}

// What the registers of straight code hold, as far as can be known without running it.
class StraightCode {
  public:
    void begin() {
        loaded_.clear();
        for (Value& each : registers_) each = unknown();
        registers_[0] = {true, 0};
    }

    // True for a store to a word that was loaded since begin().
    bool is_update(std::uint32_t bits, VirtAddr pc) {
        auto const access = decode_memory_access(bits);
        bool updates = false;
        if (access && access->base != kStackPointer) {
            Value word = registers_[access->base];
            word.number += static_cast<std::uint64_t>(access->offset);
            if (access->stores)
                updates = std::ranges::find(loaded_, word) != loaded_.end();
            else
                loaded_.push_back(word);
        }
        if (unsigned const written = destination_of(bits); written != 0) registers_[written] = result(bits, pc);
        return updates;
    }

  private:
    // An address; or a number that stands for one, where neighbours are a little apart.
    struct Value {
        bool known = false;
        std::uint64_t number = 0;
        bool operator==(Value const&) const = default;
    };
    Value unknown() {
        constexpr std::uint64_t kApart = std::uint64_t{1} << 16;
        return {false, names_ += kApart};
    }
    Value result(std::uint32_t bits, VirtAddr pc) {
        auto const upper = static_cast<std::uint64_t>(sign_extend(bits & 0xfffff000, 32));
        bool const is_addi = (bits & 0x707f) == 0x13;
        if (is_compressed(bits)) {
            auto const move = decode_move(bits);
            return move ? registers_[move->from] : unknown();
        }
        if ((bits & 0x7f) == 0x17) return {true, pc.value + upper};
        if ((bits & 0x7f) == 0x37) return {true, upper};
        if (!is_addi) return unknown();
        Value value = registers_[field(bits, 19, 15)];
        value.number += static_cast<std::uint64_t>(sign_extend(bits >> 20, 12));
        return value;
    }

    std::array<Value, 32> registers_{};
    std::vector<Value> loaded_;
    std::uint64_t names_ = 0;
};

}  // namespace

std::vector<std::uint64_t> find_updates(std::span<std::byte const> code, VirtAddr at) {
    std::vector<std::uint64_t> found;
    StraightCode straight;
    straight.begin();
    for (std::size_t offset = 0; offset + 2 <= code.size();) {
        auto const bits = static_cast<std::uint32_t>(
            load_little_endian(code.subspan(offset, std::min<std::size_t>(4, code.size() - offset))));
        if (straight.is_update(bits, at + offset)) found.push_back(offset);
        if (ends_straight_code(bits)) straight.begin();
        offset += is_compressed(bits) ? 2U : 4U;
    }
    return found;
}

std::optional<Branch> decode_branch(std::uint32_t bits) {
    using If = Branch::If;
    if (!is_compressed(bits)) {
        if ((bits & 0x7f) != 0x63) return std::nullopt;
        std::uint32_t const offset = (field(bits, 31, 31) << 12) | (field(bits, 7, 7) << 11) |
                                     (field(bits, 30, 25) << 5) | (field(bits, 11, 8) << 1);
        unsigned const function = field(bits, 14, 12);
        return Branch{function == 0   ? If::equal
                      : function == 1 ? If::unequal
                                      : If::other,
                      field(bits, 19, 15), field(bits, 24, 20), sign_extend(offset, 13)};
    }
    if ((bits & 3) != 1 || field(bits, 15, 13) < 6) return std::nullopt;  // c.beqz c.bnez
    std::uint32_t const offset = (field(bits, 12, 12) << 8) | (field(bits, 6, 5) << 6) | (field(bits, 2, 2) << 5) |
                                 (field(bits, 11, 10) << 3) | (field(bits, 4, 3) << 1);
    return Branch{field(bits, 15, 13) == 6 ? If::equal : If::unequal, short_register(bits), 0, sign_extend(offset, 9)};
}

std::optional<std::int64_t> decode_jump(std::uint32_t bits) {
    if (!is_compressed(bits)) {
        if ((bits & 0xfff) != 0x6f) return std::nullopt;
        std::uint32_t const offset = (field(bits, 31, 31) << 20) | (field(bits, 19, 12) << 12) |
                                     (field(bits, 20, 20) << 11) | (field(bits, 30, 21) << 1);
        return sign_extend(offset, 21);
    }
    if ((bits & 0xe003) != 0xa001) return std::nullopt;
    std::uint32_t const offset = (field(bits, 12, 12) << 11) | (field(bits, 8, 8) << 10) | (field(bits, 10, 9) << 8) |
                                 (field(bits, 6, 6) << 7) | (field(bits, 7, 7) << 6) | (field(bits, 2, 2) << 5) |
                                 (field(bits, 11, 11) << 4) | (field(bits, 5, 3) << 1);
    return sign_extend(offset, 12);
}

std::optional<RegisterMove> decode_move(std::uint32_t bits) {
    bool const is_move = is_compressed(bits) && (bits & 0xf003) == 0x8002 && field(bits, 6, 2) != 0;
    if (!is_move) return std::nullopt;
    return RegisterMove{field(bits, 11, 7), field(bits, 6, 2)};
}

std::optional<Increment> decode_increment(std::uint32_t bits) {
    if (is_compressed(bits)) {
        unsigned const to = field(bits, 11, 7);
        if ((bits & 0xe003) != 1 || to == 0) return std::nullopt;
        return Increment{to, sign_extend((field(bits, 12, 12) << 5) | field(bits, 6, 2), 6)};
    }
    unsigned const to = field(bits, 11, 7);
    if ((bits & 0x707f) != 0x13 || to == 0 || to == kStackPointer || field(bits, 19, 15) != to) return std::nullopt;
    return Increment{to, sign_extend(bits >> 20, 12)};
}

std::optional<Mask> decode_mask(std::uint32_t bits) {
    if (is_compressed(bits)) {
        bool const is_mask = (bits & 0xec03) == 0x8801;  // c.andi
        return is_mask ? std::optional(Mask{short_register(bits), short_register(bits)}) : std::nullopt;
    }
    if ((bits & 0x707f) != 0x7013) return std::nullopt;
    return Mask{field(bits, 11, 7), field(bits, 19, 15)};
}

bool is_ebreak(std::uint32_t bits) {
    return is_compressed(bits) ? (bits & 0xffff) == 0x9002 : bits == 0x00100073;
}

}  // namespace vmcheck::board
