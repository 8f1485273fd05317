#pragma once
// One number for the state of a whole machine.

#include "impl/board/machine.h"

#include <cstdint>

namespace vmcheck::board {

// 64-bit XXH3 over RAM, registers, devices, disk and virtual time. What only serves reports is left out.
std::uint64_t hash_of(Machine const& machine);

}  // namespace vmcheck::board
