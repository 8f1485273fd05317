#pragma once
// The system calls that a kernel has, by its own table: `syscalls`, an array of functions sys_<name> by number
// (xv6 kernel/syscall.c).

#include "impl/elf/kernel_image.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace vmcheck::map {

using SystemCalls = std::map<std::string, std::uint64_t, std::less<>>;  // the number of each name

// Empty where the image has no such table, or one that is filled at run time.
SystemCalls system_calls(elf::KernelImage const& image);

}  // namespace vmcheck::map
