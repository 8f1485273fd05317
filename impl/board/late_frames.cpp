#include "impl/board/late_frames.h"

#include <cstring>

namespace vmcheck::board {

namespace {

constexpr std::size_t kPointerBytes = sizeof(PlainFrame::pointer);

}  // namespace

std::optional<PlainFrame> PlainFrame::of(std::span<std::byte const, kPageBytes> bytes) {
    if (std::memcmp(&bytes[kPointerBytes], &bytes[kPointerBytes + 1], kPageBytes - kPointerBytes - 1) != 0)
        return std::nullopt;
    PlainFrame frame{.filling = bytes.back()};
    std::memcpy(&frame.pointer, bytes.data(), kPointerBytes);
    return frame;
}

void PlainFrame::write_to(std::span<std::byte, kPageBytes> page) const {
    std::memset(page.data(), static_cast<int>(filling), kPageBytes);
    std::memcpy(page.data(), &pointer, kPointerBytes);
}

void PlainFrames::add(std::size_t index, PlainFrame frame) {
    pointers_[index] = frame.pointer;
    fillings_[index] = frame.filling;
    marks_[index / 64] |= std::uint64_t{1} << index % 64;
}

void LateFrames::write_out(std::size_t index) const {
    plain_->at(index).write_to(std::span<std::byte, kPageBytes>{ram_ + index * kPageBytes, kPageBytes});
    marks_[index / 64] &= ~(std::uint64_t{1} << index % 64);
}

void LateFrames::write_out(std::uint64_t offset, std::uint64_t bytes) const {
    for (std::size_t index = offset / kPageBytes; index <= (offset + bytes - 1) / kPageBytes; ++index)
        if (has(index)) write_out(index);
}

}  // namespace vmcheck::board
