// Fork once, and see which array's elements for the shared frames go from n to n + 1, and back when the child is gone.

#include "impl/boot/probe.h"
#include "spec/observation.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <utility>

namespace vmcheck {

namespace {

// Fewer shared frames could agree by chance with an array that counts something else.
constexpr std::size_t kFramesToTell = 3;

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
        observe::Ram const ram = observe::ram_of(execution_.board());
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

// Counts that no declaration shows: behind a pointer, in structures with a lock each, from another frame on, with a
// value of its own for what was never shared. They are found by their use: of the bytes that change, those that rise by
// one at each fork and fall again when the children are gone, one for each shared frame, a fixed distance apart; or, in
// whatever order, as far from a word that says whose count it is.
class UseProbe {
  public:
    UseProbe(KernelExecution& execution, elf::KernelImage const& image) : execution_(execution), image_(image) {}

    std::optional<FoundCounts> take() {
        // Twice the same: first to learn which frames of RAM change at all.
        if (!rehearse([](std::size_t) {})) return std::nullopt;
        auto const dirty = execution_.board().dirty_frames();
        std::vector<FrameNo> changing(dirty.begin(), dirty.end());
        std::sort(changing.begin(), changing.end());
        std::erase_if(changing, [&](FrameNo frame) { return mapped_.contains(frame); });
        std::array<std::vector<std::byte>, kMoments> seen;
        bool const again = rehearse([&](std::size_t moment) {
            for (FrameNo frame : changing)
                if (auto const bytes = execution_.board().frame(frame))
                    seen[moment].insert(seen[moment].end(), bytes->begin(), bytes->end());
        });
        if (!again || shared_.size() < kFramesToTell) return std::nullopt;
        std::vector<std::uint64_t> counting;  // physical addresses, ascending
        for (std::size_t i = 0; i < seen[0].size(); ++i) {
            auto const at = [&](std::size_t moment) { return std::to_integer<unsigned>(seen[moment][i]); };
            if (at(kForked) == at(kAlone) + 1 && at(kForkedTwice) == at(kForked) + 1 && at(kForkedAgain) == at(kForked))
                counting.push_back(start_of(changing[i / kPageBytes]).value + i % kPageBytes);
        }
        for (std::uint64_t first : counting)
            for (std::uint64_t second : counting)
                if (auto found = reading(counting, first, second)) return found;
        return with_keys(changing, seen[kForked], seen[kForkedTwice]);
    }

  private:
    enum Moment : std::size_t { kFresh, kForked, kForkedTwice, kAlone, kForkedAgain, kMoments };
    static constexpr std::uint64_t kStrideMax = 256;
    static constexpr std::int64_t kKeyDistanceMax = 64;
    // A kernel may be made to look like any of that in many places.
    static constexpr std::size_t kKeysMax = 16, kTablesMax = 16;
    static constexpr std::uint64_t kTableBytesMax = std::uint64_t{4} << 20;

    bool step(std::uint32_t actor, spec::Action const& action) {
        spec::Outcome const outcome = execution_.run({spec::ProcId{actor}, action, {}}, kPagesOfAProbe).outcome;
        return std::holds_alternative<spec::Returned>(outcome.what) ||
               std::holds_alternative<spec::Ended>(outcome.what);
    }

    // Keeps only the frames that all processes map.
    void look() {
        for (spec::ObservedProcess const& process : execution_.observe().processes) {
            auto const frames = user_frames(process);
            mapped_.insert(frames.begin(), frames.end());
            if (shared_.empty()) shared_ = frames;
            std::erase_if(shared_,
                          [&](FrameNo each) { return !std::binary_search(frames.begin(), frames.end(), each); });
        }
        shared_.erase(std::unique(shared_.begin(), shared_.end()), shared_.end());
    }

    template <class AtMoment>
    bool rehearse(AtMoment at_moment) {
        using spec::ProcId;
        execution_.reset();
        look();
        at_moment(kFresh);
        if (!step(0, spec::Fork{ProcId{1}})) return false;
        look();
        at_moment(kForked);
        if (!step(0, spec::Fork{ProcId{2}})) return false;
        look();
        at_moment(kForkedTwice);
        for (std::uint32_t child : {1U, 2U})
            if (!step(child, spec::Exit{0}) || !step(0, spec::Wait{})) return false;
        at_moment(kAlone);
        if (!step(0, spec::Fork{ProcId{3}})) return false;
        look();
        at_moment(kForkedAgain);
        return true;
    }

