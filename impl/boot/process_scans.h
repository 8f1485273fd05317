#pragma once
// Loops over the kernel's table of processes in which an unused one is nothing but time (board::TableScan).

#include "impl/board/types.h"
#include "impl/elf/kernel_image.h"
#include "impl/map/kernel_map.h"

#include <vector>

namespace vmcheck {

// Those of xv6's wakeup and scheduler, where their code is of the shape that all its trees from 2020 to 2025 have: one
// loop, which calls acquire with the element, reads its state and at most one more of its members, and writes its state
// alone. Empty where a student has changed them: every slot is then looked at by the guest.
std::vector<board::TableScan> find_process_scans(elf::KernelImage const& image, map::KernelMap const& map);

}  // namespace vmcheck
