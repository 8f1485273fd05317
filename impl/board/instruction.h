#pragma once
// Decodes the few instructions that the board has to understand itself: those that touch memory (Unicorn tells only the
// page of a fault), CSR accesses (it lacks some CSRs) and ebreak.
// Encodings: RISC-V unprivileged spec, chapters "RV32I", "A", "C", and its opcode listings.

#include <cstdint>
#include <optional>

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

// Whether the instruction whose first 16 bits these are is 16 bits long.
constexpr bool is_compressed(std::uint32_t bits) {
    return (bits & 3) != 3;
}

}  // namespace vmcheck::board
