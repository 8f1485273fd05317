// I1 contents: every readable byte of every process is the model's.

#include "spec/checks/frame_map.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vmcheck::spec {

namespace {

class ContentsCheck {
  public:
    explicit ContentsCheck(FrameMap const& map) : map_(map), compared_(map.references().size()) {}

    void process(ProcId id) {
        ObservedProcess const* const seen = map_.find(id);
        if (!seen) return result.add({.invariant = Invariant::contents, .process = id, .facts = NoPageTable{}});
        if (!seen->broken.empty()) return;  // I5 says so
        for (auto const& [vpn, page] : map_.world().find(id)->space->pages)
            if (page.rights.user && page.rights.read) this->page(*seen, vpn, page);
        for (ObservedPage const& reserved : seen->pages) this->reserved_page(*seen, reserved);
    }

    Checked result;

  private:
    void report(ProcId id, VirtAddr at, Facts facts) {
        result.add(map_.at(Invariant::contents, id, at, std::move(facts)));
    }

    void page(ObservedProcess const& process, Vpn vpn, Page const& page) {
        result.judged = true;
        ObservedPage const* const seen = FrameMap::find(process, vpn);
        if (!seen) {
            if (page.presence == Presence::present && !is_promise_of_eager_sbrk(map_.world(), process.id, vpn, page))
                report(process.id, start_of(vpn), PageLost{});
            return;
        }
        if (!seen->in_ram) return report(process.id, start_of(vpn), PageLost{.outside_ram = true});
        if (page.contents) compare(process.id, *seen, page.contents);
    }

    // A reserved page that is mapped too early (I8) must at least be zero.
    void reserved_page(ObservedProcess const& process, ObservedPage const& seen) {
        if (!seen.in_ram || !seen.rights.user) return;
        auto const page = map_.world().page_at(process.id, seen.page);
        if (page && page->presence == Presence::reserved) compare(process.id, seen, page->contents);
    }

    void compare(ProcId id, ObservedPage const& seen, Contents const& expected) {
        // Ten processes that share a text page: compared once.
        PageBytes const*& compared = compared_[map_.first_reference_to(seen.frame)];
        if (std::exchange(compared, expected.get()) == expected.get()) return;
        auto const bytes = map_.observation().memory->bytes(seen.frame);
        if (std::memcmp(bytes.data(), expected->data(), kPageBytes) == 0) return;
        auto const differs = std::mismatch(bytes.begin(), bytes.end(), expected->begin());
        auto const offset = static_cast<std::size_t>(differs.first - bytes.begin());
        report(id, start_of(seen.page) + offset,
               WrongByte{*differs.second, *differs.first, map_.sharers_of(map_.references_to(seen.frame))});
    }

    FrameMap const& map_;
    std::vector<PageBytes const*> compared_;  // with what, by the frame's first reference
};

}  // namespace

Checked contents_in(FrameMap const& map) {
    ContentsCheck check{map};
    for (ProcId id : map.world().running()) check.process(id);
    return std::move(check.result);
}

}  // namespace vmcheck::spec
