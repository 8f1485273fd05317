#pragma once
// What golden images and checkpoints hold. How a machine is put back: snapshot.cpp.

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
    SharedRam(SharedRam&& other) noexcept;
    SharedRam& operator=(SharedRam&&) = delete;
    ~SharedRam();

    int file_descriptor() const { return file_descriptor_; }
    std::span<std::byte const> bytes() const { return bytes_; }
    std::span<std::byte const, kPageBytes> frame(FrameNo frame) const {
        std::size_t const index = frame.value - kRamStart.frame().value;
        return bytes_.subspan(index * kPageBytes).first<kPageBytes>();
    }

  private:
    SharedRam() = default;
    int file_descriptor_ = -1;
    std::span<std::byte const> bytes_;
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
