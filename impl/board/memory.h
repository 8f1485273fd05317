#pragma once
// The board's RAM as the host sees it, and the one gate through which the host writes to it.
//
// Two things must never be forgotten when the host writes: the frame is dirty from then on (restore has to copy it
// back), and code that an engine has translated from the frame no longer matches it. So writes go through
// open_for_write(), which does both. Writes by the guest are noticed by the TLB-fill hook, which calls open_to_guest().
// Whatever reads goes through load(), view() or frame(), and the guest through write_out(): some frames are late.

#include "impl/base/descriptor.h"
#include "impl/board/late_frames.h"
#include "impl/board/types.h"
#include "spec/address.h"

#include <tl/expected.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace vmcheck::board {

static_assert(std::endian::native == std::endian::little, "guest integers are read with memcpy");

// Told before the host changes the bytes of a frame from which code has been translated.
class CodeFrameListener {
  public:
    virtual void before_overwrite(FrameNo frame, std::span<std::byte const, kPageBytes> old_bytes) = 0;

  protected:
    ~CodeFrameListener() = default;
};

// Memory that was got by mmap().
struct Unmap {
    std::uint64_t size = 0;
    void operator()(std::byte* base) const;
};
using Mapping = std::unique_ptr<std::byte, Unmap>;

// So many bytes of RAM, as they lie at the same place in a file; without one they are zeros.
struct Piece {
    std::uint64_t bytes = 0;
    std::shared_ptr<base::Descriptor const> file;
};
// Maps the pieces one after the other over [base, ...), privately. Says false when the host refuses.
bool map_pieces(std::byte* base, std::span<Piece const> pieces, int protection);

class Memory {
  public:
    static constexpr std::size_t index_of(FrameNo frame) { return frame.value - kRamStart.frame().value; }

    // Cleared RAM of `bytes` bytes at kRamStart. Requires: a positive multiple of 4 KiB.
    static tl::expected<Memory, Error> create(std::uint64_t bytes);

    std::uint64_t size() const { return size_; }
    PhysAddr end() const { return kRamStart + size_; }
    // All of RAM, but for what is late: its pages hold anything.
    std::span<std::byte const> pages() const { return {base_.get(), size_}; }
    LateFrames const& late() const { return late_; }
    // Where an engine maps RAM from. Stays the same for the life of this object, moves included.
    std::byte* host_base() const { return base_.get(); }

    bool contains(PhysAddr address, std::uint64_t count) const {
        return address >= kRamStart && address.value - kRamStart.value <= size_ &&
               count <= size_ - (address.value - kRamStart.value);
    }
    bool contains(FrameNo frame) const { return index_of(frame) < flags_.size(); }

    // A little-endian integer, or nothing where a byte of it lies outside RAM.
    template <class Integer>
    std::optional<Integer> load(PhysAddr address) const {
        if (!contains(address, sizeof(Integer))) return std::nullopt;
        std::uint64_t const offset = address.value - kRamStart.value;
        if (late_.have(offset, sizeof(Integer))) [[unlikely]]
            late_.write_out(offset, sizeof(Integer));
        Integer value;
        std::memcpy(&value, base_.get() + offset, sizeof(Integer));
        return value;
    }
    // `count` bytes, or nothing where one of them lies outside RAM.
    std::optional<std::span<std::byte const>> view(PhysAddr address, std::uint64_t count) const;
    // Requires: contains(frame).
    std::span<std::byte const, kPageBytes> frame(FrameNo frame) const {
        write_out(frame);
        return std::span<std::byte const, kPageBytes>{base_.get() + index_of(frame) * kPageBytes, kPageBytes};
    }

    // Before the guest gets a translation to the frame. Requires: contains(frame).
    void write_out(FrameNo frame) const {
        if (std::size_t const index = index_of(frame); late_.has(index)) [[unlikely]]
            late_.write_out(index);
    }

    // `count` bytes for the host to write at once: their frames are marked dirty and the listeners are told.
    // Nothing where a byte lies outside RAM.
    std::optional<std::span<std::byte>> open_for_write(PhysAddr address, std::uint64_t count);
    // Stores an integer through open_for_write. Returns false, and stores nothing, outside RAM.
    template <class Integer>
    bool store(PhysAddr address, Integer value) {
        auto const target = open_for_write(address, sizeof(Integer));
        if (!target) return false;
        std::memcpy(target->data(), &value, sizeof(Integer));
        return true;
    }
    // Makes a frame equal to `bytes`, as open_for_write does, but leaves its dirty mark alone; it counts as written.
    void replace_frame(FrameNo frame, std::span<std::byte const, kPageBytes> bytes);
    // The same, with what the image has there. Requires: late().is_plain(frame's index).
    void make_late(FrameNo frame);

    // --- dirty frames ----------------------------------------------------------------------------

    // Of a guest that writes so many, nearly all are likely to follow: a page fault for each would take longer than
    // what it does with them, so they are had 2 MiB at a time. They have to be given back (drop_private), rather than
    // copied: a program that uses up all memory would otherwise leave its machine with all of it for itself.
    static constexpr std::size_t kManyFrames = 2048;
    bool uses_huge_pages() const { return uses_huge_pages_; }

