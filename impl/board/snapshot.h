#pragma once
// What golden images and checkpoints hold. How a machine is put back: snapshot.cpp.

#include "impl/base/descriptor.h"
#include "impl/board/board.h"
#include "impl/board/machine.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace vmcheck::board {

// RAM of a golden image: memory files that boards map privately, so that what they do not write they share. What is
// like another image is in that one's file, and long runs of zeros are in none.
class SharedRam {
  public:
    // A copy of `bytes`. Fails with the host's reason.
    static tl::expected<SharedRam, Error> copy_of(std::span<std::byte const> bytes, SharedRam const* like);

    std::span<Piece const> pieces() const { return pieces_; }
    std::span<std::byte const> bytes() const { return {mapping_.get(), mapping_.get_deleter().size}; }
    std::span<std::byte const, kPageBytes> frame(FrameNo frame) const {
        std::size_t const index = frame.value - kRamStart.frame().value;
        return bytes().subspan(index * kPageBytes).first<kPageBytes>();
    }

  private:
    SharedRam(std::vector<Piece> pieces, Mapping mapping) : pieces_(std::move(pieces)), mapping_(std::move(mapping)) {}
    std::vector<Piece> pieces_;
    Mapping mapping_;
};

struct Golden {
    SharedRam ram;
    Disk::Base disk;
    std::string console;
    Snapshot snapshot;
};

struct Checkpoint::Contents {
    // A free frame is mostly a pointer and one byte again and again: no more is kept of it then.
    struct Frame {
        FrameNo number;
        std::uint64_t pointer = 0;
        std::optional<std::byte> filling{};  // nothing: its bytes are kept
    };
    std::shared_ptr<Golden const> golden;  // what the rest is relative to
    std::vector<Frame> frames;
    std::vector<std::byte> bytes;  // of those frames, in the same order
    Disk::Written disk;
    std::string console;  // what was printed since the golden image
    Snapshot snapshot;
};

}  // namespace vmcheck::board
