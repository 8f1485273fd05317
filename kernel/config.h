#pragma once
// Build switches and limits. The two policies are chosen on the compiler's command line, so that one source tree gives
// four kernels:
//
//     -DKERNEL_FORK=eager | copy_on_write      when fork copies the parent's pages
//     -DKERNEL_SBRK=eager | lazy               when sbrk finds memory for a larger heap

#include <stddef.h>
#include <stdint.h>

#ifndef KERNEL_FORK
#define KERNEL_FORK copy_on_write
#endif
#ifndef KERNEL_SBRK
#define KERNEL_SBRK lazy
#endif

namespace kernel {

enum class ForkPolicy { eager, copy_on_write };
enum class SbrkPolicy { eager, lazy };

inline constexpr ForkPolicy kForkPolicy = ForkPolicy::KERNEL_FORK;
inline constexpr SbrkPolicy kSbrkPolicy = SbrkPolicy::KERNEL_SBRK;

inline constexpr size_t kProcessesMax = 64;
inline constexpr size_t kHartsMax = 8;
inline constexpr size_t kFilesPerProcessMax = 16;
inline constexpr size_t kOpenFilesMax = 100;
inline constexpr size_t kPathBytesMax = 128;  // with the final zero
inline constexpr size_t kArgumentsMax = 31;
inline constexpr size_t kKernelStackPages = 3;
inline constexpr uint64_t kTimerTicksPerInterrupt = 1'000'000;  // 100 ms at the 10 MHz of QEMU's `virt`

}  // namespace kernel