    // Requires: contains(frame).
    void mark_dirty(FrameNo frame) {
        auto& flags = flags_[index_of(frame)];
        if (flags & kDirty) return;
        flags |= kDirty;
        dirty_.push_back(frame);
        if (dirty_.size() == kManyFrames && !uses_huge_pages_) use_huge_pages(true);
    }
    bool is_dirty(FrameNo frame) const { return contains(frame) && (flags_[index_of(frame)] & kDirty) != 0; }
    std::span<FrameNo const> dirty_frames() const { return dirty_; }
    // Forgets all marks; the caller has made every frame clean.
    void clear_dirty();

    // --- written frames: where to look again -----------------------------------------------------

    // An engine's TLB lets the guest store to this frame from now on, unseen. Requires: contains(frame).
    void open_to_guest(FrameNo frame) {
        auto& flags = flags_[index_of(frame)];
        if (flags & kOpen) return;
        flags |= kOpen;
        open_.push_back(frame);
        keep(frame);
        mark_dirty(frame);
        mark_written(frame);
    }
    // No engine's TLB lets the guest store to any frame.
    void close_to_guest();
    // It may have been closed too early.
    void open_dirty_to_guest() {
        for (FrameNo const frame : dirty_) open_to_guest(frame);
    }
    // It counts as dirty and as written already, so that nothing is missed where the guest stores to it unseen.
    bool may_be_opened(FrameNo frame) const {
        return contains(frame) && (flags_[index_of(frame)] & (kDirty | kWritten)) == (kDirty | kWritten);
    }
    // The frames that may have been written since the last call; those that are open may be in the next one again.
    std::vector<FrameNo> take_written();

    // --- trying out ------------------------------------------------------------------------------

    // From now on, what a frame holds is kept when it is first written. Requires: no frame is open to the guest.
    void begin_trial() { trial_ = Trial{dirty_.size(), {}, {}}; }
    // Those that may differ from what they held then. Requires: a trial has begun.
    std::span<FrameNo const> frames_of_trial() const { return trial_->frames; }
    // All frames, and which of them are dirty, as they were then. Requires: no frame is open to the guest.
    void end_trial();

    // --- translated code -------------------------------------------------------------------------

    // From now on, listeners are told before the host overwrites this frame. Requires: contains(frame).
    void mark_code(FrameNo frame) { flags_[index_of(frame)] |= kCode; }
    bool has_code(FrameNo frame) const { return (flags_[index_of(frame)] & kCode) != 0; }
    // All of RAM is about to be replaced: every frame with code is told of.
    void forget_code();
    // The guest may overwrite this frame through one engine: the others have to be told as if the host did.
    void tell_other_listeners(FrameNo frame, CodeFrameListener const& writer);
    // The listener must outlive this object's last write.
    void add_listener(CodeFrameListener& listener) { listeners_.push_back(&listener); }

    // --- sharing ---------------------------------------------------------------------------------

    // Replaces all of RAM, in place, by private views of what the pieces name: pages are shared with every other such
    // view until they are written. Says false when the host refuses. Requires: pieces that follow one another, of
    // size() bytes together. What is plain is late from then on.
    bool map_from(std::span<Piece const> pieces, std::shared_ptr<PlainFrames const> plain);
    // After map_from: every dirty frame is again as the pieces have it, and its page is given back to the host. Where
    // the host refuses (locked memory), they stay dirty as they are. `original`: that of a frame that is not plain.
    using Original = std::function<std::span<std::byte const, kPageBytes>(FrameNo)>;
    void drop_private(Original const& original);

  private:
    static constexpr std::uint8_t kDirty = 1;
    static constexpr std::uint8_t kCode = 2;
    static constexpr std::uint8_t kOpen = 4;
    static constexpr std::uint8_t kWritten = 8;
    static constexpr std::uint8_t kKept = 16;

    struct Trial {
        std::size_t dirty = 0;  // frames when it began
        std::vector<FrameNo> frames;
        std::vector<std::byte> bytes;  // of those frames, as they were
    };

    // Of pages that are written from now on; it is only a hint.
    void use_huge_pages(bool whether);

    Memory(std::byte* base, std::uint64_t size)
        : base_(base, Unmap{size}), size_(size), late_(base, size / kPageBytes), flags_(size / kPageBytes) {}

    void mark_written(FrameNo frame) {
        auto& flags = flags_[index_of(frame)];
        if (flags & kWritten) return;
        flags |= kWritten;
        written_.push_back(frame);
    }
    void keep(FrameNo frame) {
        if (trial_) [[unlikely]]
            keep_for_trial(frame);
    }
    void keep_for_trial(FrameNo frame);
    void tell_listeners(FrameNo frame);

    // Whether the frame holds something else than what it is put back to.
    bool differs(FrameNo frame, Original const& original) const;

    Mapping base_;
    std::uint64_t size_;
    LateFrames late_;
    std::vector<std::uint8_t> flags_;
    std::vector<FrameNo> dirty_;
    bool uses_huge_pages_ = false;
    std::vector<FrameNo> open_;
    std::vector<FrameNo> written_;
    std::optional<Trial> trial_;
    std::vector<CodeFrameListener*> listeners_;
};

}  // namespace vmcheck::board
