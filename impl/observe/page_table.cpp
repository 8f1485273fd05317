#include "impl/observe/page_table.h"

#include "impl/board/board.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace vmcheck::observe {

namespace {

constexpr std::uint64_t kValid = 1, kRead = 2, kWrite = 4, kExecute = 8, kUser = 16;
constexpr unsigned kEntries = 512;
constexpr unsigned kGroup = 8;
constexpr unsigned kLevelBits = 9;
constexpr std::uint64_t kPpnMask = (std::uint64_t{1} << 44) - 1;

FrameNo frame_of(std::uint64_t pte) {
    return FrameNo{(pte >> 10) & kPpnMask};
}
bool is_leaf(std::uint64_t pte) {
    return (pte & (kRead | kWrite | kExecute)) != 0;
}

class Walk {
  public:
    explicit Walk(Ram ram) : ram_(ram) {}

    TableContents take(FrameNo root) {
        descend(root, 2, 0);
        return std::move(contents_);
    }

  private:
    void descend(FrameNo table, unsigned level, std::uint64_t first_page) {
        if (!enter(table)) return;
        std::byte const* const bytes = ram_.frame(table).data();
        for (unsigned group = 0; group < kEntries; group += kGroup) {
            // Tables are nearly empty, and this is done for every process after every step: eight entries at a look.
            std::array<std::uint64_t, kGroup> entries;
            std::memcpy(entries.data(), bytes + group * sizeof(std::uint64_t), sizeof entries);
            std::uint64_t any = 0;
            for (std::uint64_t entry : entries) any |= entry;
            if ((any & kValid) == 0) continue;
            for (unsigned i = 0; i < kGroup && contents_.broken.empty(); ++i)
                visit(entries[i], level, first_page + (std::uint64_t{group + i} << (kLevelBits * level)));
        }
    }

    void visit(std::uint64_t pte, unsigned level, std::uint64_t page) {
        if ((pte & kValid) == 0) return;
        if (is_leaf(pte)) {
            leaf(pte, level, page);
        } else if (level > 0) {
            descend(frame_of(pte), level - 1, page);
        }
        // A pointer at level 0, where only a leaf may be: the hardware faults on it, so it maps nothing.
    }

    bool enter(FrameNo table) {
        if (!ram_.holds(table)) {
            contents_.broken =
                fmt::format("a page table points to a next level at frame {:#x}, outside RAM", table.value);
            return false;
        }
        // Tables are few (about five), so a linear search beats a set.
        if (std::find(contents_.tables.begin(), contents_.tables.end(), table) != contents_.tables.end()) {
            contents_.broken = fmt::format("frame {:#x} is used twice within one page table", table.value);
            return false;
        }
        if (contents_.tables.size() == kTablesMax) {
            contents_.broken = fmt::format("the page table has more than {} frames", kTablesMax);
            return false;
        }
        contents_.tables.push_back(table);
        return true;
    }

    void leaf(std::uint64_t pte, unsigned level, std::uint64_t page) {
        if (level == 2) {
            contents_.broken = fmt::format("page {:#x} is mapped by a 1 GiB leaf", page);
            return;
        }
        spec::Rights const rights{(pte & kRead) != 0, (pte & kWrite) != 0, (pte & kExecute) != 0, (pte & kUser) != 0};
        std::uint64_t const span = std::uint64_t{1} << (kLevelBits * level);
        if (contents_.pages.size() + span > pages_max()) {
            contents_.broken = fmt::format("the page table maps more than {} pages", pages_max());
            return;
        }
        for (std::uint64_t i = 0; i < span; ++i) {
            FrameNo const frame{frame_of(pte).value + i};
            contents_.pages.push_back({sign_extended(page + i), frame, rights, ram_.holds(frame)});
        }
    }

    // Sv39 addresses are 39 bits, sign-extended: the upper half of the root table holds the top of the address space.
    static Vpn sign_extended(std::uint64_t page) {
        constexpr unsigned kPageBits = 39 - kPageShift;
        bool const upper = (page >> (kPageBits - 1)) & 1;
        constexpr std::uint64_t kUpper =
            ((std::uint64_t{1} << (64 - kPageShift)) - 1) & ~((std::uint64_t{1} << kPageBits) - 1);
        return Vpn{upper ? page | kUpper : page};
    }

    static constexpr std::size_t kTablesMax = 4096;
    // Enough for all of RAM and the devices. Without a limit, a megabyte of tables full of 2 MiB leaves would be a
    // hundred million pages.
    static constexpr std::size_t kPagesMin = std::size_t{64} << 10;
    std::size_t pages_max() const { return std::max<std::size_t>(kPagesMin, 2 * ram_.frames()); }

    Ram ram_;
    TableContents contents_;
};

}  // namespace

bool Ram::holds(FrameNo frame) const {
    return frame.value >= first().value && frame.value - first().value < frames();
}

std::span<std::byte const, kPageBytes> Ram::frame(FrameNo frame) const {
    if (late != nullptr) late->write_out((frame.value - first().value) * kPageBytes, kPageBytes);
    return std::span<std::byte const, kPageBytes>(bytes.data() + (frame.value - first().value) * kPageBytes,
                                                  kPageBytes);
}

std::uint64_t Ram::load_late(std::uint64_t offset, std::uint64_t size) const {
    bool const is_pointer = offset % kPageBytes == 0 && size == sizeof(board::PlainFrame::pointer);
    if (is_pointer) return late->at(offset / kPageBytes).pointer;
    late->write_out(offset, size);
    return load_little_endian(bytes.subspan(offset, size));
}

Ram ram_of(board::Board const& board) {
    return {board.ram_start(), board.pages(), &board.late_frames()};
}

TableContents read_user_table(Ram ram, FrameNo root) {
    return Walk(ram).take(root);
}

std::optional<PhysAddr> entry_of(Ram ram, FrameNo root, Vpn page) {
    FrameNo table = root;
    for (unsigned level = 2;; --level) {
        std::uint64_t const index = (page.value >> (kLevelBits * level)) % kEntries;
        PhysAddr const at = start_of(table) + index * sizeof(std::uint64_t);
        auto const pte = ram.load(at, sizeof(std::uint64_t));
        if (!pte) return std::nullopt;
        if (level == 0) return at;
        if ((*pte & kValid) == 0 || is_leaf(*pte)) return std::nullopt;
        table = frame_of(*pte);
    }
}

}  // namespace vmcheck::observe
