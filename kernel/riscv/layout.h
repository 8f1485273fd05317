/* Where things lie: the addresses that assembly, the linker and C++ must agree on.

   Physical (QEMU `virt` machine, hw/riscv/virt.c):

       0x0200_0000  CLINT      machine-mode timer, where the kernel is built for it (config.h)
       0x0c00_0000  PLIC       interrupt controller
       0x1000_0000  UART       console
       0x1000_1000  virtio     the first virtio-mmio slot: the disk
       0x8000_0000  RAM        the kernel, then the frames that it hands out, to 0x8800_0000

   Virtual, user:                                    Virtual, kernel:

       2^38     +--------------+                     2^38     +--------------+
                | trampoline   |  R X                         | trampoline   |  R X
                +--------------+                              +--------------+
                | trapframe    |  R W                         | (nothing)    |
                +--------------+                              |              |
                | (nothing)    |                              +--------------+ 0x8800_0000
       break    +--------------+                              | frames       |  R W
                | heap         |  R W U                       +--------------+
                +--------------+                              | kernel       |  R X, R, R W
                | stack, 1 page|  R W U                       +--------------+ 0x8000_0000
                +--------------+                              | devices      |  R W
                | guard page   |  R, no U                     +--------------+
                +--------------+                              | (nothing)    |
                | image (ELF)  |  R [W] [X] U                 |              |
       0        +--------------+                     0        +--------------+
*/
#pragma once

#define LAYOUT_HARTS_MAX 8

#define LAYOUT_RAM_START 0x80000000
#define LAYOUT_RAM_BYTES 0x8000000 /* 128 MiB */

#define LAYOUT_MAXVA 0x4000000000 /* 2^38: half of Sv39's range, so that no address needs sign extension */
#define LAYOUT_TRAMPOLINE (LAYOUT_MAXVA - 0x1000)
#define LAYOUT_TRAPFRAME (LAYOUT_MAXVA - 0x2000)

/* Offsets in struct Trapframe; register xN lies at 8 * N, and the slot of x0 holds the program counter. */
#define TRAPFRAME_KERNEL_SATP 256
#define TRAPFRAME_KERNEL_STACK 264
#define TRAPFRAME_KERNEL_ENTRY 272
#define TRAPFRAME_KERNEL_HART 280

/* Offsets in struct MachineTimer (start_machine.cpp). */
#define MACHINE_TIMER_SAVED 0
#define MACHINE_TIMER_NOW 16
#define MACHINE_TIMER_COMPARE 24
#define MACHINE_TIMER_INTERVAL 32

#ifndef __ASSEMBLER__
#include "base/address.h"

namespace kernel {

inline constexpr size_t kHartsMax = LAYOUT_HARTS_MAX;

inline constexpr PhysAddr kRamStart{LAYOUT_RAM_START};
inline constexpr PhysAddr kRamEnd{LAYOUT_RAM_START + LAYOUT_RAM_BYTES};

inline constexpr PhysAddr kClint{0x02000000};
inline constexpr PhysAddr kPlic{0x0c000000};
inline constexpr uint64_t kPlicBytes = 0x4000000;
inline constexpr PhysAddr kUart{0x10000000};
inline constexpr PhysAddr kVirtioDisk{0x10001000};

inline constexpr VirtAddr kMaxVirtAddr{LAYOUT_MAXVA};
inline constexpr VirtAddr kTrampoline{LAYOUT_TRAMPOLINE};
inline constexpr VirtAddr kTrapframe{LAYOUT_TRAPFRAME};

}  // namespace kernel

/* Set by the linker script. */
extern "C" {
extern char kernel_text_end[];
extern char kernel_rodata_end[];
extern char kernel_end[];
extern char trampoline_start[];
}
#endif
