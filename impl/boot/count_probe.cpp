// Fork once, and see which array's elements for the shared frames go from n to n + 1, and back when the child is gone.

#include "impl/boot/probe.h"
#include "spec/observation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace vmcheck {

namespace {

// Fewer shared frames could agree by chance with an array that counts something else.
constexpr std::size_t kFramesToTell = 3;
constexpr std::uint64_t kPagesOfAProbe = 64;

// A candidate with one reading of what its element 0 stands for, and what it said at the three moments.
struct Candidate {
    map::ReferenceCounts layout;
    observe::ReferenceCounts counts;
    std::vector<std::optional<std::int64_t>> alone, shared, alone_again;
};

std::vector<FrameNo> user_frames(spec::ObservedProcess const& process) {
    std::vector<FrameNo> frames;
    for (spec::ObservedPage const& page : process.pages)
        if (page.rights.user && page.in_ram) frames.push_back(page.frame);
    std::sort(frames.begin(), frames.end());
    return frames;
}

std::vector<Candidate> readings_of(std::vector<map::ReferenceCounts> const& arrays, FrameNo ram_start) {
    std::vector<Candidate> all;
    for (map::ReferenceCounts const& layout : arrays)
        for (map::IndexBase base : {map::IndexBase::kRam, map::IndexBase::kZero}) {
            if (layout.index_base && *layout.index_base != base) continue;
            FrameNo const first = base == map::IndexBase::kRam ? ram_start : FrameNo{0};
            all.push_back({layout, observe::ReferenceCounts(layout, first), {}, {}, {}});
        }
    return all;
}

class CountProbe {
  public:
    CountProbe(KernelExecution& execution, std::vector<Candidate> all)
        : execution_(execution), candidates_(std::move(all)) {}

    std::optional<FoundCounts> take() {
        execution_.reset();
        std::vector<FrameNo> const before = user_frames(execution_.observe().processes.front());
        frames_ = before;
        note(&Candidate::alone);
        execution_.reset();
        if (!step({spec::kInit, spec::Fork{spec::ProcId{1}}, {}})) return std::nullopt;
        spec::Observation const seen = execution_.observe();
        if (seen.processes.size() < 2) return std::nullopt;
        // Only frames that p0 had before and both have now.
        std::vector<FrameNo> const parents = user_frames(seen.processes[0]), childs = user_frames(seen.processes[1]);
        std::set_intersection(parents.begin(), parents.end(), childs.begin(), childs.end(), std::back_inserter(both_));
        std::erase_if(both_, [&](FrameNo frame) { return !std::binary_search(before.begin(), before.end(), frame); });
        if (both_.size() < kFramesToTell) return std::nullopt;
        note(&Candidate::shared);
        if (!step({spec::ProcId{1}, spec::Exit{0}, {}}) || !step({spec::kInit, spec::Wait{}, {}})) return std::nullopt;
        note(&Candidate::alone_again);
        execution_.reset();
        for (Candidate const& candidate : candidates_)
            if (auto const one = agrees(candidate)) return FoundCounts{candidate.layout, candidate.counts, *one};
        return std::nullopt;
    }

  private:
    bool step(spec::Step const& step) {
        spec::Outcome const outcome = execution_.run(step, kPagesOfAProbe).outcome;
        return std::holds_alternative<spec::Returned>(outcome.what) ||
               std::holds_alternative<spec::Ended>(outcome.what);
    }

    void note(std::vector<std::optional<std::int64_t>> Candidate::*moment) {
        observe::Ram const ram{execution_.board().ram_start(), execution_.board().ram()};
        for (Candidate& candidate : candidates_)
            for (FrameNo frame : frames_) (candidate.*moment).push_back(candidate.counts.raw(ram, frame));
    }

    // The value for one reference, if the candidate told the truth at all three moments.
    std::optional<std::int64_t> agrees(Candidate const& candidate) const {
        std::optional<std::int64_t> one;
        for (std::size_t i = 0; i < frames_.size(); ++i) {
            auto const alone = candidate.alone[i], shared = candidate.shared[i], again = candidate.alone_again[i];
            bool const was_shared = std::binary_search(both_.begin(), both_.end(), frames_[i]);
            if (!alone || !shared || !again || (one && *one != *alone)) return std::nullopt;
            if (was_shared && (*shared != *alone + 1 || *again != *alone)) return std::nullopt;
            one = alone;
        }
        return one;
    }

    KernelExecution& execution_;
    std::vector<Candidate> candidates_;
    std::vector<FrameNo> frames_;  // p0's, ascending
    std::vector<FrameNo> both_;    // of those, the ones that fork shared
};

}  // namespace

std::optional<FoundCounts> find_reference_counts(KernelExecution& execution,
                                                 std::vector<map::ReferenceCounts> const& candidates) {
    if (candidates.empty()) return std::nullopt;
    return CountProbe(execution, readings_of(candidates, execution.board().ram_start().frame())).take();
}

std::string describe(map::ReferenceCounts const& layout, std::int64_t raw_for_one) {
    return fmt::format("{} ({}int{}, {} for one reference)", layout.name, layout.is_signed ? "" : "u",
                       layout.element_bytes * 8, raw_for_one);
}

}  // namespace vmcheck
