#pragma once
// Follows the kernel's list of free frames in guest RAM. A free frame's first 8 bytes point to the next one.
//
// The list has some 32,000 entries, and is looked at after every step. Almost all of it is as it was in the golden
// image, so only its beginning is walked: from the first frame that lies deeper in the golden list than every frame
// that has been written since, the rest of the list is the golden one.

#include "impl/observe/page_table.h"
#include "spec/address.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vmcheck::observe {

// Why a list cannot be followed to its end: a duplicate, a cycle or an entry outside RAM, in words.
struct BrokenList {
    std::string why;
    std::uint64_t sound = 0;  // entries before that one
};

// The list as it stands in the golden image. Immutable; shared by the workers.
class GoldenFreeList {
  public:
    // `heads`: addresses of the list heads (several where each hart has its own list).
    // Walks the whole of every list. Fails when one is broken already: then no census can be trusted.
    static tl::expected<GoldenFreeList, BrokenList> take(Ram ram, std::vector<PhysAddr> heads);

    std::uint64_t length() const { return length_; }

  private:
    friend class FreeList;
    static constexpr std::uint32_t kNowhere = 0;
    // The frame of that chain from which on so many entries follow. REQUIRES: there is one; `first` is that of RAM.
    FrameNo frame_with(std::size_t chain, std::uint32_t remaining, FrameNo first) const;
    std::vector<PhysAddr> heads_;
    // By frame: entries from it to its chain's end, itself included; 0: not free.
    std::vector<std::uint32_t> remaining_;
    std::vector<std::uint8_t> chain_;  // by frame: which head leads to it
    std::uint64_t length_ = 0;
};

// The list as it stands now. One per board.
class FreeList {
  public:
    explicit FreeList(std::shared_ptr<GoldenFreeList const> golden);

    // Looks at the list again. `dirty`: every frame that may differ from the golden image.
    void refresh(Ram ram, std::span<FrameNo const> dirty);

    std::uint64_t length() const { return length_; }
    // REQUIRES: the frame lies in RAM.
    bool contains(FrameNo frame) const;
    // A duplicate, a cycle or an entry outside RAM, in words; empty when the list is sound.
    std::string const& broken() const { return broken_; }

  private:
    void note_dirty(std::span<FrameNo const> dirty);
    void follow(Ram ram, PhysAddr head);

    std::shared_ptr<GoldenFreeList const> golden_;
    FrameNo first_{};
    std::vector<std::uint32_t> seen_;         // by frame: the refresh that last walked over it
    std::uint32_t now_ = 0;                   // number of this refresh
    std::vector<std::uint32_t> clean_tail_;   // by chain: its last so many golden entries have not been written since
    std::vector<std::uint32_t> joined_tail_;  // by chain: its last so many golden entries are on the list now
    std::uint64_t length_ = 0;
    std::string broken_;
};

}  // namespace vmcheck::observe
