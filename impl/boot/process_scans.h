#pragma once
// Loops over the kernel's table of processes in which most of them are nothing but time (board::TableScan).

#include "impl/board/types.h"
#include "impl/elf/kernel_image.h"
#include "impl/map/kernel_map.h"

#include <vector>

namespace vmcheck {

// Those of xv6's wakeup and scheduler, where their code does about an idle element what all its trees from 2020 to
// 2025 do: acquire its lock, look at its state, release the lock, and go on to the next one, with the element in a
// register that is kept over calls. The way is followed instruction by instruction; where a student's code does
// anything else on it, or the compiler was told to do otherwise (-O0), every slot is looked at by the guest. What
// acquire and release do about a lock that nobody holds is not looked at: a panic of theirs comes when the slot is
// used.
std::vector<board::TableScan> find_process_scans(elf::KernelImage const& image, map::KernelMap const& map);

}  // namespace vmcheck
