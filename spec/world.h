#pragma once
// The abstract machine's state. A World is a value: cheap to copy (pages share their contents), comparable, hashable.
// How it changes is in advance.h; what must hold of the real machine beside it is in invariants.h.

#include "spec/layout.h"
#include "spec/program.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck::spec {

// A logical frame: pages with equal ids are promised to share one physical frame (cow fork). Pages with different
// ids may or may not share: a kernel is free to share read-only memory.
struct LogicalFrame {
    std::uint64_t id = 0;
    friend constexpr auto operator<=>(LogicalFrame, LogicalFrame) = default;
};

// Whether a page of the address space must, must not or may be mapped at this moment.
enum class Presence : std::uint8_t {
    present,   // mapped
    reserved,  // promised by lazy sbrk, untouched: not mapped
    either,    // a failed copy may have touched it, or the kernel may choose
};

struct Page {
    LogicalFrame frame;
    Rights rights;
    Presence presence = Presence::present;
    Contents contents;  // what a read finds, reserved pages included; null where the user may not read
};

// Pages by number, ascending, like a std::map. An address space is copied whenever one of its pages changes, and passed
// over after every step: so they lie side by side.
class PageMap {
  public:
    using Entry = std::pair<Vpn, Page>;
    using const_iterator = std::vector<Entry>::const_iterator;
    using iterator = std::vector<Entry>::iterator;

    iterator begin() { return entries_.begin(); }
    iterator end() { return entries_.end(); }
    const_iterator begin() const { return entries_.begin(); }
    const_iterator end() const { return entries_.end(); }
    std::size_t size() const { return entries_.size(); }
    iterator lower_bound(Vpn page) { return std::ranges::lower_bound(entries_, page, {}, &Entry::first); }
    const_iterator find(Vpn page) const {
        auto const at = std::ranges::lower_bound(entries_, page, {}, &Entry::first);
        return at != end() && at->first == page ? at : end();
    }
    bool contains(Vpn page) const { return find(page) != end(); }
    Page& operator[](Vpn page) {
        auto const at = lower_bound(page);
        return at != end() && at->first == page ? at->second : entries_.emplace(at, page, Page{})->second;
    }
    void erase(iterator from, iterator to) { entries_.erase(from, to); }

  private:
    std::vector<Entry> entries_;
};

enum class Life : std::uint8_t { running, zombie };

// What one process can address. Heap pages below the break that are not in `pages` are reserved: zero, RW-U, unmapped;
// so a lazy sbrk of 2 GiB costs nothing here either.
struct AddressSpace {
    PageMap pages;
    VirtAddr brk;  // the break, in bytes
    Executable program = Executable::init;
};

struct Process {
    ProcId id;
    ProcId parent;
    std::uint64_t pid = 0;  // the kernel's, learned from fork; 0 for p0 (nothing returns it)
    Life life = Life::running;
    std::int32_t exit_status = 0;               // of a zombie
    bool perhaps_reaped = false;                // of a zombie: its parent was killed within a wait
    std::shared_ptr<AddressSpace const> space;  // null for a zombie; shared between copies of a World, never written
};

// Bytes that a step may have written: settle() reads from the machine which it was. A copy to a range that turns bad
// half-way may fail as a whole or have written any prefix; struct stat has padding that is nobody's.
// Until settled, the World's pages are as if the whole of the first open copy had been written.
struct OpenCopy {
    ProcId process;
    VirtAddr to;
    std::vector<std::byte> bytes;   // what a complete copy would have written, up to the first bad page
    std::vector<std::byte> before;  // same length: what was there
    std::vector<bool> anything;     // same length, or empty: true where any value is right
    bool any_prefix = false;        // true: any prefix of `bytes` of `prefix_min` or more is right; false: all of it
    std::size_t prefix_min = 0;
    // If this is the copy that happened: what the pipe may hold now. Empty: says nothing about the pipe.
    std::vector<std::vector<std::byte>> pipe_after;
    friend bool operator==(OpenCopy const&, OpenCopy const&) = default;
};

// What the shared pipe holds.
using PipeContents = std::vector<std::byte>;

class World {
  public:
    // p0 alone, with a fresh image and an empty pipe.
    static World initial(std::shared_ptr<Setting const> setting);

    Setting const& setting() const { return *setting_; }
    // Null when there is no such process (never forked, or reaped).
    Process const* find(ProcId id) const;
    std::map<ProcId, Process> const& processes() const { return processes_; }
    // Running processes, ascending.
    std::vector<ProcId> running() const;
    // Children of `parent`, zombies included.
    std::vector<ProcId> children(ProcId parent) const;
    // True after an event that legitimately ends everything: p0 was killed for want of memory.
    bool over() const { return over_; }
    // Possible contents of the shared pipe: more than one after a read that failed half-way.
    std::vector<PipeContents> const& pipe() const { return pipe_; }
    // What the last step may have written: exactly one of these copies happened. Empty when nothing is open.
    std::vector<OpenCopy> const& open_copies() const { return open_copies_; }
    // Whether a fork has given this name to a child before (p0's counts as given).
    bool name_used(ProcId id) const { return names_.contains(id); }

    // Where things lie for the process; for one that is gone, as in /init.
    Layout const& layout_of(ProcId id) const;
    // The page that holds `page` in the process's address space, reserved heap pages included; nothing where a touch
    // by the user is fatal because nothing is (or will be) there. REQUIRES: `id` is running.
    std::optional<Page> page_at(ProcId id, Vpn page) const;
    // What page_at() finds of a heap page that no AddressSpace lists.
    Page reserved_page() const;
    // `bytes` bytes from `at` as the user would read them; nothing where any of them is unreadable.
    std::optional<std::vector<std::byte>> read(ProcId id, VirtAddr at, std::size_t bytes) const;
    // Where a symbolic address lies for `actor`. REQUIRES: `actor` is running.
    VirtAddr resolve(ProcId actor, Address address) const;

    // Equality and hash are those of the state, not of its history: logical frames count by which pages share them, and
    // the pids that the kernel chose and the names of reaped processes do not count.
    std::uint64_t hash() const;
    friend bool operator==(World const&, World const&);

  private:
    friend class Transition;  // transition.h: the only place that changes a World

    std::shared_ptr<Setting const> setting_;
    std::map<ProcId, Process> processes_;
    std::set<ProcId> names_;
    std::vector<PipeContents> pipe_;  // ascending, without duplicates
    std::vector<OpenCopy> open_copies_;
    std::uint64_t next_frame_ = 1;
    bool over_ = false;
};

std::string to_string(World const& world);

}  // namespace vmcheck::spec
