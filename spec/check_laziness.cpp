// I8 laziness: cow fork shares, lazy sbrk maps nothing until touched, eager sbrk maps at once.

#include "spec/picture.h"

#include <fmt/format.h>

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
    explicit LazinessCheck(Picture const& picture) : picture_(picture) {}

    void process(ProcId id) {
        ObservedProcess const* const seen = picture_.find(id);
        if (!seen || !seen->broken.empty()) return;
        for (ObservedPage const& page : seen->pages) mapped(id, page);
        bool const shares = picture_.world().setting().profile.fork == ForkPolicy::cow;
        for (auto const& [vpn, page] : picture_.world().find(id)->space->pages) {
            if (page.presence != Presence::present || !page.rights.user) continue;
            result.judged = true;
            ObservedPage const* const observed = Picture::find(*seen, vpn);
            if (!observed)
                promised(id, vpn, page);
            else if (shares)
                shared(id, page.frame, *observed);
        }
    }

    Checked finish() {
        if (copied_ > 0)
            result.violations.push_back(Violation{
                .invariant = Invariant::laziness,
                .process = first_copy_->process,
                .address = start_of(first_copy_->page),
                .story = fmt::format("fork copied {} frame{} that p{} and p{} should share until one of them stores",
                                     copied_, copied_ == 1 ? "" : "s", first_original_->process.value,
                                     first_copy_->process.value),
                .expected = fmt::format("p{} and p{} map one frame at {}", first_original_->process.value,
                                        first_copy_->process.value, picture_.place(start_of(first_copy_->page))),
                .seen = fmt::format("{} frames of their own", copied_)});
        return std::move(result);
    }

    Checked result;

  private:
    void report(ProcId id, Vpn vpn, std::string story, std::string expected, std::string seen) {
        if (result.violations.size() < kViolationsMax)
            result.violations.push_back(Violation{Invariant::laziness, id, start_of(vpn), std::move(story),
                                                  std::move(expected), std::move(seen)});
    }

    void mapped(ProcId id, ObservedPage const& seen) {
        if (!seen.rights.user) return;
        auto const page = picture_.world().page_at(id, seen.page);
        if (!page || page->presence != Presence::reserved) return;
        result.judged = true;
        report(id, seen.page,
               fmt::format("p{}'s page at {} is mapped although nobody has touched it: lazy sbrk only moves the break",
                           id.value, picture_.place(start_of(seen.page))),
               "no PTE yet", "PTE " + to_string(seen.rights));
    }

    void promised(ProcId id, Vpn vpn, Page const& page) {
        if (!is_promise_of_eager_sbrk(picture_.world(), vpn, page)) return;  // then it is I1's
        report(id, vpn,
               fmt::format("p{}'s page at {} is below the break, but not mapped: eager sbrk maps at once", id.value,
                           picture_.place(start_of(vpn))),
               "a valid PTE", "none");
    }

    void shared(ProcId id, LogicalFrame frame, ObservedPage const& seen) {
        if (!seen.rights.user || !seen.in_ram) return;
        Sighting const here{id, seen.page, seen.frame};
        auto const [known, fresh] = sightings_.try_emplace(frame.id, here);
        if (fresh || known->second.frame == seen.frame) return;
        if (copied_++ == 0) {
            first_original_ = known->second;
            first_copy_ = here;
        }
    }

    Picture const& picture_;
    std::unordered_map<std::uint64_t, Sighting> sightings_;
    std::uint64_t copied_ = 0;
    std::optional<Sighting> first_original_, first_copy_;
};

}  // namespace

Checked laziness_in(Picture const& picture) {
    LazinessCheck check{picture};
    for (ProcId id : picture.world().running()) check.process(id);
    return check.finish();
}

}  // namespace vmcheck::spec
