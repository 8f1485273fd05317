#pragma once
// Physical memory, a frame (4 KiB) at a time: who is free, and how many references each other one has.
//
// Free frames form a list through their own first eight bytes. Everything else in a free frame is junk, so that a
// use after the last release shows. Code that holds frames does so through FrameRef (frame_ref.h); the functions here
// are what it is made of.

#include "riscv/layout.h"
#include "sync/spin_lock.h"

namespace kernel {

struct FreeFrame {
    FreeFrame* next;
};

inline constexpr size_t kFrames = LAYOUT_RAM_BYTES / kPageBytes;

// Plain data, because the checker reads it from outside (vmcheck.map).
struct FramePool {
    SpinLock lock;
    FreeFrame* free_head = nullptr;
    size_t free_count = 0;
    uint16_t references[kFrames] = {};  // by frame, from the first of RAM; 0 for a free one and for the kernel's image
};
extern FramePool frames;

// Puts every frame behind the kernel's image on the free list. Once, at boot.
void initialize_frames();

// Takes a frame from the free list, with one reference and contents that mean nothing. None when there is no free
// frame. Never inlined, as the board makes it fail at its entry to see what its callers do then.
extern "C" PhysAddr frame_allocate();

// One reference more. REQUIRES: the caller has one, so the frame cannot go away meanwhile.
void frame_add_reference(PhysAddr frame);

// One reference less; the last one frees the frame.
void frame_release(PhysAddr frame);

// A caller that holds a reference and is told 1 knows that it is the only one.
size_t frame_references(PhysAddr frame);

}  // namespace kernel
