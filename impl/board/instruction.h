#pragma once
// Decodes the few instructions that the board has to understand itself: those that touch memory (Unicorn tells only the
// page of a fault), CSR accesses (it lacks some CSRs) and ebreak.
// Encodings: RISC-V unprivileged spec, chapters "RV32I", "A", "C", and its opcode listings.

#include "spec/address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vmcheck::board {

// A load, store or atomic: its address is the base register plus the offset.
struct MemoryAccess {
    unsigned base = 0;        // register number
    std::int64_t offset = 0;  // bytes
    unsigned size = 0;        // bytes: 1, 2, 4 or 8
    bool stores = false;      // stores and atomics other than lr, whose faults are store/AMO faults
};

// `bits` holds the instruction in its low 16 or 32 bits.
std::optional<MemoryAccess> decode_memory_access(std::uint32_t bits);

struct CsrAccess {
    enum class Operation { write, set, clear };
    unsigned csr = 0;
    Operation operation = Operation::write;
    bool immediate = false;  // the source is the number `source`, not register `source`
    unsigned source = 0;
    unsigned destination = 0;
    // csrrs and csrrc with x0 or 0 as source do not write at all (Zicsr).
    bool writes() const { return operation == Operation::write || source != 0; }
};
std::optional<CsrAccess> decode_csr_access(std::uint32_t bits);

bool is_ebreak(std::uint32_t bits);

// A conditional branch.
struct Branch {
    enum class If : std::uint8_t { equal, unequal, other };  // other: an order
    If taken_if = If::other;
    unsigned one = 0, another = 0;  // registers that are compared
    std::int64_t offset = 0;        // where it leads if it is taken, relative to itself
    bool compares(unsigned number) const { return one == number || another == number; }
};
std::optional<Branch> decode_branch(std::uint32_t bits);

// Of a jump without a condition and without a link (j, c.j): where it leads, relative to itself.
std::optional<std::int64_t> decode_jump(std::uint32_t bits);

// The integer register that is written; 0: none.
unsigned destination_of(std::uint32_t bits);

// `mv rd, rs`, as compilers write it (c.mv).
struct RegisterMove {
    unsigned to = 0, from = 0;
};
std::optional<RegisterMove> decode_move(std::uint32_t bits);

// `addi rd, rd, n`: a register and what is added to it. Not of the stack pointer.
struct Increment {
    unsigned to = 0;
    std::int64_t by = 0;
};
std::optional<Increment> decode_increment(std::uint32_t bits);

// `andi rd, rs, n`: a register, and that of which it is given some bits.
struct Mask {
    unsigned to = 0, from = 0;
};
std::optional<Mask> decode_mask(std::uint32_t bits);

// The stores by which straight code (without a jump in it) writes back to a word that it has loaded, as in count++:
// where they are, by their distance from the start of `code`, which lies at `at`. Words relative to the stack pointer
// are a function's own, and left out.
std::vector<std::uint64_t> find_updates(std::span<std::byte const> code, VirtAddr at);

// Whether the instruction whose first 16 bits these are is 16 bits long.
constexpr bool is_compressed(std::uint32_t bits) {
    return (bits & 3) != 3;
}

}  // namespace vmcheck::board
