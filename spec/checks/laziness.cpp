// I8 laziness: cow fork shares, lazy sbrk maps nothing until touched, eager sbrk maps at once.

#include "spec/checks/frame_map.h"

#include <unordered_map>

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

    void process(ProcId id) {
        ObservedProcess const* const seen = map_.find(id);
        if (!seen || !seen->broken.empty()) return;
        for (ObservedPage const& page : seen->pages) mapped(id, page);
        bool const shares = map_.world().setting().profile.fork == ForkPolicy::cow;
        for (auto const& [vpn, page] : map_.world().find(id)->space->pages) {
            if (page.presence != Presence::present || !page.rights.user) continue;
            result.judged = true;
            ObservedPage const* const observed = FrameMap::find(*seen, vpn);
            if (!observed)
                promised(id, vpn, page);
            else if (shares)
                shared(id, page.frame, *observed);
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

    void mapped(ProcId id, ObservedPage const& seen) {
        if (!seen.rights.user) return;
        auto const page = map_.world().page_at(id, seen.page);
        if (!page || page->presence != Presence::reserved) return;
        result.judged = true;
        report(id, seen.page, MappedEarly{seen.rights});
    }

    void promised(ProcId id, Vpn vpn, Page const& page) {
        if (!is_promise_of_eager_sbrk(map_.world(), id, vpn, page)) return;  // then it is I1's
        report(id, vpn, NotMapped{});
    }

    void shared(ProcId id, LogicalFrame frame, ObservedPage const& seen) {
        if (!seen.rights.user || !seen.in_ram) return;
        Sighting const here{id, seen.page, seen.frame};
        auto const [known, fresh] = sightings_.try_emplace(frame.id, here);
        if (fresh) return;
        if (known->second.frame == seen.frame) {
            ++shared_;
            return;
        }
        if (copied_++ == 0) {
            first_original_ = known->second;
            first_copy_ = here;
        }
    }

    FrameMap const& map_;
    std::unordered_map<std::uint64_t, Sighting> sightings_;
    std::uint64_t copied_ = 0, shared_ = 0;
    std::optional<Sighting> first_original_, first_copy_;
};

}  // namespace

Checked laziness_in(FrameMap const& map) {
    LazinessCheck check{map};
    for (ProcId id : map.world().running()) check.process(id);
    return check.finish();
}

}  // namespace vmcheck::spec
