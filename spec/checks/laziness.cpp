// I8 laziness: cow fork shares, lazy sbrk maps nothing until touched, eager sbrk maps at once.

#include "spec/checks/frame_map.h"

#include <optional>
#include <vector>

namespace vmcheck::spec {

namespace {

// Where a logical frame was seen first.
struct Sighting {
    ProcId process;
    Vpn page;
    FrameNo frame;
};

class LazinessCheck {
  public:
    explicit LazinessCheck(FrameMap const& map) : map_(map) {}

    void process(PairedProcess const& process) {
        if (!process.seen || !process.seen->broken.empty()) return;
        for (PagePair const& each : process.pages) mapped(process.id, each);
        bool const shares = map_.world().setting().profile.fork == ForkPolicy::cow;
        for (PagePair const& each : process.pages) {
            if (!each.model || each.model->presence != Presence::present || !each.model->rights.user) continue;
            result.judged = true;
            if (!each.seen)
                promised(process.id, each.page, *each.model);
            else if (shares)
                shared(process.id, each.model->frame, *each.seen);
        }
    }

    Checked finish() {
        if (copied_ > 0)
            report(first_copy_->process, first_copy_->page,
                   Copied{copied_, first_original_->process, first_copy_->process, shared_});
        return std::move(result);
    }

    Checked result;

  private:
    void report(ProcId id, Vpn vpn, Facts facts) {
        result.add(map_.at(Invariant::laziness, id, start_of(vpn), std::move(facts)));
    }

    void mapped(ProcId id, PagePair const& both) {
        if (!both.seen || !both.seen->rights.user) return;
        if (!both.model || both.model->presence != Presence::reserved) return;
        result.judged = true;
        report(id, both.page, MappedEarly{both.seen->rights});
    }

    void promised(ProcId id, Vpn vpn, Page const& page) {
        if (!is_promise_of_eager_sbrk(map_.world(), id, vpn, page)) return;  // then it is I1's
        report(id, vpn, NotMapped{});
    }

    void shared(ProcId id, LogicalFrame frame, ObservedPage const& seen) {
        if (!seen.rights.user || !seen.in_ram) return;
        // Logical frames are numbered one after the other.
        if (first_.size() <= frame.id) first_.resize(frame.id + 1);
        Sighting const here{id, seen.page, seen.frame};
        if (first_[frame.id] == 0) {
            sightings_.push_back(here);
            first_[frame.id] = static_cast<std::uint32_t>(sightings_.size());
            return;
        }
        Sighting const& known = sightings_[first_[frame.id] - 1];
        if (known.frame == seen.frame) {
            ++shared_;
            return;
        }
        if (copied_++ == 0) {
            first_original_ = known;
            first_copy_ = here;
        }
    }

    FrameMap const& map_;
    std::vector<std::uint32_t> first_;  // by logical frame: which sighting, from 1; 0 where none
    std::vector<Sighting> sightings_;
    std::uint64_t copied_ = 0, shared_ = 0;
    std::optional<Sighting> first_original_, first_copy_;
};

}  // namespace

Checked laziness_in(FrameMap const& map) {
    LazinessCheck check{map};
    for (PairedProcess const& each : map.processes()) check.process(each);
    return check.finish();
}

}  // namespace vmcheck::spec
