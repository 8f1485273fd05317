#pragma once
// Frames of RAM that are written when they are first asked for.
//
// A kernel fills its free memory with junk and links it into a list. So a free frame is a pointer and one byte again
// and again (a *plain* frame), and of that a golden image keeps nine bytes. On a board that starts from the image such
// a frame is *late*: it takes no memory of the host until the guest has a translation to it or the host looks at it,
// and then its page is written. Everybody who reads or writes RAM through Memory is spared the difference.

#include "spec/address.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace vmcheck::board {

struct PlainFrame {
    std::uint64_t pointer = 0;  // its first eight bytes
    std::byte filling{};        // all others

    // Nothing where it is another.
    static std::optional<PlainFrame> of(std::span<std::byte const, kPageBytes> bytes);
    bool is_zero() const { return pointer == 0 && filling == std::byte{0}; }
    void write_to(std::span<std::byte, kPageBytes> page) const;
};

// The plain ones among the frames of RAM, by their index from its start.
class PlainFrames {
  public:
    explicit PlainFrames(std::size_t frames) : pointers_(frames), fillings_(frames), marks_((frames + 63) / 64) {}
    void add(std::size_t index, PlainFrame frame);
    void forget(std::size_t index) { marks_[index / 64] &= ~(std::uint64_t{1} << index % 64); }
    bool has(std::size_t index) const { return (marks_[index / 64] >> index % 64 & 1) != 0; }
    // REQUIRES: has(index).
    PlainFrame at(std::size_t index) const { return {pointers_[index], fillings_[index]}; }

  private:
    friend class LateFrames;
    std::vector<std::uint64_t> pointers_;
    std::vector<std::byte> fillings_;
    std::vector<std::uint64_t> marks_;
};

// Which frames of one board's RAM are late. To write one out changes nothing that anybody sees, so looking may do it.
class LateFrames {
  public:
    // `ram` is that of the board, and outlives this. None is late.
    LateFrames(std::byte* ram, std::size_t frames) : ram_(ram), marks_((frames + 63) / 64) {}

    bool has(std::size_t index) const { return (marks_[index / 64] >> index % 64 & 1) != 0; }
    // REQUIRES: has(index).
    PlainFrame at(std::size_t index) const { return plain_->at(index); }
    void write_out(std::size_t index) const;
    // Whether one of at most a page of bytes, counted from the start of RAM, is in such a frame. This is asked at each
    // load of a word. REQUIRES: they lie in RAM; bytes > 0.
    bool have(std::uint64_t offset, std::uint64_t bytes) const {
        bool const within_one = offset % kPageBytes + bytes <= kPageBytes;
        return has(offset / kPageBytes) || (!within_one && has(offset / kPageBytes + 1));
    }
    // Those that have one of these bytes. REQUIRES: as above, for any number of bytes.
    void write_out(std::uint64_t offset, std::uint64_t bytes) const;
    // It is overwritten as a whole.
    void forget(std::size_t index) { marks_[index / 64] &= ~(std::uint64_t{1} << index % 64); }

    // RAM is as an image has it: each of its plain frames is late from now on.
    void begin(std::shared_ptr<PlainFrames const> plain) {
        plain_ = std::move(plain);
        begin_again();
    }
    void begin_again() {
        if (plain_) marks_ = plain_->marks_;
    }
    bool is_plain(std::size_t index) const { return plain_ && plain_->has(index); }
    // It is as the image has it, whatever its page holds. REQUIRES: is_plain(index).
    void add(std::size_t index) { marks_[index / 64] |= std::uint64_t{1} << index % 64; }
    // What the image has there. REQUIRES: is_plain(index).
    PlainFrame original(std::size_t index) const { return plain_->at(index); }

  private:
    std::byte* ram_;
    std::shared_ptr<PlainFrames const> plain_;
    mutable std::vector<std::uint64_t> marks_;
};

}  // namespace vmcheck::board