    // With the counts of the first two shared frames at these addresses, if all others' are where they must be then.
    std::optional<FoundCounts> reading(std::vector<std::uint64_t> const& counting, std::uint64_t first,
                                       std::uint64_t second) {
        std::uint64_t const apart = shared_[1].value - shared_[0].value;
        if (second <= first || (second - first) % apart != 0 || (second - first) / apart > kStrideMax)
            return std::nullopt;
        std::uint64_t const stride = (second - first) / apart;
        for (FrameNo frame : shared_)
            if (!std::binary_search(counting.begin(), counting.end(),
                                    first + (frame.value - shared_[0].value) * stride))
                return std::nullopt;
        FrameNo const ram_start = execution_.board().ram_start().frame();
        map::ReferenceCounts layout{.name = name_of(first),
                                    .base = PhysAddr{first - (shared_[0].value - ram_start.value) * stride},
                                    .stride = stride,
                                    .is_signed = true,
                                    .index_base = map::IndexBase::kRam,
                                    .by_use = true};
        for (std::uint64_t bytes : {4U, 2U, 1U}) {
            if (bytes > stride || stride % bytes != 0 || first % bytes != 0) continue;
            layout.element_bytes = bytes;
            if (auto found = confirmed(layout)) return found;
        }
        return std::nullopt;
    }

    // With counts that lie beside keys. Only here may an element come and go: what counts need not be where it was
    // before all children were gone.
    std::optional<FoundCounts> with_keys(std::vector<FrameNo> const& changing, std::vector<std::byte> const& forked,
                                         std::vector<std::byte> const& forked_twice) {
        std::set<std::uint64_t> counting;                                     // offsets in what was seen
        std::map<std::pair<bool, FrameNo>, std::vector<std::uint64_t>> keys;  // offsets, by kind of key and frame
        for (std::size_t i = 0; i < forked.size(); ++i) {
            if (std::to_integer<unsigned>(forked_twice[i]) == std::to_integer<unsigned>(forked[i]) + 1)
                counting.insert(i);
            if (i % sizeof(std::uint64_t) != 0) continue;
            std::uint64_t const word = load_little_endian(std::span(forked).subspan(i, sizeof word));
            for (bool is_number : {false, true}) {
                if (!is_number && word % kPageBytes != 0) continue;
                FrameNo const frame = is_number ? FrameNo{word} : PhysAddr{word}.frame();
                if (!std::binary_search(shared_.begin(), shared_.end(), frame)) continue;
                if (auto& its = keys[{is_number, frame}]; its.size() < kKeysMax) its.push_back(i);
            }
        }
        for (bool is_number : {false, true}) {
            auto const& firsts = keys[{is_number, shared_.front()}];
            for (std::uint64_t first : firsts)
                for (std::int64_t apart = -kKeyDistanceMax; apart <= kKeyDistanceMax; ++apart) {
                    auto const counts = [&](std::uint64_t key) {
                        return counting.contains(key + static_cast<std::uint64_t>(apart));
                    };
                    if (!counts(first) || !std::ranges::all_of(shared_, [&](FrameNo frame) {
                            return std::ranges::any_of(keys[{is_number, frame}], counts);
                        }))
                        continue;
                    PhysAddr const key = start_of(changing[first / kPageBytes]) + first % kPageBytes;
                    if (auto found = table_around(key, {.to_count = apart, .is_number = is_number})) return found;
                }
        }
        return std::nullopt;
    }

    // All of the variable in which that key lies.
    std::optional<FoundCounts> table_around(PhysAddr key, map::ReferenceCounts::Key layout_of_key) {
        constexpr std::uint64_t kWord = sizeof(std::uint64_t);
        for (elf::Symbol const& symbol : image_.symbols()) {
            auto const start = symbol.bytes > 0 ? image_.to_physical(symbol.address) : std::nullopt;
            if (!start || key < *start || key.value - start->value >= symbol.bytes) continue;
            if (symbol.bytes > kTableBytesMax || tables_tried_ == kTablesMax) continue;
            ++tables_tried_;
            map::ReferenceCounts layout{.name = elf::source_name(symbol.name),
                                        .base = PhysAddr{(start->value + kWord - 1) / kWord * kWord},
                                        .count = symbol.bytes / kWord,
                                        .is_signed = true,
                                        .by_use = true,
                                        .key = layout_of_key};
            for (std::uint64_t bytes : {4U, 2U, 1U}) {
                layout.element_bytes = layout.stride = bytes;
                if ((key.value + static_cast<std::uint64_t>(layout_of_key.to_count)) % bytes != 0) continue;
                if (auto found = confirmed(layout)) return found;
            }
        }
        return std::nullopt;
    }

