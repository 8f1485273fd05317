#include "impl/program/launcher.h"

// The build links the launcher first and says where the file is.
asm(R"(
    .section .rodata
    .balign 8
    .globl vmcheck_launcher_elf_start, vmcheck_launcher_elf_end
vmcheck_launcher_elf_start:
    .incbin ")" VMCHECK_LAUNCHER_ELF R"("
vmcheck_launcher_elf_end:
    .previous
)");

extern "C" std::byte const vmcheck_launcher_elf_start[];
extern "C" std::byte const vmcheck_launcher_elf_end[];

namespace vmcheck::program {

std::span<std::byte const> launcher_file() {
    return {vmcheck_launcher_elf_start, vmcheck_launcher_elf_end};
}

}  // namespace vmcheck::program
