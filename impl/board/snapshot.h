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
// like another image is in that one's file, and long runs of zeros and of plain frames (late_frames.h) are in none.
class SharedRam {
  public:
    // A copy of it. Fails with the host's reason.
    static tl::expected<SharedRam, Error> copy_of(Memory const& memory, SharedRam const* like);

    std::span<Piece const> pieces() const { return pieces_; }
    std::shared_ptr<PlainFrames const> const& plain() const { return plain_; }
    // All of it, but for what is plain.
    std::span<std::byte const> bytes() const { return {mapping_.get(), mapping_.get_deleter().size}; }
    // Requires: it is not plain.
    std::span<std::byte const, kPageBytes> frame(FrameNo frame) const {
        return bytes().subspan(Memory::index_of(frame) * kPageBytes).first<kPageBytes>();
    }

  private:
    SharedRam(std::vector<Piece> pieces, std::shared_ptr<PlainFrames const> plain, Mapping mapping)
        : pieces_(std::move(pieces)), plain_(std::move(plain)), mapping_(std::move(mapping)) {}
    std::vector<Piece> pieces_;
    std::shared_ptr<PlainFrames const> plain_;
    Mapping mapping_;
};

struct Golden {
    SharedRam ram;
    Disk::Base disk;
    std::string console;
    Snapshot snapshot;
};

struct Checkpoint::Contents {
    struct Frame {
        FrameNo number;
        std::optional<PlainFrame> plain{};  // nothing: its bytes are kept
    };
    std::shared_ptr<Golden const> golden;  // what the rest is relative to
    std::vector<Frame> frames;
    std::vector<std::byte> bytes;  // of those frames, in the same order
    Disk::Written disk;
    std::string console;  // what was printed since the golden image
    Snapshot snapshot;
};

}  // namespace vmcheck::board
