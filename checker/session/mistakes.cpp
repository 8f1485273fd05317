#include "checker/session/mistakes.h"

#include "checker/finding/cause.h"
#include "checker/report/suspects.h"
#include "spec/circumstances.h"
#include "spec/step_kinds.h"
#include "spec/walk.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace vmcheck::session {

namespace {

bool accesses_memory(spec::Way way) {
    return way == spec::Way::fault || way == spec::Way::copyin || way == spec::Way::copyout ||
           way == spec::Way::copyinstr;
}

// Kernels have one function that decides about a page, for faults and copies alike, or several. Where both failing
// steps went through one, what it does to such a page is one mistake, whatever comes of it.
bool decide_alike(Finding const& one, Finding const& other) {
    run::Family const &first = one.family, &second = other.family;
    spec::Circumstances const &here = first.circumstances, &there = second.circumstances;
    if (here.grounds.empty() || here.grounds != there.grounds || here.refused != there.refused) return false;
    return report::share_code(one, other);
}

// A race may do anything.
bool race_alike(Finding const& one, Finding const& other) {
    return one.family.circumstances.overlapped && other.family.circumstances.overlapped &&
           report::share_code(one, other, true);
}

// Whether a step before the last one of the program is such as `trigger` fails at. A shrunk program has no step that
// it can do without.
bool needs(spec::Program const& program, run::Family const& trigger,
           std::shared_ptr<spec::Setting const> const& setting) {
    if (!accesses_memory(trigger.way) || trigger.circumstances.grounds.empty()) return false;
    bool found = false;
    std::size_t left = program.steps.size();
    auto const look = [&](spec::World const& world, spec::Step const& step) {
        spec::Circumstances met = spec::circumstances_of(world, step);
        met.refused = step.faults.oom.has_value();
        met.overlapped = step.faults.meanwhile;
        met.crosses = true;  // where the trigger does, what it goes into may be what matters
        found = found || (accesses_memory(spec::way_of(step.action)) && spec::are_within(trigger.circumstances, met));
    };
    spec::walk(spec::World::initial(spec::setting_for(setting, program)), program.steps,
               [&](spec::World const& world, spec::Turn const& turn) {
                   left -= spec::steps_in(turn);
                   auto const* step = std::get_if<spec::Step>(&turn);
                   if (step != nullptr && left > 0) look(world, *step);
                   return left > 0;
               });
    return found;
}

// Address spaces are made and ended by the same code, whoever asks for it.
bool lose_frames_alike(Finding const& one, Finding const& other) {
    auto const of_spaces = [](run::Family const& family) {
        return !accesses_memory(family.way) && family.circumstances.grounds.empty() &&
               (family.symptom == run::Symptom::kept || family.symptom == run::Symptom::freed_early);
    };
    return of_spaces(one.family) && of_spaces(other.family) && one.family.symptom == other.family.symptom &&
           one.signature.invariant == other.signature.invariant && report::share_code(one, other);
}

// Where nearly every fork goes wrong, nothing can be said of forks but that.
bool is_of_what_always_fails(Finding const& always, Finding const& other, run::Counts const& counts) {
    bool const fails = 10 * always.seen >= 9 * counts.kinds[always.signature.kind];
    return fails && always.family.circumstances == spec::Circumstances{} && always.family.way == other.family.way;
}

// Whether `other` would not be without the mistake of `cause`.
bool follows(Finding const& cause, Finding const& other, Context const& context) {
    return needs(other.program, cause.family, context.setting) || is_of_what_always_fails(cause, other, context.counts);
}

bool are_alike(Finding const& one, Finding const& other) {
    if (run::explains(one.family, other.family) || run::explains(other.family, one.family)) return true;
    Cause const cause = cause_of(one.family);
    if (cause.known && one.family.died.empty() && cause.id == cause_of(other.family).id) return true;
    return decide_alike(one, other) || race_alike(one, other) || lose_frames_alike(one, other);
}

// The plainer one is first: what needs no second process at a time, no refused allocation, nothing special about the
// place; then the shorter one, and the graver.
bool is_plainer(Finding const& one, Finding const& other) {
    auto const rank = [](Finding const& finding) {
        spec::Circumstances const& met = finding.family.circumstances;
        return std::tuple(!is_solid(finding), met.overlapped, met.refused, finding.program.memory.has_value(),
                          spec::count_of(met), finding.program.steps.size(), rank_of(finding));
    };
    return rank(one) < rank(other);
}

}  // namespace

void add(Finding finding, Context const& context, std::vector<Finding>& findings) {
    // It may be what two that are known have in common.
    for (auto known = findings.begin(); known != findings.end();) {
        bool const same_severity = known->severity == finding.severity;
        bool const causes = same_severity && follows(*known, finding, context);
        bool const caused = same_severity && follows(finding, *known, context);
        if (!causes && !caused && !(same_severity && are_alike(*known, finding))) {
            ++known;
            continue;
        }
        Finding other = std::move(*known);
        known = findings.erase(known);
        if (causes != caused ? causes : is_plainer(other, finding)) std::swap(other, finding);
        finding.seen += other.seen;
        finding.also.push_back(other.signature);
        finding.also.insert(finding.also.end(), other.also.begin(), other.also.end());
        std::sort(finding.also.begin(), finding.also.end());
        finding.also.erase(std::unique(finding.also.begin(), finding.also.end()), finding.also.end());
        std::erase(finding.also, finding.signature);
    }
    findings.push_back(std::move(finding));
}

}  // namespace vmcheck::session
