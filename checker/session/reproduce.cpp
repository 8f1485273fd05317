#include "checker/session/reproduce.h"

#include "checker/run/runner.h"
#include "checker/session/last_access.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace vmcheck::session {

namespace {

// What matters of an Observation, copied: kept after the machine has run on.
struct PagesSeen {
    struct Frame {
        std::uint64_t references = 0;
        std::optional<std::int64_t> count{};
        std::optional<bool> free{};
    };
    std::vector<spec::ObservedProcess> processes;
    std::map<FrameNo, Frame> frames;  // that a user PTE refers to
};

PagesSeen pages_of(Execution& execution) {
    spec::Observation seen = execution.observe();
    PagesSeen pages;
    for (spec::ObservedProcess const& process : seen.processes)
        for (spec::ObservedPage const& page : process.pages) {
            if (!page.rights.user || !page.in_ram) continue;
            PagesSeen::Frame& frame = pages.frames[page.frame];
            if (frame.references++ > 0) continue;
            frame.count = seen.memory->reference_count(page.frame);
            frame.free = seen.memory->on_free_list(page.frame);
        }
    pages.processes = std::move(seen.processes);
    return pages;
}

std::vector<PageRow> rows(PagesSeen const& seen, Vpn page) {
    std::vector<PageRow> rows;
    for (spec::ObservedProcess const& process : seen.processes) {
        PageRow row{.process = process.id, .zombie = process.zombie};
        auto const at = std::find_if(process.pages.begin(), process.pages.end(),
                                     [&](spec::ObservedPage const& each) { return each.page == page; });
        if (at != process.pages.end()) {
            row.mapped = true;
            row.page = *at;
            if (auto const frame = seen.frames.find(at->frame); frame != seen.frames.end()) {
                row.references = frame->second.references;
                row.count = frame->second.count;
                row.on_free_list = frame->second.free;
            }
        }
        rows.push_back(row);
    }
    return rows;
}

// Watches the last step of a program.
class LastStep final : public run::Watcher {
  public:
    explicit LastStep(std::size_t steps) : last_(static_cast<std::uint32_t>(steps - 1)) {}

    void before(spec::StepIndex at, Execution& execution) override {
        Played& played = evidence_.played;
        if (at.value == 0) {
            execution.note_deeds(true);
            played.free_before = execution.observe().census.free;
        }
        played.begins.push_back(execution.deeds().size());
        if (at.value != last_) return;
        before_ = pages_of(execution);
        execution.record(true);
    }
    void after(spec::StepIndex at, Execution& execution) override {
        if (auto caller = execution.failed_allocation())
            evidence_.failed_allocations.push_back({at, std::move(*caller)});
        if (at.value != last_) return;
        evidence_.played.deeds = execution.deeds();
        execution.note_deeds(false);
        evidence_.trace = execution.trace();
        execution.record(false);
        evidence_.console = execution.console_tail(400);
        after_ = pages_of(execution);
        evidence_.played.free_after = execution.observe().census.free;
    }

    Evidence evidence(spec::Violation const& violation, spec::Layout const& layout, bool alive) {
        evidence_.heap_start = layout.heap;
        if (auto const* total = std::get_if<spec::WrongTotal>(&violation.facts)) evidence_.played.wrong_total = *total;
        if (violation.address) {
            evidence_.place = spec::place_of(layout, *violation.address);
            Vpn const page = violation.address->page();
            evidence_.pages = PageTable{page, rows(before_, page), alive ? rows(after_, page) : std::vector<PageRow>{}};
        }
        return std::move(evidence_);
    }

  private:
    std::uint32_t last_;
    PagesSeen before_;
    PagesSeen after_;
    Evidence evidence_;
};

// How well a student knows the place: memory that programs store to tells more than the pages of code and constants.
int obscurity(spec::Layout const& layout, spec::Violation const& violation) {
    if (!violation.address) return 2;
    using spec::Anchor;
    Anchor const anchor = spec::place_of(layout, *violation.address).anchor;
    if (anchor == Anchor::heap || anchor == Anchor::bss || anchor == Anchor::data) return 0;
    return anchor == Anchor::stack ? 1 : 2;
}

// Of many violations alike the one that is easiest to follow comes first. The signature stays what it was.
void put_the_clearest_first(spec::Layout const& layout, std::vector<spec::Violation>& violations) {
    spec::Invariant const invariant = violations.front().invariant;
    auto const end = std::find_if(violations.begin(), violations.end(),
                                  [&](spec::Violation const& each) { return each.invariant != invariant; });
    std::stable_sort(violations.begin(), end, [&](spec::Violation const& a, spec::Violation const& b) {
        return obscurity(layout, a) < obscurity(layout, b);
    });
}

class FenceAtTraps final : public run::Watcher {
  public:
    void before(spec::StepIndex at, Execution& execution) override {
        if (at.value == 0) execution.fence_at_traps(true);
    }
    void after(spec::StepIndex, Execution&) override {}
};

}  // namespace

tl::expected<Reproduction, BootError> reproduce(Target const& fresh, spec::Program const& program,
                                                run::Divergence const& failure, std::uint32_t attempts) {
    auto execution = fresh.start();
    if (!execution) return tl::unexpected(execution.error());
    run::FirstLook const look = run::first_look(**execution, fresh.setting());
    Reproduction reproduction{.attempts = attempts};
    for (std::uint32_t attempt = 0; attempt < attempts; ++attempt) {
        bool const last = attempt + 1 == attempts;
        LastStep watcher(program.steps.size());
        run::RunOptions const options{
            .close = false, .go_on = true, .records = last, .watcher = last ? &watcher : nullptr};
        run::Counts uncounted;
        run::Run run = run::run_program(**execution, look.reference, program, options, uncounted);
        if (auto broken = (*execution)->engine_failure())
            return tl::unexpected(BootError{std::move(*broken), BootError::Kind::machine});
        auto endings = run::endings(std::move(run));
        auto const same = std::find_if(endings.rbegin(), endings.rend(), [&](run::Run const& each) {
            return each.divergence->signature == failure.signature && each.divergence->advice == failure.advice;
        });
        if (same == endings.rend()) continue;
        ++reproduction.times;
        if (!last) continue;
        bool const alive = failure.signature.invariant != spec::Invariant::liveness;
        spec::Layout const& layout = fresh.setting()->layout;
        reproduction.records = std::move(same->records);
        reproduction.divergence = std::move(*same->divergence);
        put_the_clearest_first(layout, reproduction.divergence.violations);
        reproduction.evidence = watcher.evidence(reproduction.divergence.violations.front(), layout, alive);
    }
    if (reproduction.times == attempts) {
        FenceAtTraps watcher;
        run::Counts uncounted;
        run::Run run = run::run_program(**execution, look.reference, program,
                                        {.close = false, .go_on = true, .watcher = &watcher}, uncounted);
        for (VirtAddr code : reproduction.divergence.died)
            for (CodePlace& place : (*execution)->places_of(code))
                reproduction.evidence.died_by.push_back(std::move(place));
        LastAccesses last = last_accesses(**execution, look.reference, program, reproduction.divergence);
        reproduction.evidence.written = std::move(last.write);
        reproduction.evidence.raised = std::move(last.rise);
        reproduction.evidence.read = std::move(last.read);
        reproduction.needs_stale_translation = run::endings(std::move(run)).empty();
    }
    return reproduction;
}

}  // namespace vmcheck::session