    // Whether it tells of each frame how many refer to it: of shared ones, of the copy after a store, of a new page.
    std::optional<FoundCounts> confirmed(map::ReferenceCounts layout) {
        FrameNo const ram_start = execution_.board().ram_start().frame();
        observe::Ram const ram = observe::ram_of(execution_.board());
        execution_.reset();
        auto const fresh = observe::ReferenceCounts(layout, ram_start).raw(ram, shared_[0]);
        if (!step(0, spec::Fork{spec::ProcId{1}})) return std::nullopt;
        // A frame that was never shared need not have an element.
        auto const two = observe::ReferenceCounts(layout, ram_start).raw(ram, shared_[0]);
        if (layout.key && !fresh && two) layout.when_absent = *two - 1;
        if (!step(1, spec::Exit{0}) || !step(0, spec::Wait{})) return std::nullopt;
        auto const one = observe::ReferenceCounts(layout, ram_start).raw(ram, shared_[0]);
        if ((!fresh && !layout.when_absent) || !one) return std::nullopt;
        if (fresh && *fresh != *one) layout.never_shared = *fresh;
        // It would read as several.
        constexpr std::int64_t kReferencesMax = 1024;
        if (fresh && *fresh > *one && *fresh < *one + kReferencesMax) return std::nullopt;
        FoundCounts found{layout, observe::ReferenceCounts(layout, ram_start), *one};
        // Elements that were let go stay, to be told from those in use.
        if (!layout.key) execution_.reset();
        auto const heap = static_cast<std::int64_t>(kPageBytes);
        std::uint64_t const brk = break_after(heap);
        if (brk == 0) return std::nullopt;
        spec::Address const page{spec::Anchor::absolute, static_cast<std::int64_t>(brk)};
        if (!step(0, spec::Store{page, 1, 1}) || !step(0, spec::Fork{spec::ProcId{2}}) ||
            !step(2, spec::Store{page, 1, 2}))
            return std::nullopt;
        std::map<FrameNo, std::int64_t> references;
        for (spec::ObservedProcess const& process : execution_.observe().processes)
            for (FrameNo frame : user_frames(process)) ++references[frame];
        for (auto const& [frame, number] : references)
            if (found.counts.normalised(ram, frame, *one) != number) return std::nullopt;
        return found;
    }

    // The break before an sbrk; 0 where it fails.
    std::uint64_t break_after(std::int64_t bytes) {
        spec::Step const grow{spec::kInit, spec::Sbrk{bytes, spec::SbrkMode::eager}, {}};
        auto const outcome = execution_.run(grow, kPagesOfAProbe).outcome;
        auto const* returned = std::get_if<spec::Returned>(&outcome.what);
        return returned && static_cast<std::int64_t>(returned->value) > 0 ? returned->value : 0;
    }

    // The variable that holds that address, if one does.
    std::string name_of(std::uint64_t address) const {
        for (elf::Symbol const& symbol : image_.symbols()) {
            auto const start = symbol.bytes > 0 ? image_.to_physical(symbol.address) : std::nullopt;
            if (start && address >= start->value && address - start->value < symbol.bytes)
                return elf::source_name(symbol.name);
        }
        return fmt::format("at {:#x}", address);
    }

    KernelExecution& execution_;
    elf::KernelImage const& image_;
    std::set<FrameNo> mapped_;     // by any process, at any moment
    std::vector<FrameNo> shared_;  // by all processes at all moments; ascending
    std::size_t tables_tried_ = 0;
};

}  // namespace

std::optional<FoundCounts> find_reference_counts(KernelExecution& execution,
                                                 std::vector<map::ReferenceCounts> const& candidates,
                                                 elf::KernelImage const& image) {
    if (!candidates.empty())
        if (auto found = CountProbe(execution, readings_of(candidates, execution.board().ram_start().frame())).take())
            return found;
    auto found = UseProbe(execution, image).take();
    execution.reset();
    return found;
}

std::string describe(map::ReferenceCounts const& layout, std::int64_t raw_for_one) {
    std::string const sum = layout.arrays > 1 ? fmt::format(", {} arrays to be summed", layout.arrays) : "";
    return fmt::format("{} ({}int{}, {} for one reference{})", layout.name, layout.is_signed ? "" : "u",
                       layout.element_bytes * 8, raw_for_one, sum);
}

}  // namespace vmcheck
