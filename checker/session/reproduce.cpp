#include "checker/session/reproduce.h"

#include "checker/run/runner.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace vmcheck::session {

namespace {

// What matters of an Observation, copied: kept after the machine has run on.
struct PagesSeen {
    struct Process {
        spec::ProcId id;
        bool zombie = false;
        std::vector<spec::ObservedPage> pages;
    };
    std::vector<Process> processes;
    std::map<FrameNo, std::uint64_t> references;
    std::map<FrameNo, std::optional<std::int64_t>> counts;
    std::map<FrameNo, std::optional<bool>> free;
};

PagesSeen pages_of(Execution& execution) {
    PagesSeen pages;
    spec::Observation const seen = execution.observe();
    for (spec::ObservedProcess const& process : seen.processes) {
        pages.processes.push_back({process.id, process.zombie, process.pages});
        for (spec::ObservedPage const& page : process.pages) {
            if (!page.rights.user || !page.in_ram) continue;
            ++pages.references[page.frame];
            pages.counts[page.frame] = seen.memory->reference_count(page.frame);
            pages.free[page.frame] = seen.memory->on_free_list(page.frame);
        }
    }
    return pages;
}

std::vector<PageRow> rows(PagesSeen const& seen, Vpn page) {
    std::vector<PageRow> rows;
    for (PagesSeen::Process const& process : seen.processes) {
        PageRow row;
        row.process = process.id;
        row.zombie = process.zombie;
        auto const at = std::find_if(process.pages.begin(), process.pages.end(),
                                     [&](spec::ObservedPage const& each) { return each.page == page; });
        if (at != process.pages.end()) {
            row.mapped = true;
            row.page = *at;
            if (auto found = seen.references.find(at->frame); found != seen.references.end()) {
                row.references = found->second;
                row.count = seen.counts.at(at->frame);
                row.on_free_list = seen.free.at(at->frame);
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
        if (at.value != last_) return;
        before_ = pages_of(execution);
        execution.record(true);
    }
    void after(spec::StepIndex at, Execution& execution) override {
        if (auto caller = execution.failed_allocation())
            evidence_.failed_allocations.push_back({at, std::move(*caller)});
        if (at.value != last_) return;
        evidence_.trace = execution.trace();
        execution.record(false);
        evidence_.console = execution.console_tail(400);
        after_ = pages_of(execution);
    }

    Evidence evidence(spec::Violation const& violation, spec::Layout const& layout, bool alive) {
        evidence_.heap_start = layout.heap;
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
    switch (spec::place_of(layout, *violation.address).anchor) {
        case spec::Anchor::heap:
        case spec::Anchor::bss:
        case spec::Anchor::data:
            return 0;
        case spec::Anchor::stack:
            return 1;
        default:
            return 2;
    }
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

}  // namespace

tl::expected<Reproduction, BootError> reproduce(Target const& target, spec::Program const& program,
                                                run::Divergence const& failure, std::uint32_t attempts) {
    auto fresh = target.reboot();
    if (!fresh) return tl::unexpected(fresh.error());
    auto execution = (*fresh)->start();
    if (!execution) return tl::unexpected(execution.error());
    run::FirstLook const look = run::first_look(**execution, (*fresh)->setting());
    Reproduction reproduction{.attempts = attempts};
    for (std::uint32_t attempt = 0; attempt < attempts; ++attempt) {
        bool const last = attempt + 1 == attempts;
        LastStep watcher(program.steps.size());
        run::RunOptions const options{
            .close = false, .stop_at_advice = failure.advice, .records = last, .watcher = last ? &watcher : nullptr};
        run::Counts uncounted;
        run::Run run = run::run_program(**execution, look.reference, program, options, uncounted);
        if (auto broken = (*execution)->engine_failure())
            return tl::unexpected(BootError{std::move(*broken), BootError::Kind::machine});
        if (!run.divergence || run.divergence->signature != failure.signature) continue;
        ++reproduction.times;
        if (!last) continue;
        bool const alive = failure.signature.invariant != spec::Invariant::liveness;
        spec::Layout const& layout = (*fresh)->setting()->layout;
        reproduction.records = std::move(run.records);
        reproduction.divergence = std::move(*run.divergence);
        put_the_clearest_first(layout, reproduction.divergence.violations);
        reproduction.evidence = watcher.evidence(reproduction.divergence.violations.front(), layout, alive);
    }
    return reproduction;
}

}  // namespace vmcheck::session
