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
    if (!accesses_memory(first.way) || !accesses_memory(second.way)) return false;
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

bool are_one_mistake(Finding const& one, Finding const& other, std::shared_ptr<spec::Setting const> const& setting) {
    if (one.severity != other.severity) return false;
    if (run::explains(one.family, other.family) || run::explains(other.family, one.family)) return true;
    Cause const cause = cause_of(one.family);
    if (cause.known && one.family.died.empty() && cause.id == cause_of(other.family).id) return true;
    return decide_alike(one, other) || race_alike(one, other) || needs(one.program, other.family, setting) ||
           needs(other.program, one.family, setting);
}

// The plainer one is first: what needs no second process at a time, no refused allocation, nothing special about the
// place; then what was seen more often.
bool is_plainer(Finding const& one, Finding const& other) {
    auto const rank = [](Finding const& finding) {
        spec::Circumstances const& met = finding.family.circumstances;
        return std::tuple(!is_solid(finding), met.overlapped, met.refused, finding.program.memory.has_value(),
                          finding.program.steps.size(), rank_of(finding));
    };
    return rank(one) < rank(other);
}

}  // namespace

void add(Finding finding, std::shared_ptr<spec::Setting const> const& setting, std::vector<Finding>& findings) {
    // It may be what two that are known have in common.
    for (auto known = findings.begin(); known != findings.end();) {
        if (!are_one_mistake(*known, finding, setting)) {
            ++known;
            continue;
        }
        Finding other = std::move(*known);
        known = findings.erase(known);
        if (is_plainer(other, finding)) std::swap(other, finding);
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
