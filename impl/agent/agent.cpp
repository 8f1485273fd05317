#include "impl/agent/agent.h"

#include "spec/bytes.h"

#include <span>

// The build assembles and links the agent first and says where the file is.
asm(R"(
    .section .rodata
    .balign 8
    .globl vmcheck_agent_elf_start, vmcheck_agent_elf_end
vmcheck_agent_elf_start:
    .incbin ")" VMCHECK_AGENT_ELF R"("
vmcheck_agent_elf_end:
    .previous
)");

extern "C" std::byte const vmcheck_agent_elf_start[];
extern "C" std::byte const vmcheck_agent_elf_end[];

namespace vmcheck::agent {

namespace {

// Of the ELF header and of a program header (ELF-64: Elf64_Ehdr, Elf64_Phdr).
constexpr std::size_t kHeaderBytes = 64, kHeaderCountAt = 56, kProgramHeaderBytes = 56, kFileSizeAt = 32,
                      kMemorySizeAt = 40;
constexpr std::size_t kSegments = 6, kSegmentsOfInit = 4;

}  // namespace

std::vector<std::byte> elf_file(spec::Executable program) {
    std::vector<std::byte> file(vmcheck_agent_elf_start, vmcheck_agent_elf_end);
    std::span const bytes{file};
    if (program == spec::Executable::init) store_little_endian(bytes.subspan(kHeaderCountAt, 2), kSegmentsOfInit);
    if (program == spec::Executable::broken) {
        auto const last = bytes.subspan(kHeaderBytes + (kSegments - 1) * kProgramHeaderBytes, kProgramHeaderBytes);
        store_little_endian(last.subspan(kMemorySizeAt, 8), load_little_endian(last.subspan(kFileSizeAt, 8)) - 1);
    }
    return file;
}

VirtAddr ask() {
    constexpr std::uint64_t kEcall = 0x73;
    std::span const file(vmcheck_agent_elf_start, vmcheck_agent_elf_end);
    // The code is the first segment (Elf64_Phdr: p_offset at 8); its first ecall is this one.
    std::uint64_t const start = load_little_endian(file.subspan(kHeaderBytes + 8, 8));
    std::uint64_t at = 0;
    while (load_little_endian(file.subspan(start + at, 4)) != kEcall) at += 4;
    return kCode + at;
}

}  // namespace vmcheck::agent
