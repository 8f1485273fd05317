#include "checker/session/session.h"

#include "checker/finding/finding.h"
#include "checker/qemu/script.h"
#include "checker/qemu/trial.h"
#include "checker/repro/repro_c.h"
#include "checker/run/runner.h"
#include "checker/session/blame.h"
#include "checker/session/free_arguments.h"
#include "checker/session/mistakes.h"
#include "checker/session/reproduce.h"
#include "checker/shrink/shrinker.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

namespace vmcheck::session {

namespace {

// Whether the emulator works on all machines; asked after programs were run on them. Those that were asked to stop do.
tl::expected<void, BootError> check_engines(Kernel const& kernel, std::stop_token const& stop) {
    auto const failure = kernel.machines.engine_failure();
    if (!failure || stop.stop_requested()) return {};
    return tl::unexpected(BootError{
        fmt::format("the emulator failed, which says nothing about the kernel: {} Run the same command again; if it "
                    "fails again, vmcheck doctor says whether vmcheck works on this machine.",
                    *failure),
        BootError::Kind::machine});
}

// One mistake shows at many pages: of each kind the first stands for all. A page that is not the one that it should be
// has neither the bytes nor the rights of that.
std::vector<spec::Violation> merged(std::vector<spec::Violation> all) {
    std::set<std::pair<std::optional<spec::ProcId>, Vpn>> others;
    for (spec::Violation const& each : all)
        if (std::holds_alternative<spec::WrongByte>(each.facts)) others.emplace(each.process, each.address->page());
    std::erase_if(all, [&](spec::Violation const& each) {
        return std::holds_alternative<spec::WrongRights>(each.facts) &&
               others.contains({each.process, each.address->page()});
    });
    auto const kind = [](spec::Violation const& violation) {
        auto const* rights = std::get_if<spec::WrongRights>(&violation.facts);
        return std::tuple(violation.invariant, violation.facts.index(),
                          rights ? std::optional(rights->what) : std::nullopt);
    };
    std::vector<spec::Violation> merged;
    for (spec::Violation const& violation : all) {
        auto const known = std::find_if(merged.begin(), merged.end(),
                                        [&](spec::Violation const& each) { return kind(each) == kind(violation); });
        if (known == merged.end())
            merged.push_back(violation);
        else
            ++known->alike;
    }
    return merged;
}

// What is known before any program was run.
SessionResult introduce(Kernel const& kernel, std::uint64_t seed) {
    SessionResult result;
    result.kernel = kernel.target->summary();
    result.disk = kernel.target->anatomy().disk;
    result.seed = seed;
    result.boot_violations = result.kernel.wrong;
    result.boot_violations.insert(result.boot_violations.end(), kernel.look.violations.begin(),
                                  kernel.look.violations.end());
    result.boot_violations = merged(std::move(result.boot_violations));
    return result;
}

std::vector<std::string> not_checked(run::CampaignResult const& campaign) {
    std::vector<std::string> missing;
    if (campaign.no_pressure) missing.push_back("Memory pressure was not tried. " + *campaign.no_pressure);
    for (std::string const& why : campaign.no_harts)
        missing.push_back("Programs on several harts were not all run. " + why);
    return missing;
}

// The frames of a free list that has no end, or runs into nowhere, cannot be used up: nothing is learnt from trying.
bool free_list_is_broken(SessionResult const& result) {
    return std::any_of(
        result.boot_violations.begin(), result.boot_violations.end(),
        [](spec::Violation const& violation) { return std::holds_alternative<spec::FreeListBroken>(violation.facts); });
}

// Of a run of a program with so many steps: as it ends at the last of them, where it fails there, else where it first
// fails.
run::Run ending_of(run::Run run, std::size_t steps) {
    auto endings = run::endings(run);
    std::erase_if(endings, [](run::Run const& each) { return each.divergence->advice; });
    auto const last = std::find_if(endings.begin(), endings.end(),
                                   [&](run::Run const& each) { return each.program.steps.size() == steps; });
    if (last != endings.end()) return std::move(*last);
    return endings.empty() ? std::move(run) : std::move(endings.front());
}

// On a kernel that is booted anew for it; where there is little time left, for all that is left. No attempts: there was
// no time.
tl::expected<Reproduction, BootError> reproduce_anew(Kernel& kernel, spec::Program const& program,
                                                     run::Divergence const& failure, Options const& options) {
    if (!kernel.rebooted || !options.stop.stop_requested()) {
        // Meanwhile nobody needs what the last programs have used, and to boot takes as much as the machine has.
        kernel.machines.reset();
        auto fresh = kernel.target->reboot(kernel.target->setting()->profile, options.last_call);
        if (options.last_call.stop_requested()) return Reproduction{};
        if (!fresh) return tl::unexpected(fresh.error());
        kernel.rebooted = std::move(*fresh);
    }
    auto reproduction = reproduce(*kernel.rebooted, program, failure);
    if (options.last_call.stop_requested()) return Reproduction{};
    return reproduction;
}

// The one step in which a kernel shows that a lab was not done at all.
tl::expected<Finding, BootError> finding_of_lab(Kernel& kernel, spec::LabNotDone::Lab lab, Options options) {
    using Lab = spec::LabNotDone::Lab;
    constexpr std::int64_t kSbrkPages = 3;
    spec::Program program;
    program.profile = kernel.target->setting()->profile;
    program.steps.push_back({spec::kInit, lab == Lab::copy_on_write
                                              ? spec::Action{spec::Fork{spec::ProcId{1}}}
                                              : spec::Action{spec::Sbrk{kSbrkPages * std::int64_t{kPageBytes}}}});
    auto run = run_once(kernel, program, "the first step");
    if (!run) return tl::unexpected(run.error());
    if (!run->divergence) return Finding{};  // it does do it, if only in part
    options.shrink = false;
    auto finding = make_finding(kernel, {.run = std::move(*run), .seen = 1}, options);
    if (!finding || !is_solid(*finding)) return finding;
    auto& violations = finding->divergence.violations;
    auto const pages_mapped =
        static_cast<std::uint64_t>(std::count_if(violations.begin(), violations.end(), [](spec::Violation const& each) {
            return std::holds_alternative<spec::MappedEarly>(each.facts);
        }));
    auto const* const copied = std::get_if<spec::Copied>(&violations.front().facts);
    if (copied && copied->shared == 0)
        violations.front().facts = spec::LabNotDone{Lab::copy_on_write, copied->frames};
    else if (pages_mapped == kSbrkPages)
        violations.front().facts = spec::LabNotDone{Lab::lazy_allocation, pages_mapped};
    else
        return finding;
    violations.resize(1);
    finding->family = run::family_of(finding->divergence, program.steps.front());
    return finding;
}

// What the kernel was asked for and does not do at all, a finding each; from then on it is held to what it does
// instead.
tl::expected<std::vector<Finding>, BootError> labs_not_done(Kernel& kernel, Options const& options) {
    using Lab = spec::LabNotDone::Lab;
    std::vector<Finding> findings;
    auto const instead = kernel.target->summary().instead;
    if (!instead) return findings;
    spec::Profile const asked = kernel.target->setting()->profile;
    for (Lab lab : {Lab::copy_on_write, Lab::lazy_allocation}) {
        if (lab == Lab::copy_on_write ? asked.fork == instead->fork : asked.sbrk == instead->sbrk) continue;
        auto finding = finding_of_lab(kernel, lab, options);
        if (!finding) return tl::unexpected(finding.error());
        if (is_solid(*finding)) findings.push_back(std::move(*finding));
    }
    auto again = kernel.target->reboot(*instead, options.stop);
    if (!again) return tl::unexpected(again.error());
    auto judged = start([&] { return std::move(*again); }, options.jobs);
    if (!judged) return tl::unexpected(judged.error());
    kernel = std::move(*judged);
    return findings;
}

// So many failures at most: those that matter most to a student; within a rank what was found first.
std::vector<run::Failure> gravest(std::vector<run::Failure> failures, std::size_t most) {
    auto const rank = [](run::Failure const& failure) {
        run::Divergence const& divergence = *failure.run.divergence;
        return std::tuple(divergence.advice, divergence.circumstances.overlapped,
                          rank_of(divergence.signature.invariant));
    };
    std::stable_sort(failures.begin(), failures.end(),
                     [&](run::Failure const& a, run::Failure const& b) { return rank(a) < rank(b); });
    if (failures.size() > most) failures.erase(failures.begin() + static_cast<std::ptrdiff_t>(most), failures.end());
    return failures;
}

// What else runs on the machine plays no part.
bool by_itself(spec::Program const& program) {
    return spec::harts_of(program) == 1 &&
           std::none_of(program.steps.begin(), program.steps.end(),
                        [](spec::Step const& step) { return step.faults.preempt || step.faults.meanwhile; });
}

// All that is known of a failure, in one value.
Finding explain(run::Failure const& failure, shrink::Shrunk const& shrunk, spec::Program program,
                Reproduction reproduction) {
    // By how the shrunk program fails: it may tell more plainly what goes wrong than the one that was found.
    run::Divergence const& divergence = *shrunk.run.divergence;
    Finding finding{.signature = divergence.signature,
                    .family = run::family_of(shrunk.run),
                    .severity = divergence.advice ? Severity::advice : Severity::defect,
                    .divergence = std::move(reproduction.divergence),
                    .program = std::move(program),
                    .records = std::move(reproduction.records),
                    .original = failure.run.program,
                    .mode = failure.mode,
                    .case_index = failure.index,
                    .seen = failure.seen,
                    .also = {failure.also.begin(), failure.also.end()},
                    .shrink_executions = shrunk.executions,
                    .shrink_exhausted = shrunk.exhausted,
                    .reproduced = reproduction.times,
                    .attempts = reproduction.attempts,
                    .evidence = std::move(reproduction.evidence)};
    if (reproduction.needs_stale_translation) finding.family = {.symptom = run::Symptom::stale};
    finding.repro_c = repro::repro_c(finding);
    return finding;
}

tl::expected<std::string, std::string> gdb_script_of(Finding const& finding, Target const& target) {
    TargetSummary const& kernel = target.summary();
    auto const protection = qemu::sets_memory_protection(kernel.image);
    if (!protection) return tl::unexpected(protection.error().message);
    return qemu::gdb_script(
        finding, target.anatomy(),
        {kernel.image, kernel.ram_bytes, kernel.legacy_disk, *protection, spec::harts_of(finding.program)});
}

// The second opinion. REQUIRES: the kernel's image still exists, as it does while its target lives.
void confirm_on_qemu(SessionResult& result, std::stop_token const& stop, Observer& observer) {
    if (result.findings.empty()) return;
    auto const trials = qemu::Trials::prepare({.kernel = result.kernel.image,
                                               .ram_bytes = result.kernel.ram_bytes,
                                               .legacy_disk = result.kernel.legacy_disk,
                                               .disk = result.disk,
                                               .stop = stop});
    for (std::size_t i = 0; i < result.findings.size(); ++i) {
        observer.on_confirm(i + 1, result.findings.size());
        result.findings[i].on_qemu = qemu::try_finding(trials, result.findings[i]);
    }
}

}  // namespace

tl::expected<SessionResult, BootError> check(Boot const& boot, Options const& options, Observer& observer) {
    auto kernel = start(boot, options.jobs);
    if (!kernel) return tl::unexpected(kernel.error());
    auto not_done = labs_not_done(*kernel, options);
    if (!not_done) return tl::unexpected(not_done.error());
    SessionResult result = introduce(*kernel, options.seed);
    result.families = not_done->size();
    // What goes wrong otherwise in the step that was to show it is compared with what programs find.
    auto const of_labs = std::stable_partition(not_done->begin(), not_done->end(), [](Finding const& finding) {
        return finding.family.symptom == run::Symptom::lab_not_done;
    });
    std::vector<Finding> findings(std::make_move_iterator(of_labs), std::make_move_iterator(not_done->end()));
    not_done->erase(of_labs, not_done->end());
    result.findings = std::move(*not_done);
    observer.on_kernel(result);
    if (!kernel->look.can_go_on) {
        std::move(findings.begin(), findings.end(), std::back_inserter(result.findings));
        return result;
    }

    run::Effort effort = options.effort;
    if (free_list_is_broken(result)) effort.batch.pressure = effort.batch.batches_to_limits = 0;
    run::Division division = options.division;
    if (options.reached) division.batch_done = [&] { options.reached(kernel->target->coverage()); };
    run::CampaignResult campaign = run::run_campaign(
        kernel->machines, kernel->look.reference, options.seed, effort, options.stop,
        [&](run::Progress const& progress) { observer.on_progress(progress); },
        [&](run::Run const& failing) { observer.on_first_seen(failing); }, options.corpus, division);
    if (auto well = check_engines(*kernel, options.stop); !well) return tl::unexpected(well.error());
    if (free_list_is_broken(result)) campaign.no_pressure = "The free list is broken.";
    observer.on_run();
    for (std::string& what : not_checked(campaign)) {
        observer.on_missing(what);
        result.kernel.missing.push_back(std::move(what));
    }
    result.counts = campaign.counts;
    result.coverage = kernel->target->coverage();
    if (options.add_reached) options.add_reached(campaign.batches, result.coverage);
    result.interrupted = campaign.interrupted;
    result.families += campaign.failures.size();

    if (division.shard && !division.alone) return result;
    auto const failures = gravest(std::move(campaign.failures), options.effort.families_max);
    for (std::size_t i = 0; i < failures.size(); ++i) {
        observer.on_shrink(i + 1, failures.size());
        auto finding = make_finding(*kernel, failures[i], options);
        if (!finding) return tl::unexpected(finding.error());
        if (finding->attempts == 0) result.interrupted = true;
        if (is_solid(*finding)) observer.on_finding(*finding);
        add(std::move(*finding), {result.counts, kernel->look.reference.setting}, findings);
    }
    sort_by_rank(findings);
    std::move(findings.begin(), findings.end(), std::back_inserter(result.findings));
    if (options.confirm) confirm_on_qemu(result, options.stop, observer);
    return result;
}

tl::expected<Kernel, BootError> start(Boot const& boot, unsigned jobs) {
    auto target = boot();
    if (!target) return tl::unexpected(target.error());
    auto machines = run::MachinePool::start(**target, jobs);
    if (!machines) return tl::unexpected(BootError{machines.error().message, BootError::Kind::machine});
    run::FirstLook look = run::first_look(machines->first(), (*target)->setting());
    return Kernel{std::move(*target), std::move(*machines), std::move(look)};
}

tl::expected<run::Run, BootError> run_once(Kernel& kernel, spec::Program const& program, std::string_view name) {
    run::Counts uncounted;
    run::Run run =
        run::run_program(kernel.machines.first(), kernel.look.reference, program, {.go_on = true}, uncounted);
    if (auto well = check_engines(kernel, {}); !well) return tl::unexpected(well.error());
    if (!run.cannot_start) return ending_of(std::move(run), program.steps.size());
    std::string const machine =
        program.memory ? fmt::format("`memory {}`", *program.memory) : fmt::format("{} harts", spec::harts_of(program));
    return tl::unexpected(BootError{
        fmt::format("{} cannot be run on this kernel, since it asks for {}: {}", name, machine, *run.cannot_start)});
}

tl::expected<Finding, BootError> make_finding(Kernel& kernel, run::Failure const& failure, Options const& options) {
    shrink::Shrunk shrunk{failure.run, 0, false};
    if (options.shrink)
        shrunk = shrink::shrink(kernel.machines, kernel.look.reference, std::move(shrunk.run), {}, options.stop);
    if (auto well = check_engines(kernel, options.stop); !well) return tl::unexpected(well.error());
    spec::Program program = with_sbrk_modes(shrunk.run.program, *kernel.target->setting());
    auto reproduction = reproduce_anew(kernel, program, *shrunk.run.divergence, options);
    if (!reproduction) return tl::unexpected(reproduction.error());
    Finding finding = explain(failure, shrunk, std::move(program), std::move(*reproduction));
    finding.repro_gdb = gdb_script_of(finding, *kernel.target);
    if (!is_solid(finding) || options.stop.stop_requested()) return finding;
    if (by_itself(finding.program)) {
        finding.evidence.spectrum = spectrum_of(kernel.machines, kernel.look.reference, finding.program,
                                                failure.run.program, finding.signature);
        finding.evidence.free = free_arguments(kernel.machines, kernel.look.reference, shrunk.run);
    }
    finding.evidence.source = source_of(finding.evidence, kernel.target->summary().image);
    return finding;
}

spec::Program with_sbrk_modes(spec::Program program, spec::Setting const& setting) {
    if (!setting.traits.sbrk_takes_mode || setting.profile.sbrk != spec::SbrkPolicy::lazy) return program;
    for (spec::Step& step : program.steps)
        if (auto* const sbrk = std::get_if<spec::Sbrk>(&step.action); sbrk && sbrk->mode == spec::SbrkMode::by_profile)
            sbrk->mode = spec::SbrkMode::lazy;
    return program;
}

}  // namespace vmcheck::session
