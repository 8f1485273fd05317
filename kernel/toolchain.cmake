# How guest code is compiled: freestanding C++20 for RV64 without floating point (the kernel leaves it off).
set(guest_flags
    -std=c++20 -ffreestanding -nostdlib -O2
    -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -fno-pic
    -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit
    -fno-builtin -fno-tree-loop-distribute-patterns   # memset must not be compiled into a call of memset
    -fno-stack-protector -fno-asynchronous-unwind-tables
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor -Werror
    -Wl,--build-id=none -Wl,--fatal-warnings -Wl,-z,max-page-size=4096)

# Kernels also: debugging information, from which vmcheck learns where members lie, and frame pointers, so that it can
# say who called whom.
set(kernel_flags -g -fno-omit-frame-pointer -fno-optimize-sibling-calls)
