#include "impl/agent/agent.h"

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

std::span<std::byte const> elf_file() {
    return {vmcheck_agent_elf_start, vmcheck_agent_elf_end};
}

}  // namespace vmcheck::agent
