// I1 contents: every readable byte of every process is the model's.

#include "spec/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace vmcheck::spec {

namespace {

Violation process_missing(ProcId id) {
    return Violation{.invariant = Invariant::contents,
                     .process = id,
                     .address = std::nullopt,
                     .story = fmt::format("p{} should be running, but the kernel shows no page table for it", id.value),
                     .expected = "a running process",
                     .seen = "none"};
}

Violation page_lost(Picture const& picture, ProcId id, Vpn vpn, char const* seen) {
    VirtAddr const at = start_of(vpn);
    return Violation{.invariant = Invariant::contents,
                     .process = id,
                     .address = at,
                     .story = fmt::format("p{} has lost its page at {}: {}", id.value, picture.place(at), seen),
                     .expected = "a valid PTE to its contents",
                     .seen = seen};
}

Violation bytes_differ(Picture const& picture, ProcId id, ObservedPage const& seen_page, std::size_t offset,
                       std::byte expected, std::byte seen) {
    VirtAddr const at = start_of(seen_page.page) + offset;
    auto const references = picture.references_to(seen_page.frame);
    std::string const sharers =
        references.size() > 1 ? fmt::format(" ({} map one frame)", list_of(picture, references)) : std::string{};
    return Violation{
        .invariant = Invariant::contents,
        .process = id,
        .address = at,
        .story = fmt::format("p{}'s memory at {} holds another byte than p{}'s stores and calls left there{}", id.value,
                             picture.place(at), id.value, sharers),
        .expected = fmt::format("byte {:#04x}", std::to_integer<unsigned>(expected)),
        .seen = fmt::format("byte {:#04x}", std::to_integer<unsigned>(seen))};
}

class ContentsCheck {
  public:
    explicit ContentsCheck(Picture const& picture) : picture_(picture), compared_(picture.references().size()) {}

    void process(ProcId id) {
        ObservedProcess const* const seen = picture_.find(id);
        if (!seen) return report(process_missing(id));
        if (!seen->broken.empty()) return;  // I5 says so
        for (auto const& [vpn, page] : picture_.world().find(id)->space->pages)
            if (page.contents && page.rights.user && page.rights.read) this->page(*seen, vpn, page);
        for (ObservedPage const& reserved : seen->pages) this->reserved_page(*seen, reserved);
    }

    Checked result;

  private:
    void report(Violation violation) {
        if (result.violations.size() < kViolationsMax) result.violations.push_back(std::move(violation));
    }

    void page(ObservedProcess const& process, Vpn vpn, Page const& page) {
        result.judged = true;
        ObservedPage const* const seen = Picture::find(process, vpn);
        if (!seen) {
            if (page.presence == Presence::present && !is_promise_of_eager_sbrk(picture_.world(), vpn, page))
                report(page_lost(picture_, process.id, vpn, "the PTE is not valid"));
            return;
        }
        if (!seen->in_ram) return report(page_lost(picture_, process.id, vpn, "the PTE points outside RAM"));
        compare(process.id, *seen, page.contents);
    }

    // A reserved page that is mapped too early (I8) must at least be zero.
    void reserved_page(ObservedProcess const& process, ObservedPage const& seen) {
        if (!seen.in_ram || !seen.rights.user) return;
        auto const page = picture_.world().page_at(process.id, seen.page);
        if (page && page->presence == Presence::reserved) compare(process.id, seen, page->contents);
    }

    void compare(ProcId id, ObservedPage const& seen, Contents const& expected) {
        // Ten processes that share a text page: compared once.
        PageBytes const*& compared = compared_[picture_.first_reference_to(seen.frame)];
        if (std::exchange(compared, expected.get()) == expected.get()) return;
        auto const bytes = picture_.observation().memory->bytes(seen.frame);
        if (std::memcmp(bytes.data(), expected->data(), kPageBytes) == 0) return;
        auto const differs = std::mismatch(bytes.begin(), bytes.end(), expected->begin());
        auto const offset = static_cast<std::size_t>(differs.first - bytes.begin());
        report(bytes_differ(picture_, id, seen, offset, *differs.second, *differs.first));
    }

    Picture const& picture_;
    std::vector<PageBytes const*> compared_;  // with what, by the frame's first reference
};

}  // namespace

Checked contents_in(Picture const& picture) {
    ContentsCheck check{picture};
    for (ProcId id : picture.world().running()) check.process(id);
    return std::move(check.result);
}

}  // namespace vmcheck::spec
