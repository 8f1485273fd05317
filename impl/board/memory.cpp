#include "impl/board/memory.h"

#include <fmt/core.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace vmcheck::board {

void Unmap::operator()(std::byte* base) const {
    munmap(base, size);
}

tl::expected<Memory, Error> Memory::create(std::uint64_t bytes) {
    void* const base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return tl::unexpected(Error{
            fmt::format("Could not get {} MiB of memory for the guest's RAM: {}.", bytes >> 20, strerror(errno))});
    }
    // A kernel that fills all of RAM at boot would otherwise pay for each page on its own. It is only a hint.
    madvise(base, bytes, MADV_HUGEPAGE);
    return Memory{static_cast<std::byte*>(base), bytes};
}

std::optional<std::span<std::byte const>> Memory::view(PhysAddr address, std::uint64_t count) const {
    if (!contains(address, count)) return std::nullopt;
    if (count != 0) late_.write_out(address.value - kRamStart.value, count);
    return std::span<std::byte const>{base_.get() + (address.value - kRamStart.value), count};
}

std::optional<std::span<std::byte>> Memory::open_for_write(PhysAddr address, std::uint64_t count) {
    if (!contains(address, count)) return std::nullopt;
    if (count != 0) {
        FrameNo const last = (address + (count - 1)).frame();
        for (FrameNo frame = address.frame(); frame <= last; frame = FrameNo{frame.value + 1}) {
            write_out(frame);
            mark_dirty(frame);
            mark_written(frame);
            keep(frame);
            if (has_code(frame)) tell_listeners(frame);
        }
    }
    return std::span<std::byte>{base_.get() + (address.value - kRamStart.value), count};
}

void Memory::replace_frame(FrameNo frame, std::span<std::byte const, kPageBytes> bytes) {
    std::byte* const target = base_.get() + index_of(frame) * kPageBytes;
    if (has_code(frame)) {
        write_out(frame);
        // Most often a page of program text that was freed and is put back as it was: then its code is still right.
        if (std::memcmp(target, bytes.data(), kPageBytes) == 0) return;
        tell_listeners(frame);
    }
    mark_written(frame);
    late_.forget(index_of(frame));
    std::memcpy(target, bytes.data(), kPageBytes);
}

void Memory::make_late(FrameNo frame) {
    if (has_code(frame)) {
        std::array<std::byte, kPageBytes> page;
        late_.original(index_of(frame)).write_to(page);
        return replace_frame(frame, page);
    }
    mark_written(frame);
    late_.add(index_of(frame));
}

void Memory::use_huge_pages(bool whether) {
    madvise(base_.get(), size_, whether ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    uses_huge_pages_ = whether;
}

void Memory::clear_dirty() {
    for (FrameNo const frame : dirty_) flags_[index_of(frame)] &= static_cast<std::uint8_t>(~kDirty);
    dirty_.clear();
}

void Memory::close_to_guest() {
    for (FrameNo const frame : open_) flags_[index_of(frame)] &= static_cast<std::uint8_t>(~kOpen);
    open_.clear();
}

std::vector<FrameNo> Memory::take_written() {
    for (FrameNo const frame : written_) flags_[index_of(frame)] &= static_cast<std::uint8_t>(~kWritten);
    std::vector<FrameNo> written = std::exchange(written_, {});
    for (FrameNo const frame : open_) mark_written(frame);
    return written;
}

void Memory::keep_for_trial(FrameNo frame) {
    auto& flags = flags_[index_of(frame)];
    if (flags & kKept) return;
    flags |= kKept;
    trial_->frames.push_back(frame);
    auto const bytes = this->frame(frame);
    trial_->bytes.insert(trial_->bytes.end(), bytes.begin(), bytes.end());
}

void Memory::end_trial() {
    Trial const trial = *std::exchange(trial_, std::nullopt);
    std::span<std::byte const> bytes = trial.bytes;
    for (FrameNo const frame : trial.frames) {
        flags_[index_of(frame)] &= static_cast<std::uint8_t>(~kKept);
        replace_frame(frame, bytes.first<kPageBytes>());
        bytes = bytes.subspan(kPageBytes);
    }
    for (; dirty_.size() > trial.dirty; dirty_.pop_back())
        flags_[index_of(dirty_.back())] &= static_cast<std::uint8_t>(~kDirty);
}

void Memory::tell_listeners(FrameNo frame) {
    for (CodeFrameListener* const listener : listeners_) listener->before_overwrite(frame, this->frame(frame));
}

void Memory::forget_code() {
    for (std::size_t index = 0; index < flags_.size(); ++index) {
        if (flags_[index] & kCode) tell_listeners(FrameNo{kRamStart.frame().value + index});
    }
}

void Memory::tell_other_listeners(FrameNo frame, CodeFrameListener const& writer) {
    for (CodeFrameListener* const listener : listeners_) {
        if (listener != &writer) listener->before_overwrite(frame, this->frame(frame));
    }
}

bool map_pieces(std::byte* base, std::span<Piece const> pieces, int protection) {
    std::uint64_t at = 0;
    for (Piece const& piece : pieces) {
        int const kind = piece.file ? 0 : MAP_ANONYMOUS;
        if (mmap(base + at, piece.bytes, protection, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE | kind,
                 piece.file ? piece.file->number() : -1, piece.file ? static_cast<off_t>(at) : 0) == MAP_FAILED)
            return false;
        // A frame here and there is written: each would take 2 MiB. It is only a hint.
        if (!piece.file) madvise(base + at, piece.bytes, MADV_NOHUGEPAGE);
        at += piece.bytes;
    }
    return true;
}

bool Memory::map_from(std::span<Piece const> pieces, std::shared_ptr<PlainFrames const> plain) {
    for (std::size_t index = 0; index < flags_.size(); ++index) mark_written(FrameNo{kRamStart.frame().value + index});
    late_.begin(std::move(plain));
    uses_huge_pages_ = false;
    return map_pieces(base_.get(), pieces, PROT_READ | PROT_WRITE);
}

bool Memory::differs(FrameNo frame, Original const& original) const {
    std::size_t const index = index_of(frame);
    if (!late_.is_plain(index)) return std::memcmp(this->frame(frame).data(), original(frame).data(), kPageBytes) != 0;
    std::array<std::byte, kPageBytes> page;
    late_.original(index).write_to(page);
    return std::memcmp(this->frame(frame).data(), page.data(), kPageBytes) != 0;
}

void Memory::drop_private(Original const& original) {
    for (FrameNo const frame : dirty_) {
        if (has_code(frame) && differs(frame, original)) tell_listeners(frame);
        mark_written(frame);
    }
    if (madvise(base_.get(), size_, MADV_DONTNEED) != 0) return;
    use_huge_pages(false);
    clear_dirty();
    late_.begin_again();
}

}  // namespace vmcheck::board
