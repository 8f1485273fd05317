// I1 contents: every readable byte of every process is the model's.

#include "spec/checks/frame_map.h"

#include <algorithm>
#include <map>
#include <utility>

namespace vmcheck::spec {

namespace {

class ContentsCheck {
  public:
    explicit ContentsCheck(FrameMap const& map) : map_(map) {}

    void process(PairedProcess const& process) {
        if (!process.seen)
            return result.add({.invariant = Invariant::contents, .process = process.id, .facts = NoPageTable{}});
        if (!process.seen->broken.empty()) return;  // I5 says so
        for (PagePair const& each : process.pages)
            if (each.listed && each.model->rights.user && each.model->rights.read) page(process.id, each);
        for (PagePair const& each : process.pages) reserved_page(process.id, each);
    }

    Checked result;

  private:
    void report(ProcId id, VirtAddr at, Facts facts) {
        result.add(map_.at(Invariant::contents, id, at, std::move(facts)));
    }

    void page(ProcId id, PagePair const& both) {
        result.judged = true;
        Page const& page = *both.model;
        if (!both.seen) {
            if (page.presence == Presence::present && !is_promise_of_eager_sbrk(map_.world(), id, both.page, page))
                report(id, start_of(both.page), PageLost{});
            return;
        }
        if (!both.seen->in_ram) return report(id, start_of(both.page), PageLost{.outside_ram = true});
        if (page.contents) compare(id, *both.seen, page.contents);
    }

    // A reserved page that is mapped too early (I8) must at least be zero.
    void reserved_page(ProcId id, PagePair const& both) {
        if (!both.seen || !both.seen->in_ram || !both.seen->rights.user) return;
        if (both.model && both.model->presence == Presence::reserved) compare(id, *both.seen, both.model->contents);
    }

    void compare(ProcId id, ObservedPage const& seen, Contents const& expected) {
        if (map_.observation().memory->holds(seen.frame, expected)) {
            if (auto const told = told_.find(seen.frame); told != told_.end()) told->second = expected.get();
            return;
        }
        // Of ten processes that share a text page, one is told.
        if (std::exchange(told_[seen.frame], expected.get()) == expected.get()) return;
        auto const bytes = map_.observation().memory->bytes(seen.frame);
        auto const differs = std::mismatch(bytes.begin(), bytes.end(), expected->begin());
        auto const offset = static_cast<std::size_t>(differs.first - bytes.begin());
        report(id, start_of(seen.page) + offset,
               WrongByte{*differs.second, *differs.first, map_.sharers_of(map_.references_to(seen.frame))});
    }

    FrameMap const& map_;
    std::map<FrameNo, PageBytes const*> told_;  // of frames that were wrong: what they were compared with last
};

}  // namespace

Checked contents_in(FrameMap const& map) {
    ContentsCheck check{map};
    for (PairedProcess const& each : map.processes()) check.process(each);
    return std::move(check.result);
}

}  // namespace vmcheck::spec
