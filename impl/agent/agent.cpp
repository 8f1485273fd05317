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

}  // namespace vmcheck::agent
