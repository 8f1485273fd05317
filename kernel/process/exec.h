#pragma once

#include "process/argument_page.h"

namespace kernel {

// Replaces the current process's address space by that of the program in file `path`, whose memory is
//
//     the ELF file's segments | guard page | stack page | heap (empty)
//
// Returns the number of arguments, for a0; a1, sp and the program counter are set. On failure (no such file, not a
// program, memory exhausted) returns -1, and nothing has changed.
int exec_program(char const* path, ArgumentPage& arguments);

}  // namespace kernel
