#pragma once
// Reads a user page table out of guest RAM, as the Sv39 walker would find it, without changing it.
// Source: RISC-V privileged spec, "Sv39": three levels, PTE bits V R W X U G A D from bit 0, PPN from bit 10.

#include "impl/board/late_frames.h"
#include "spec/address.h"
#include "spec/bytes.h"
#include "spec/observation.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vmcheck::board {
class Board;
}

namespace vmcheck::observe {

// A view of guest RAM: `bytes` starts at physical address `start`. A frame that is late is written out, but for one of
// which only the pointer is asked for: a free list has all of them.
struct Ram {
    PhysAddr start;
    std::span<std::byte const> bytes;
    board::LateFrames const* late = nullptr;

    bool holds(FrameNo frame) const;
    // REQUIRES: holds(frame).
    std::span<std::byte const, kPageBytes> frame(FrameNo frame) const;
    std::uint64_t frames() const { return bytes.size() / kPageBytes; }
    FrameNo first() const { return start.frame(); }
    // The integer of so many bytes, 1 to 8, at `at`; nothing where a part of it lies outside.
    std::optional<std::uint64_t> load(PhysAddr at, std::uint64_t size) const {
        std::uint64_t const offset = at.value - start.value;
        if (at < start || offset > bytes.size() || bytes.size() - offset < size) return std::nullopt;
        if (late != nullptr && late->have(offset, size)) [[unlikely]]
            return load_late(offset, size);
        std::uint64_t value = 0;
        if (size != sizeof value) return load_little_endian(bytes.subspan(offset, size));
        std::memcpy(&value, bytes.data() + offset, sizeof value);  // nearly always: no call
        return value;
    }
    // The same, of a place that is late.
    std::uint64_t load_late(std::uint64_t offset, std::uint64_t size) const;
};

// That of a board, as long as it lives.
Ram ram_of(board::Board const& board);

struct TableContents {
    std::vector<spec::ObservedPage> pages;  // every valid leaf, ascending; 2 MiB leaves as 512 pages
    std::vector<FrameNo> tables;            // the table's own frames, root first
    std::string broken;                     // why the walk stopped early; empty when it did not
};

// Where the entry of level 0 for a page lies; nothing where a table on the way is missing or outside RAM.
std::optional<PhysAddr> entry_of(Ram ram, FrameNo root, Vpn page);

// Never fails and always ends: a table that is used twice (a loop included), lies outside RAM, maps 1 GiB at a time, or
// maps more pages than could make sense stops the walk and is described in `broken`.
TableContents read_user_table(Ram ram, FrameNo root);

}  // namespace vmcheck::observe
