# The files of this directory that kernels and user programs are made of. CMakeLists.txt refuses to go on when one is not
# listed, so that nothing is left out of a rebuild.

set(kernel_sources
    base/memory.cpp
    base/panic.cpp
    base/print.cpp
    devices/console.cpp
    devices/plic.cpp
    devices/timer.cpp
    devices/uart.cpp
    devices/virtio_disk.cpp
    files/block_cache.cpp
    files/file.cpp
    files/inode.cpp
    files/pipe.cpp
    main.cpp
    memory/address_space.cpp
    memory/fork.cpp
    memory/frames.cpp
    memory/heap.cpp
    memory/kernel_table.cpp
    memory/page_table.cpp
    memory/resolve.cpp
    memory/user_copy.cpp
    process/argument_page.cpp
    process/exec.cpp
    process/lifecycle.cpp
    process/process.cpp
    process/scheduler.cpp
    riscv/entry.S
    riscv/kernel_vector.S
    riscv/start_machine.cpp
    riscv/switch_context.S
    riscv/trampoline.S
    sync/sleep_lock.cpp
    sync/spin_lock.cpp
    syscall/file_calls.cpp
    syscall/process_calls.cpp
    syscall/syscall.cpp
    trap/trap.cpp)

set(kernel_headers
    base/address.h
    base/memory.h
    base/panic.h
    base/print.h
    base/utility.h
    config.h
    devices/console.h
    devices/plic.h
    devices/timer.h
    devices/uart.h
    devices/virtio_disk.h
    devices/virtio_queue.h
    files/block_cache.h
    files/disk_format.h
    files/file.h
    files/inode.h
    files/pipe.h
    memory/address_space.h
    memory/frame_ref.h
    memory/frames.h
    memory/kernel_table.h
    memory/page_table.h
    process/argument_page.h
    process/elf.h
    process/exec.h
    process/kernel_stacks.h
    process/lifecycle.h
    process/process.h
    process/scheduler.h
    riscv/csr.h
    riscv/layout.h
    riscv/sv39.h
    riscv/trapframe.h
    sync/sleep_lock.h
    sync/spin_lock.h
    syscall/numbers.h
    syscall/syscall.h
    trap/trap.h)

# What every user program is linked with.
set(user_sources
    base/memory.cpp
    user/check.cpp
    user/start.S)

set(user_headers
    user/check.h
    user/system.h)

# One program each.
set(user_programs
    user/smoke.cpp
    user/stress.cpp)
