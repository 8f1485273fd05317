#pragma once
// Build switches and limits. The switches are chosen on the compiler's command line, so that one source tree gives
// kernels of several policies and vintages (vintages.cmake names the combinations that are built):
//
//     -DKERNEL_FORK=eager | copy_on_write          when fork copies the parent's pages
//     -DKERNEL_SBRK=eager | lazy | by_argument     when sbrk finds memory for a larger heap; by_argument: as sbrk's
//                                                  second argument says (xv6-riscv of 2025)
//     -DKERNEL_TIMER=sstc | clint                  the hart's own timer, or the CLINT's by way of machine mode
//     -DKERNEL_DISK=modern | legacy                the virtio-mmio registers that the disk is driven by
//     -DKERNEL_USER_PAGES=by_segment | all_rights  R, W, X of user pages: as the program asks for, or all three
//     -DKERNEL_FIRST_PROCESS=init | small_program  what the first process begins with: /init, or a program in the
//                                                  kernel that executes /init
//     -DKERNEL_UART=polled | interrupts            how write() to the console waits until the UART can send
//     -DKERNEL_PMP=opened | untouched              physical memory protection at boot

#include <stddef.h>
#include <stdint.h>

#ifndef KERNEL_FORK
#define KERNEL_FORK copy_on_write
#endif
#ifndef KERNEL_SBRK
#define KERNEL_SBRK lazy
#endif
#ifndef KERNEL_TIMER
#define KERNEL_TIMER sstc
#endif
#ifndef KERNEL_DISK
#define KERNEL_DISK modern
#endif
#ifndef KERNEL_USER_PAGES
#define KERNEL_USER_PAGES by_segment
#endif
#ifndef KERNEL_FIRST_PROCESS
#define KERNEL_FIRST_PROCESS init
#endif
#ifndef KERNEL_UART
#define KERNEL_UART polled
#endif
#ifndef KERNEL_PMP
#define KERNEL_PMP opened
#endif

namespace kernel {

enum class ForkPolicy { eager, copy_on_write };
enum class SbrkPolicy { eager, lazy, by_argument };
enum class TimerSource { sstc, clint };
enum class DiskRegisters { modern, legacy };
enum class UserPages { by_segment, all_rights };
enum class FirstProcess { init, small_program };
enum class UartSending { polled, interrupts };
enum class MemoryProtection { opened, untouched };

inline constexpr ForkPolicy kForkPolicy = ForkPolicy::KERNEL_FORK;
inline constexpr SbrkPolicy kSbrkPolicy = SbrkPolicy::KERNEL_SBRK;
inline constexpr TimerSource kTimerSource = TimerSource::KERNEL_TIMER;
inline constexpr DiskRegisters kDiskRegisters = DiskRegisters::KERNEL_DISK;
inline constexpr UserPages kUserPages = UserPages::KERNEL_USER_PAGES;
inline constexpr FirstProcess kFirstProcess = FirstProcess::KERNEL_FIRST_PROCESS;
inline constexpr UartSending kUartSending = UartSending::KERNEL_UART;
inline constexpr MemoryProtection kMemoryProtection = MemoryProtection::KERNEL_PMP;

inline constexpr size_t kProcessesMax = 64;
inline constexpr size_t kFilesPerProcessMax = 16;
inline constexpr size_t kOpenFilesMax = 100;
inline constexpr size_t kPathBytesMax = 128;  // with the final zero
inline constexpr size_t kArgumentsMax = 31;
inline constexpr size_t kKernelStackPages = 3;
inline constexpr uint64_t kTimerTicksPerInterrupt = 1'000'000;  // 100 ms at the 10 MHz of QEMU's `virt`

}  // namespace kernel
