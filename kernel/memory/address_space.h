#pragma once
// What one process can address (drawn in riscv/layout.h): the image of its program, its stack, its heap up to the
// break, and at the top the trapframe and the trampoline. The whole of copy-on-write fork and of lazy sbrk is behind
// this interface; where they happen:
//
//     fork.cpp      sharing or copying a parent's pages                        (kForkPolicy)
//     heap.cpp      moving the break                                            (kSbrkPolicy)
//     resolve.cpp   the first touch of a reserved page, the first store to a shared one
//     user_copy.cpp the kernel's own reading and writing of user memory, by way of resolve()
//
// A leaf entry of a user page owns one reference to its frame, so a frame's count is the number of entries that map it.
// No fence is needed after a change: see riscv/trampoline.S.

#include "memory/frame_ref.h"
#include "memory/page_table.h"
#include "riscv/trapframe.h"

namespace kernel {

enum class Access { load, store, execute };

// What becomes of a heap that grows: its pages are mapped at once, or reserved until they are touched.
enum class Growth { mapped, reserved };

class AddressSpace {
  public:
    // No address space.
    constexpr AddressSpace() = default;

    // One with the trampoline and this trapframe, and no user page. None when memory is exhausted.
    static AddressSpace create(FrameRef trapframe);

    AddressSpace(AddressSpace&& other) { *this = move(other); }
    AddressSpace& operator=(AddressSpace&& other);
    // Gives everything back: user pages, trapframe, tables.
    ~AddressSpace();

    explicit operator bool() const { return static_cast<bool>(table_); }
    PhysAddr root() const { return table_.root(); }
    VirtAddr program_break() const { return program_break_; }
    // One reference more to the trapframe, for an address space that is to replace this one.
    FrameRef share_trapframe() const;

    // Adds a page of the program's image (exec), upwards; the heap begins behind the last. False when memory is
    // exhausted or the page does not lie behind the last one and below the trapframe.
    bool add_image_page(VirtAddr page, FrameRef frame, Rights rights);

    // A copy for a child, with its own trapframe. None when memory is exhausted.
    AddressSpace fork(FrameRef trapframe);

    // Moves the break by `change` bytes. False, with nothing changed, when there is no room for it above or below, or
    // no memory for pages that are to be mapped. REQUIRES: no growth is `reserved` where kSbrkPolicy is eager.
    bool move_break(int64_t change, Growth growth);

    // The byte that the process means by `address`, ready for that access: reserved pages get a zeroed frame, shared
    // ones a copy. None when the process has no right to it, or memory is exhausted.
    PhysAddr resolve(VirtAddr address, Access access);

    // Copy between kernel and user memory, in order; return how many bytes could be copied before the first that the
    // process has no right to (or has no memory for).
    size_t copy_out(VirtAddr to, void const* from, size_t bytes);
    size_t copy_in(void* to, VirtAddr from, size_t bytes);

    // Copies a string with its final zero. False when it does not end within `bytes_max` or cannot be read to its end.
    bool copy_in_string(char* to, VirtAddr from, size_t bytes_max);

  private:
    bool map(VirtAddr page, FrameRef frame, Rights rights);
    void unmap(VirtAddr from, VirtAddr to);
    bool map_zeroed(VirtAddr from, VirtAddr to);
    bool reserved(VirtAddr address) const;
    bool share_page(VirtAddr page, PageTableEntry& parents);
    bool copy_page(VirtAddr page, PageTableEntry const& parents);

    PageTable table_;
    VirtAddr heap_start_;     // where the break began, and the lowest that it may go
    VirtAddr program_break_;  // no user page lies at or above the page boundary behind it
};

}  // namespace kernel
