#pragma once
// The parts of the ELF format (System V ABI, "Object Files" and "Program Loading") that exec needs: 64-bit,
// little-endian, RISC-V.

#include <stdint.h>

namespace kernel {

struct ElfHeader {
    uint8_t magic[4];
    uint8_t elf_class;
    uint8_t data_encoding;
    uint8_t padding[10];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t program_headers_offset;
    uint64_t section_headers_offset;
    uint32_t flags;
    uint16_t header_bytes;
    uint16_t program_header_bytes;
    uint16_t program_headers;
    uint16_t section_header_bytes;
    uint16_t section_headers;
    uint16_t section_names;
};
static_assert(sizeof(ElfHeader) == 64);

struct ElfProgramHeader {
    uint32_t type;
    uint32_t flags;
    uint64_t file_offset;
    uint64_t virtual_address;
    uint64_t physical_address;
    uint64_t file_bytes;
    uint64_t memory_bytes;
    uint64_t alignment;
};
static_assert(sizeof(ElfProgramHeader) == 56);

inline constexpr uint8_t kElfClass64 = 2;
inline constexpr uint8_t kElfLittleEndian = 1;
inline constexpr uint16_t kElfMachineRiscv = 243;
inline constexpr uint32_t kElfLoad = 1;
inline constexpr uint32_t kElfExecutable = 1;
inline constexpr uint32_t kElfWritable = 2;

}  // namespace kernel
