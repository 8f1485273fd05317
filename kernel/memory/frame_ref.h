#pragma once
// One reference to a frame, as an object: whoever has it keeps the frame alive, and dropping it, on whatever path,
// gives the frame back. A page-table entry holds its reference as a plain address; keep() and adopt() are the two ways
// across that border, and the only places where a reference can be lost.

#include "base/memory.h"
#include "base/utility.h"
#include "memory/frames.h"

namespace kernel {

class FrameRef {
  public:
    // No frame.
    constexpr FrameRef() = default;

    // A frame of one's own; no frame when memory is exhausted. allocate(): the contents mean nothing.
    static FrameRef allocate() { return FrameRef{frame_allocate()}; }
    static FrameRef allocate_zeroed() {
        FrameRef fresh = allocate();
        if (fresh) memset(fresh.bytes(), 0, kPageBytes);
        return fresh;
    }

    // One reference more to a frame that something else holds.
    static FrameRef share(PhysAddr frame) {
        frame_add_reference(frame);
        return FrameRef{frame};
    }

    // Takes over a reference that was kept as a plain address.
    static FrameRef adopt(PhysAddr frame) { return FrameRef{frame}; }

    // Gives the reference away as a plain address, for someone to adopt() later.
    PhysAddr keep() {
        PhysAddr const kept = frame_;
        frame_ = PhysAddr{};
        return kept;
    }

    FrameRef(FrameRef&& other) : frame_(other.keep()) {}
    FrameRef& operator=(FrameRef&& other) {
        swap(frame_, other.frame_);  // what was held goes when `other` does
        return *this;
    }
    ~FrameRef() {
        if (frame_) frame_release(frame_);
    }

    explicit operator bool() const { return static_cast<bool>(frame_); }
    PhysAddr address() const { return frame_; }
    uint8_t* bytes() const { return pointer_to<uint8_t>(frame_); }

  private:
    explicit FrameRef(PhysAddr frame) : frame_(frame) {}

    PhysAddr frame_;
};

}  // namespace kernel
