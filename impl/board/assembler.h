#pragma once
// A few RV64 instructions as numbers, for programs of a handful of instructions (RISC-V unprivileged spec, "RV32/64G
// Instruction Set Listings").

#include <cstdint>

namespace vmcheck::board::assembler {

inline constexpr std::uint32_t ecall = 0x00000073;
inline constexpr std::uint32_t ebreak = 0x00100073;
inline constexpr std::uint32_t wfi = 0x10500073;
inline constexpr std::uint32_t mret = 0x30200073;
inline constexpr std::uint32_t fence_i = 0x0000100f;
inline constexpr std::uint32_t sfence_vma = 0x12000073;  // of everything
inline constexpr std::uint32_t ret = 0x00008067;
inline constexpr std::uint32_t loop = 0x0000006f;                // j .
inline constexpr std::uint32_t two_illegal_halves = 0x00000000;  // each is an illegal instruction of two bytes

constexpr std::uint32_t li(unsigned rd, unsigned value) {
    return 0x13 | (rd << 7) | ((value & 0xfff) << 20);
}
constexpr std::uint32_t addi(unsigned rd, unsigned rs, unsigned value) {
    return li(rd, value) | (rs << 15);
}
constexpr std::uint32_t jalr(unsigned rd, unsigned rs) {
    return 0x67 | (rd << 7) | (rs << 15);
}
constexpr std::uint32_t ld(unsigned rd, unsigned rs) {
    return 0x3003 | (rd << 7) | (rs << 15);
}
constexpr std::uint32_t sd(unsigned value, unsigned rs) {
    return 0x3023 | (value << 20) | (rs << 15);
}
constexpr std::uint32_t sw(unsigned value, unsigned rs) {
    return 0x2023 | (value << 20) | (rs << 15);
}
constexpr std::uint32_t lw(unsigned rd, unsigned rs, unsigned offset) {
    return 0x2003 | (rd << 7) | (rs << 15) | (offset << 20);
}
// Backwards, by less than 32 bytes.
constexpr std::uint32_t bne_back(unsigned one, unsigned other, unsigned bytes) {
    return 0xfe001063 | (one << 15) | (other << 20) | (((32 - bytes) & 0x1e) << 7) | 0x80;
}
constexpr std::uint32_t csrr(unsigned rd, unsigned csr) {
    return 0x2073 | (rd << 7) | (csr << 20);
}
constexpr std::uint32_t csrw(unsigned csr, unsigned rs) {
    return 0x1073 | (rs << 15) | (csr << 20);
}

}  // namespace vmcheck::board::assembler
