#pragma once
// What golden images and checkpoints hold. How a machine is put back: snapshot.cpp.

#include "impl/base/descriptor.h"
#include "impl/board/board.h"
#include "impl/board/machine.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace vmcheck::board {

// RAM of a golden image: a sealed memory file that boards map privately, so that what they do not write they share.
class SharedRam {
  public:
    // A copy of `bytes`. Fails with the host's reason.
    static tl::expected<SharedRam, Error> copy_of(std::span<std::byte const> bytes);

    int file_descriptor() const { return file_.number(); }
    std::span<std::byte const> bytes() const { return {mapping_.get(), mapping_.get_deleter().size}; }
    std::span<std::byte const, kPageBytes> frame(FrameNo frame) const {
        std::size_t const index = frame.value - kRamStart.frame().value;
        return bytes().subspan(index * kPageBytes).first<kPageBytes>();
    }

  private:
    SharedRam(base::Descriptor file, Mapping mapping) : file_(std::move(file)), mapping_(std::move(mapping)) {}
    base::Descriptor file_;
    Mapping mapping_;
};

struct Golden {
    SharedRam ram;
    Disk::Base disk;
    std::string console;
    Snapshot snapshot;
};

struct Checkpoint::Contents {
    std::shared_ptr<Golden const> golden;  // what the rest is relative to
    std::vector<FrameNo> frames;
    std::vector<std::byte> bytes;  // of those frames, in the same order
    Disk::Written disk;
    std::string console;  // what was printed since the golden image
    Snapshot snapshot;
};

}  // namespace vmcheck::board
