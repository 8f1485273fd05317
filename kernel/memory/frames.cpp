#include "memory/frames.h"

#include "base/memory.h"
#include "base/panic.h"

namespace kernel {

constinit FramePool frames;

namespace {

constexpr int kJunkByte = 0xdb;

// The count of `frame`, which must be one that the pool handed out.
uint16_t& count_of(PhysAddr frame) {
    if (frame < address_of(kernel_end).page_above() || frame >= kRamEnd || frame.page_offset() != 0)
        panic("frames: not a frame of the pool");
    return frames.references[(frame - kRamStart) / kPageBytes];
}

// REQUIRES: the lock is held, and nobody has a reference.
void put_on_free_list(PhysAddr frame) {
    memset(pointer_to<void>(frame), kJunkByte, kPageBytes);
    auto* const free = pointer_to<FreeFrame>(frame);
    free->next = frames.free_head;
    frames.free_head = free;
    frames.free_count++;
}

}  // namespace

void initialize_frames() {
    SpinGuard guard(frames.lock);
    for (PhysAddr frame = address_of(kernel_end).page_above(); frame < kRamEnd; frame += kPageBytes)
        put_on_free_list(frame);
}

extern "C" [[gnu::noipa]] PhysAddr frame_allocate() {
    SpinGuard guard(frames.lock);
    FreeFrame* const free = frames.free_head;
    if (free == nullptr) return PhysAddr{};
    frames.free_head = free->next;
    frames.free_count--;
    PhysAddr const frame = address_of(free);
    count_of(frame) = 1;
    return frame;
}

void frame_add_reference(PhysAddr frame) {
    SpinGuard guard(frames.lock);
    uint16_t& count = count_of(frame);
    if (count == 0) panic("frames: reference to a free frame");
    count++;
}

void frame_release(PhysAddr frame) {
    SpinGuard guard(frames.lock);
    uint16_t& count = count_of(frame);
    if (count == 0) panic("frames: released more often than held");
    count--;
    if (count == 0) put_on_free_list(frame);
}

size_t frame_references(PhysAddr frame) {
    SpinGuard guard(frames.lock);
    return count_of(frame);
}

}  // namespace kernel
