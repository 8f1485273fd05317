#pragma once
// Addresses and values as a student would write them in C, on xv6. Names that stand for regions: heap, stack, guard,
// text, rodata, data, bss (char pointers or arrays); the rest are constants of kernel/riscv.h and kernel/memlayout.h.

#include "spec/program.h"

#include <cstdint>
#include <string>

namespace vmcheck::report {

// A char pointer: "heap", "heap + 8", "heap + 3*PGSIZE", "(char *)TRAPFRAME", "sbrk(0) - 1", "(char *)0x80000000L".
std::string c_pointer(spec::Address const& address);

// "7", "0x41424344", "0xdeadbeefdeadbeefUL".
std::string c_value(std::uint64_t value);

// An amount of bytes with its sign: "4096" is "PGSIZE", "-2*PGSIZE", "5".
std::string c_amount(std::int64_t bytes);

// Whether an amount or an offset is written with PGSIZE, of kernel/riscv.h.
bool is_in_pages(std::int64_t bytes);

// xv6's type of that many bytes: uchar, ushort, uint, uint64. REQUIRES: 1, 2, 4 or 8.
char const* c_type(unsigned bytes);

}  // namespace vmcheck::report
