#pragma once
// An Observation arranged for the invariants: who refers to which frame, and names for places. Internal to spec/.

#include "spec/invariants.h"

#include <cstdint>
#include <span>
#include <vector>

namespace vmcheck::spec {

// One leaf PTE that refers to a frame in RAM.
struct Reference {
    FrameNo frame;
    ProcId process;
    bool zombie = false;
    Vpn page;
    Rights rights;
};

// One use of a frame for a page table.
struct TableFrame {
    FrameNo frame;
    ProcId process;
};

// A page of a running process, in the model and in the machine: at least one of the two knows it.
struct PagePair {
    Vpn page;
    Page const* model = nullptr;         // null: nothing may be there
    bool listed = false;                 // in AddressSpace::pages; else `model` is what sbrk has promised, untouched
    ObservedPage const* seen = nullptr;  // null: no PTE
};

struct PairedProcess {
    ProcId id;
    ObservedProcess const* seen = nullptr;  // null: the machine does not show it, and there are no pages
    AddressSpace const* model = nullptr;
    std::span<PagePair const> pages{};  // ascending
};

class FrameMap {
  public:
    // REQUIRES: both outlive the map; observed pages ascend in each process.
    FrameMap(World const& world, Observation const& observation);
    FrameMap(FrameMap const&) = delete;
    FrameMap& operator=(FrameMap const&) = delete;

    World const& world() const { return world_; }
    Observation const& observation() const { return observation_; }
    Layout const& layout() const { return world_.setting().layout; }

    // The running ones, ascending.
    std::span<PairedProcess const> processes() const { return processes_; }

    // All references but those to the trampoline (and what lies above it), which is the kernel's code and no frame of
    // the allocator; ascending by frame.
    std::span<Reference const> references() const { return references_; }
    std::span<Reference const> references_to(FrameNo frame) const;
    // The frames of all page tables; ascending by frame.
    std::span<TableFrame const> table_frames() const { return table_frames_; }

    // The memory of every zombie is shown, or there is no zombie.
    bool complete() const;

    // References to one frame, for a reader.
    Sharers sharers_of(std::span<Reference const> references) const;

    // A violation at this address of the process.
    Violation at(Invariant invariant, ProcId process, VirtAddr address, Facts facts) const;

  private:
    ObservedProcess const* find(ProcId id) const;
    void refer();
    void pair();
    void pair(PairedProcess& process);

    World const& world_;
    Observation const& observation_;
    Page const reserved_;  // stands for each that no AddressSpace lists
    std::vector<PagePair> pairs_;
    std::vector<PairedProcess> processes_;
    std::vector<Reference> references_;
    std::vector<TableFrame> table_frames_;
};

// What one invariant's check came to.
struct Checked {
    std::vector<Violation> violations;
    bool judged = false;   // there was something to judge
    bool skipped = false;  // a window that it needs is missing

    void add(Violation violation) { violations.push_back(std::move(violation)); }
};

// Whether a logically present page that is not mapped breaks the eager profile's promise (I8), rather than having lost
// its contents (I1): nothing was ever stored there.
bool is_promise_of_eager_sbrk(World const& world, ProcId id, Vpn vpn, Page const& page);

Checked contents_in(FrameMap const& map);                                               // I1
Checked rights_in(FrameMap const& map);                                                 // I2
Checked isolation_in(FrameMap const& map);                                              // I3
Checked counts_in(FrameMap const& map);                                                 // I4
Checked dangling_in(FrameMap const& map);                                               // I5
Checked conservation_in(FrameMap const& map, std::optional<Baseline> const& baseline);  // I6
Checked laziness_in(FrameMap const& map);                                               // I8

}  // namespace vmcheck::spec
