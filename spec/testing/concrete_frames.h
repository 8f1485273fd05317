#pragma once
// The physical half of the concrete machine: frames with real bytes and reference counts, a free list, and page tables
// whose own frames come from the same list. Test-only; knows nothing of World.

#include "spec/observation.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace vmcheck::spec::testing {

// Frames numbered from 0x80000, as RAM is in the virt machine. The first holds the trampoline and is never free.
class Frames {
  public:
    explicit Frames(std::uint64_t count);

    // A frame with one reference, its bytes as the last owner left them; nothing when none is free, or when this
    // allocation was chosen to fail.
    std::optional<FrameNo> allocate();
    // Takes one reference away; the last one frees the frame.
    void drop(FrameNo frame);
    // Puts the frame on the free list whatever its count (for planted defects).
    void put_on_free_list(FrameNo frame);
    void add_reference(FrameNo frame) { ++counts_[index(frame)]; }
    std::int64_t references(FrameNo frame) const { return counts_[index(frame)]; }
    void set_references(FrameNo frame, std::int64_t count) { counts_[index(frame)] = count; }

    PageBytes& bytes(FrameNo frame) { return bytes_[index(frame)]; }
    PageBytes const& bytes(FrameNo frame) const { return bytes_[index(frame)]; }
    bool is_free(FrameNo frame) const { return times_free_[index(frame)] > 0; }
    std::uint64_t free_count() const { return free_.size(); }
    bool free_list_has_duplicate() const;
    FrameNo trampoline() const { return FrameNo{kFirst}; }

    // The n-th allocation from now (from 1) fails; nothing: none does. Clears what was counted.
    void begin_step(std::optional<std::uint32_t> failing_allocation);
    std::uint32_t allocations_failed() const { return failed_; }
    bool was_dry() const { return dry_; }

  private:
    static constexpr std::uint64_t kFirst = 0x80000;
    static std::size_t index(FrameNo frame) { return static_cast<std::size_t>(frame.value - kFirst); }

    std::vector<PageBytes> bytes_;
    std::vector<std::int64_t> counts_;
    std::vector<FrameNo> free_;         // the last is handed out next
    std::vector<unsigned> times_free_;  // how often each frame is on it
    std::optional<std::uint32_t> failing_;
    std::uint32_t allocations_ = 0;
    std::uint32_t failed_ = 0;
    bool dry_ = false;
};

struct Pte {
    FrameNo frame;
    Rights rights;
    bool copy_on_write = false;
};

// A three-level table, kept as maps; its own pages are frames like any other.
class PageTable {
  public:
    // Nothing when there is no frame for the root.
    static std::optional<PageTable> create(Frames& frames);

    Pte* find(Vpn page);
    Pte const* find(Vpn page) const;
    // False, with nothing mapped, when a page-table page is missing and cannot be had.
    bool map(Frames& frames, Vpn page, Pte pte);
    void unmap(Vpn page) { leaves_.erase(page); }
    // Drops the table's own frames. REQUIRES: no leaves are left.
    void release(Frames& frames);
    // The same but for the root (for planted defects).
    void release_all_but_root(Frames& frames);

    std::map<Vpn, Pte> const& leaves() const { return leaves_; }
    std::vector<FrameNo> table_frames() const;

  private:
    std::map<Vpn, Pte> leaves_;
    FrameNo root_;
    std::map<std::uint64_t, FrameNo> middle_;  // by the top 9 bits of the page number
    std::map<std::uint64_t, FrameNo> last_;    // by the top 18
};

}  // namespace vmcheck::spec::testing
