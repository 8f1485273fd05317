#include "spec/checks/frame_map.h"
#include "spec/invariants.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

// I7: the break is what sbrk says. Counted where results are.
Checked breaks_in(FrameMap const& map) {
    Checked checked;
    for (auto const& [id, seen, model, pages] : map.processes()) {
        VirtAddr const expected = model->brk;
        if (!seen || !seen->brk || *seen->brk == expected.value) continue;
        constexpr std::uint64_t kLowHalf = UINT32_MAX;
        bool const wraps = (*seen->brk & kLowHalf) == (expected.value & kLowHalf);
        using How = WrongBreak::How;
        checked.add({.invariant = Invariant::results,
                     .process = id,
                     .facts = WrongBreak{expected, *seen->brk, wraps ? How::wraps : How::other}});
    }
    return checked;
}

// I7: a child that has ended is there until its parent has waited for it. Counted where results are.
Checked lost_children_in(FrameMap const& map) {
    Checked checked;
    auto const& seen = map.observation().zombies;
    if (!seen) return checked;
    for (auto const& [id, process] : map.world().processes())
        if (process.life == Life::zombie && !process.perhaps_reaped &&
            std::find(seen->begin(), seen->end(), id) == seen->end())
            checked.add({.invariant = Invariant::results, .process = id, .facts = ChildLost{}});
    return checked;
}

bool is_known(Setting const& setting, Violation const& violation) {
    return std::any_of(setting.known_wrong.begin(), setting.known_wrong.end(), [&](KnownWrong const& known) {
        return known.invariant == violation.invariant &&
               (!known.page || (violation.address && *known.page == violation.address->page()));
    });
}

// Of a page of the image. What another program's are like then, nobody knows: it is not asked for.
ImagePage* image_page(Setting& setting, Vpn page) {
    for (ImagePage& each : setting.layout.image)
        if (each.page == page) {
            setting.set_more_pages({});
            return &each;
        }
    return nullptr;
}

// What putting_up_with() does with each kind of violation: false where that is nothing.
class Adoption {
  public:
    explicit Adoption(Setting& setting, Violation const& violation) : setting_(setting), violation_(violation) {}

    template <class Other>
    bool operator()(Other const&) {
        return false;
    }
    bool operator()(WrongRights const& wrong) {
        if (ImagePage* const page = image_page(setting_, violation_.address->page()))
            page->rights = wrong.seen;
        else
            know(violation_.address->page());
        return true;
    }
    bool operator()(WrongByte const& wrong) { return forget(wrong.sharers); }
    bool operator()(WritableShared const& shared) {
        know(violation_.address->page());
        return forget(shared.sharers);
    }
    bool operator()(WrongCount const&) {
        know(std::nullopt);
        return true;
    }

  private:
    void know(std::optional<Vpn> page) { setting_.known_wrong.push_back({violation_.invariant, page}); }

    // What these pages of the image hold.
    bool forget(Sharers const& sharers) {
        for (Sharer const& each : sharers.named) {
            VirtAddr const at =
                setting_.layout.start_of(each.place.anchor) + static_cast<std::uint64_t>(each.place.offset);
            if (ImagePage* const page = image_page(setting_, at.page())) page->contents = nullptr;
        }
        return image_page(setting_, violation_.address->page()) != nullptr;
    }

    Setting& setting_;
    Violation const& violation_;
};

}  // namespace

void explain_breaks(World const& before, Step const& step, std::vector<Violation>& violations) {
    auto const* const sbrk = std::get_if<Sbrk>(&step.action);
    for (Violation& violation : violations) {
        auto* const wrong = std::get_if<WrongBreak>(&violation.facts);
        if (wrong == nullptr || wrong->how != WrongBreak::How::other || !sbrk || violation.process != step.actor)
            continue;
        std::uint64_t const old = before.find(step.actor)->space->brk.value;
        auto const bytes = static_cast<std::uint64_t>(sbrk->bytes);
        auto const is_seen = [&](std::uint64_t brk) {
            return wrong->seen == brk || wrong->seen == static_cast<std::uint32_t>(brk);
        };
        using How = WrongBreak::How;
        std::uint64_t const expected = wrong->expected.value;
        if (sbrk->bytes < 0 && 0 - bytes > old && is_seen(old + bytes))
            wrong->how = How::below_zero;
        else if (expected == old)
            wrong->how = How::failed;
        else if (is_seen(expected + (expected - old)))
            wrong->how = How::twice;
    }
}

bool put_up_with(Setting& setting, std::vector<Violation> const& at_boot) {
    return std::all_of(at_boot.begin(), at_boot.end(), [&](Violation const& violation) {
        return std::visit(Adoption{setting, violation}, violation.facts);
    });
}

std::vector<Violation> inspect(World const& world, Observation const& observation,
                               std::optional<Baseline> const& baseline, CheckCounts& counts) {
    std::vector<Violation> violations;
    if (world.over()) return violations;  // the machine has stopped, rightly: there is nothing to hold it to
    FrameMap const map{world, observation};
    auto const add = [&](Invariant invariant, Checked checked) {
        auto const index = static_cast<std::size_t>(invariant);
        counts.evaluated[index] += checked.judged ? 1 : 0;
        counts.skipped[index] += checked.skipped ? 1 : 0;
        if (checked.violations.empty()) return;
        std::erase_if(checked.violations, [&](Violation const& each) { return is_known(world.setting(), each); });
        if (checked.violations.size() > kViolationsMax) checked.violations.resize(kViolationsMax);
        violations.insert(violations.end(), std::make_move_iterator(checked.violations.begin()),
                          std::make_move_iterator(checked.violations.end()));
    };
    // What memory there is follows from the break. Then what the user can see, then what will become visible, then what
    // is only lost.
    add(Invariant::results, breaks_in(map));
    add(Invariant::contents, contents_in(map));
    add(Invariant::isolation, isolation_in(map));
    add(Invariant::rights, rights_in(map));
    add(Invariant::dangling, dangling_in(map));
    add(Invariant::results, lost_children_in(map));
    add(Invariant::counts, counts_in(map));
    add(Invariant::laziness, laziness_in(map));
    add(Invariant::conservation, conservation_in(map, baseline));
    return violations;
}

}  // namespace vmcheck::spec
