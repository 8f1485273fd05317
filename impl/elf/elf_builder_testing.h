#pragma once
// Makes small ELF files for tests, byte by byte, so that each field can be made wrong on purpose.

#include "spec/address.h"

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vmcheck::elf::testing {

struct BuiltSegment {
    std::uint64_t address = 0x80000000;
    std::uint64_t file_bytes = 0x100;
    std::uint64_t memory_bytes = 0x200;
    std::uint32_t flags = PF_R | PF_W | PF_X;
    std::uint32_t type = PT_LOAD;
};

struct BuiltSymbol {
    std::string name;
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
    unsigned type = STT_FUNC;
};

// A file with these parts; the rest is filled in as it must be. Segment i is filled with the byte i + 1.
struct ElfBuilder {
    std::uint64_t entry = 0x80000000;
    std::uint16_t type = ET_EXEC;
    std::uint16_t machine = EM_RISCV;
    unsigned char elf_class = ELFCLASS64;
    unsigned char data = ELFDATA2LSB;
    std::vector<BuiltSegment> segments{BuiltSegment{}};
    std::vector<BuiltSymbol> symbols{};

    // The order in the file: ELF header, program headers, segments, symbols, strings, section headers.
    std::vector<std::byte> build() const;
};

}  // namespace vmcheck::elf::testing
