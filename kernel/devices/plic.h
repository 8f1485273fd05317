#pragma once
// The platform-level interrupt controller (RISC-V PLIC specification): which device wants attention.

#include <stdint.h>

namespace kernel {

// Interrupt sources of QEMU's `virt` machine.
inline constexpr uint32_t kNoInterrupt = 0;
inline constexpr uint32_t kVirtioDiskInterrupt = 1;
inline constexpr uint32_t kUartInterrupt = 10;

// Lets the devices that we use interrupt this hart in supervisor mode. Once on each hart, at boot.
void initialize_plic();

// Takes the pending interrupt of highest priority; kNoInterrupt when there is none. Its device is silent until
// plic_complete().
uint32_t plic_claim();
void plic_complete(uint32_t interrupt);

}  // namespace kernel
