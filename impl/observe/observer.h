#pragma once
// The observer: takes the picture of the machine that the invariants are judged by (spec/observation.h).
//
// It is taken after every step, which has written to few frames, and the board knows to which. What was read out of
// other frames holds still: the page tables that lie in them, and that a page's bytes are those of the model.

#include "impl/board/board.h"
#include "impl/observe/free_list.h"
#include "impl/observe/kernel_tables.h"
#include "impl/observe/page_table.h"
#include "spec/observation.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace vmcheck::observe {

// What can be seen of a kernel; each part that is missing makes the checks that need it be skipped, visibly.
// Immutable after boot; shared by the workers.
struct Windows {
    std::shared_ptr<GoldenFreeList const> free_list{};
    std::optional<ProcessTable> processes{};
    std::optional<ReferenceCounts> counts{};
    std::int64_t raw_count_for_one = 1;
};

// A process to look at: its name and the root of its page table.
struct Subject {
    spec::ProcId id;
    FrameNo root;
};
// A process that has ended, by its pid; the kernel may or may not still hold its page table.
struct EndedSubject {
    spec::ProcId id;
    std::uint64_t pid = 0;
};

class Observer : private spec::MachineMemory {
  public:
    // REQUIRES: `board` outlives the observer, and nobody else takes its written frames.
    Observer(board::Board& board, std::shared_ptr<Windows const> windows);

    // The free frames now.
    spec::FrameCensus census();
    // The same, one by one; empty where no list is known.
    std::vector<FrameNo> free_frames();
    // The picture; its `memory` is this observer, valid until the board runs on.
    spec::Observation observe(std::span<Subject const> running, std::span<EndedSubject const> ended);

  private:
    // A page table as it was found in one of the looks, and a page's contents likewise.
    struct Walked {
        FrameNo root;
        TableContents table;
        std::uint64_t look = 0;
        bool wanted = true;  // in the present look
    };
    struct Compared {
        spec::Contents equal;
        std::uint64_t look = 0;
    };

    std::span<std::byte const, kPageBytes> bytes(FrameNo frame) const override;
    bool holds(FrameNo frame, spec::Contents const& contents) const override;
    std::optional<bool> on_free_list(FrameNo frame) const override;
    std::optional<std::int64_t> reference_count(FrameNo frame) const override;

    Ram const& ram() const { return ram_; }
    void begin_look();
    std::size_t index_of(FrameNo frame) const { return frame.value - ram().first().value; }
    spec::ObservedProcess look_at(spec::ProcId id, FrameNo root);
    TableContents const& table_at(FrameNo root);
    ReferenceCounts::Elements const& elements_of(ReferenceCounts const& counts) const;
    void see_breaks(std::vector<spec::ObservedProcess>& running) const;

    board::Board& board_;
    Ram ram_;
    std::shared_ptr<Windows const> windows_;
    std::optional<FreeList> free_list_;
    std::uint64_t look_ = 0;              // number of the present one
    std::vector<std::uint64_t> written_;  // by frame: the first look since it was last written
    std::vector<Walked> walked_;
    mutable std::vector<Compared> compared_;  // by frame
    mutable ReferenceCounts::Elements elements_;
    mutable std::uint64_t elements_look_ = 0;  // when they were last as the table has them; 0: never
};

}  // namespace vmcheck::observe
