#pragma once
// The stacks on which processes run in the kernel: one for each slot of the process table, for good, so that a fork
// needs no memory for it. A stack that grows too far meets its guard page, which the kernel's page table leaves out.

#include "base/address.h"
#include "config.h"

namespace kernel {

struct alignas(kPageBytes) KernelStack {
    uint8_t guard[kPageBytes];
    uint8_t usable[kKernelStackPages * kPageBytes];
};
extern KernelStack kernel_stacks[kProcessesMax];

}  // namespace kernel
