#include "checker/session/mistakes.h"

#include "checker/finding/cause.h"
#include "checker/report/suspects.h"
#include "checker/report/usual_suspects.h"
#include "spec/circumstances.h"
#include "spec/step_kinds.h"
#include "spec/walk.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace vmcheck::session {

namespace {

bool accesses_memory(spec::Way way) {
    return way == spec::Way::fault || way == spec::Way::copyin || way == spec::Way::copyout ||
           way == spec::Way::copyinstr;
}

// Whether the process that fails has moved its stack pointer before. A shrunk program has no step that it can do
// without, so it is the kernel that goes by it.
bool depends_on_the_stack_pointer(Finding const& finding) {
    auto const& steps = finding.program.steps;
    return std::any_of(steps.begin(), steps.end() - 1, [&](spec::Step const& step) {
        return step.actor == steps.back().actor && std::holds_alternative<spec::SetSp>(step.action);
    });
}

// PTE_X on a page that is rightly given brings about nothing else: what does go wrong with such a page is not of it.
bool only_gains_execute(Finding const& finding) {
    auto const& violations = finding.divergence.violations;
    auto const* rights = violations.empty() ? nullptr : std::get_if<spec::WrongRights>(&violations.front().facts);
    return rights != nullptr && rights->what == spec::WrongRights::What::gained_execute &&
           !finding.family.circumstances.grounds.must_be_refused();
}

// In the failing step.
bool runs(Finding const& finding, std::string const& function) {
    return std::ranges::any_of(finding.evidence.trace.functions,
                               [&](CodePlace const& place) { return place.function == function; });
}

// Where allocations failed of which it is known who asked: in the last step, or in the ones before it.
std::vector<CodePlace> refused_in(Finding const& finding, bool at_the_last) {
    std::vector<CodePlace> places;
    for (FailedAllocation const& failed : finding.evidence.failed_allocations)
        if (failed.caller.line != 0 && (failed.at.value + 1 == finding.program.steps.size()) == at_the_last)
            places.push_back(failed.caller);
    return places;
}

bool have_any_in_common(std::vector<CodePlace> const& some, std::vector<CodePlace> const& others) {
    return std::any_of(some.begin(), some.end(), [&](CodePlace const& place) {
        return std::find(others.begin(), others.end(), place) != others.end();
    });
}

// The function in which the kernel died, rather than those by which it did. Nothing: it did not die, or nobody knows.
std::optional<std::string> died_in(Finding const& finding) {
    if (finding.family.symptom != run::Symptom::died) return std::nullopt;
    for (CodePlace const& place : finding.evidence.died_by)
        if (place.function != "panic" && !report::is_helper(place.function) && runs(finding, place.function))
            return place.function;
    return std::nullopt;
}

// Where an allocation failed in both. Who panics because a function that it has called was refused memory has another
// mistake than what that function leaves behind for all who call it; and who dies for want of one frame, and not where
// it asks for another, has one more than those who go on then.
bool fail_for_themselves(Finding const& one, Finding const& other) {
    auto const where = died_in(one);
    auto const first = refused_in(one, true), second = refused_in(other, true);
    if (!where || first.empty() || other.family.symptom == run::Symptom::died) return false;
    bool const asks_there =
        std::ranges::any_of(second, [&](CodePlace const& place) { return place.function == *where; });
    return !runs(other, *where) || (asks_there && !have_any_in_common(first, second));
}

// Kernels have one function that decides about a page, for faults and copies alike, or several. Where both failing
// steps went through one, what it does to such a page is one mistake, whatever comes of it.
bool decide_alike(Finding const& one, Finding const& other) {
    run::Family const &first = one.family, &second = other.family;
    spec::Circumstances const &here = first.circumstances, &there = second.circumstances;
    if (here.grounds.telling() != there.grounds.telling() || here.refused != there.refused ||
        only_gains_execute(one) != only_gains_execute(other) ||
        depends_on_the_stack_pointer(one) != depends_on_the_stack_pointer(other) || fail_for_themselves(one, other) ||
        fail_for_themselves(other, one))
        return false;
    // Of memory that may be accessed, only that it may not be.
    auto const is_denied = [](run::Symptom what) {
        return what == run::Symptom::killed || what == run::Symptom::refused;
    };
    if (here.grounds.empty() && !(is_denied(first.symptom) && is_denied(second.symptom))) return false;
    // Whoever is refused a page was not given one with junk in it.
    auto const either_is = [&](run::Symptom what) { return first.symptom == what || second.symptom == what; };
    if (either_is(run::Symptom::wrong_bytes) && either_is(run::Symptom::refused)) return false;
    return report::share_code(one, other);
}

bool is_timed(spec::Program const& program) {
    return std::any_of(program.steps.begin(), program.steps.end(),
                       [](spec::Step const& step) { return step.faults.switch_hart || step.faults.preempt; });
}

// A race may do anything.
bool race_alike(Finding const& one, Finding const& other) {
    auto const races = [](Finding const& finding) {
        return finding.family.circumstances.overlapped || is_timed(finding.program);
    };
    return races(one) && races(other) && report::share_code(one, other, true);
}

// Calls `visit` with the state before each step that is done by itself, the step, and whether it is the last.
template <class Visit>
void visit_steps(spec::Program const& program, std::shared_ptr<spec::Setting const> const& setting, Visit visit) {
    std::size_t left = program.steps.size();
    spec::walk(spec::World::initial(spec::setting_for(setting, program)), program.steps,
               [&](spec::World const& world, spec::Turn const& turn) {
                   left -= spec::steps_in(turn);
                   if (auto const* step = std::get_if<spec::Step>(&turn)) visit(world, *step, left == 0);
                   return left > 0;
               });
}

// Whether a step before the last one of the program is such as `cause` fails at, and may have failed without a trace. A
// shrunk program has no step that it can do without.
bool needs(spec::Program const& program, Finding const& cause, std::shared_ptr<spec::Setting const> const& setting) {
    run::Family const& trigger = cause.family;
    if (!accesses_memory(trigger.way) || trigger.circumstances.grounds.empty()) return false;
    bool const shows_at_once =
        trigger.symptom == run::Symptom::refused || trigger.symptom == run::Symptom::died ||
        trigger.symptom == run::Symptom::no_end ||
        (trigger.symptom == run::Symptom::wrong_bytes && !trigger.circumstances.grounds.must_be_refused());
    if (shows_at_once || cause.divergence.settled) return false;
    bool found = false;
    visit_steps(program, setting, [&](spec::World const& world, spec::Step const& step, bool is_last) {
        if (is_last || !accesses_memory(spec::way_of(step.action))) return;
        spec::Circumstances met = spec::circumstances_of(world, step);
        met.refused = step.faults.oom.has_value();
        met.overlapped = step.faults.meanwhile;
        met.crosses = true;  // where the trigger does, what it goes into may be what matters
        found = found || spec::are_within(trigger.circumstances, met);
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

// One that fails as a matter of time alone is the same wherever it is interrupted, and on how many harts.
bool differ_in_time_only(Finding const& one, Finding const& other) {
    auto const without_time = [](spec::Program program) {
        program.harts.reset();
        for (spec::Step& step : program.steps) step.faults.switch_hart = step.faults.preempt = std::nullopt;
        return program;
    };
    return is_timed(one.program) && without_time(one.program) == without_time(other.program);
}

// How the steps before the last one that had to be refused came to memory. A shrunk program does them for what they
// leave behind.
std::set<spec::Way> refused_before(Finding const& finding, std::shared_ptr<spec::Setting const> const& setting) {
    std::set<spec::Way> ways;
    visit_steps(finding.program, setting, [&](spec::World const& world, spec::Step const& step, bool is_last) {
        if (!is_last && spec::circumstances_of(world, step).grounds.must_be_refused())
            ways.insert(spec::way_of(step.action));
    });
    return ways;
}

// Which page to bring in may be decided for faults in the trap handler itself, by which every step goes, and for each
// kind of copy in its own function.
bool are_decided_together(Finding const& one, Finding const& other) {
    auto const is_about_a_new_page = [](run::Family const& family) {
        return family.circumstances.grounds == spec::Ground::no_user ||
               family.circumstances.grounds == spec::Ground::reserved;
    };
    return report::share_code(one, other) ||
           (one.family.way == other.family.way && is_about_a_new_page(one.family) && is_about_a_new_page(other.family));
}

// Those that take what lies below the stack pointer for the guard page refuse what is good and let through what is bad.
bool go_by_the_stack_pointer(Finding const& one, Finding const& other) {
    return depends_on_the_stack_pointer(one) && depends_on_the_stack_pointer(other) && are_decided_together(one, other);
}

// Whether it fails where the break has moved, at the guard page or at a page of the heap that lies as far below the
// break as the guard page does when a program starts. A shrunk program does not move the break without need.
bool depends_on_the_break(Finding const& finding, Context const& context) {
    spec::Circumstances const& met = finding.family.circumstances;
    bool depends = false;
    visit_steps(finding.program, context.setting, [&](spec::World const& world, spec::Step const& step, bool is_last) {
        auto const use = spec::address_of(step.action);
        if (!is_last || !use || met.crosses) return;
        spec::Layout const& layout = world.setting().layout;
        std::uint64_t const moved_by = world.find(step.actor)->space->brk.value - layout.heap.value;
        VirtAddr const at = world.resolve(step.actor, use->at);
        VirtAddr const instead = layout.guard + (moved_by + kPageBytes - 1);
        depends = moved_by != 0 && (met.grounds == spec::Ground::no_user    ? at.page() == layout.guard.page()
                                    : met.grounds == spec::Ground::reserved ? at.page() == instead.page()
                                                                            : false);
    });
    return depends;
}

// Those that work out from the break where the guard page is refuse what is good and let through what is bad, too.
bool go_by_the_break(Finding const& one, Finding const& other, Context const& context) {
    return depends_on_the_break(one, context) && depends_on_the_break(other, context) &&
           are_decided_together(one, other);
}

bool fail_after_the_same_refusal(Finding const& one, Finding const& other, Context const& context) {
    // Whoever is killed for no reason fails at whatever comes next.
    auto const is_killed = [](run::Family const& family) {
        return family.symptom == run::Symptom::killed && family.way == spec::Way::none;
    };
    bool const at_the_same =
        one.family.way == other.family.way && one.family.circumstances == other.family.circumstances;
    if (!at_the_same && !is_killed(one.family) && !is_killed(other.family)) return false;
    auto const ways = refused_before(one, context.setting);
    return !ways.empty() && ways == refused_before(other, context.setting);
}

// Whether it needs a heap that all memory could not fill. A shrunk program asks for no more than it must.
bool needs_a_huge_heap(Finding const& finding, Context const& context) {
    std::uint64_t const memory = context.setting->traits.frames_total * kPageBytes;
    std::uint64_t asked = 0;
    for (spec::Step const& step : finding.program.steps)
        if (auto const* sbrk = std::get_if<spec::Sbrk>(&step.action); sbrk && sbrk->bytes > 0 && asked <= memory)
            asked += static_cast<std::uint64_t>(sbrk->bytes);
    return asked > memory;
}

// Where the heap may grow over what the kernel needs for itself, whatever it does next goes wrong.
bool grow_too_far(Finding const& one, Finding const& other, Context const& context) {
    return needs_a_huge_heap(one, context) && needs_a_huge_heap(other, context);
}

// What is on the way of `cause`, met again where more comes together.
bool meets_again(run::Family const& cause, run::Family const& other) {
    return cause.way == other.way && spec::are_within(cause.circumstances, other.circumstances);
}

// Whatever a frame that was given up too early, or can be written by two, does to those who still use it.
bool comes_of_lost_frame(run::Family const& cause, run::Family const& other) {
    using run::Symptom;
    bool const shows = other.symptom == Symptom::wrong_bytes || other.symptom == Symptom::killed ||
                       other.symptom == Symptom::died || other.symptom == Symptom::no_end;
    if (cause.symptom == Symptom::writable_shared)
        return other.symptom == Symptom::wrong_bytes && meets_again(cause, other);
    if (cause.symptom != Symptom::freed_early || !shows || !cause.circumstances.refused) return false;
    // A reference that is dropped before there is a copy may be the last when the other process runs in between.
    bool const between = other.circumstances.overlapped && other.circumstances.grounds.contains(spec::Ground::shared);
    if (accesses_memory(cause.way) && accesses_memory(other.way))
        return between || spec::are_within(cause.circumstances, other.circumstances);
    return meets_again(cause, other);
}

// Where a copy that goes on into another page goes wrong, it does not matter what sort of page that is.
bool comes_of_crossing(run::Family const& cause, run::Family const& other) {
    return cause.circumstances.crosses && cause.circumstances.grounds.empty() && meets_again(cause, other);
}

// The pointers that exec is given may lead anywhere that a copy may.
bool comes_of_bad_copies(Finding const& cause, Finding const& other) {
    auto const* exec = std::get_if<spec::Exec>(&other.program.steps.back().action);
    return exec != nullptr && exec->arguments && accesses_memory(cause.family.way) &&
           cause.family.circumstances.grounds.must_be_refused() && report::share_code(cause, other);
}

// What a failed allocation leaves wrong about a frame where it fails, and what comes of it after one at the same place
// of the kernel. A shrunk program lets none fail without need.
bool comes_of_the_same_refusal(Finding const& cause, Finding const& other) {
    auto const is_of_a_frame = [](run::Symptom what) {
        return what == run::Symptom::kept || what == run::Symptom::freed_early;
    };
    return is_of_a_frame(cause.family.symptom) && is_of_a_frame(other.family.symptom) &&
           have_any_in_common(refused_in(cause, true), refused_in(other, false));
}

// Who takes more memory than was promised is the first to run out of it.
bool comes_of_waste(Finding const& cause, Finding const& other) {
    return cause.family.symptom == run::Symptom::not_lazy && other.family.symptom == run::Symptom::refused &&
           other.program.memory.has_value() && meets_again(cause.family, other.family);
}

// Where nearly every fork goes wrong, nothing can be said of forks but that.
bool is_of_what_always_fails(Finding const& always, Finding const& other, run::Counts const& counts) {
    bool const fails = 10 * always.seen >= 9 * counts.kinds[always.signature.kind];
    return fails && always.family.circumstances == spec::Circumstances{} && always.family.way == other.family.way;
}

// Whether `other` would not be without the mistake of `cause`.
bool follows(Finding const& cause, Finding const& other, Context const& context) {
    bool const loses_frame = comes_of_lost_frame(cause.family, other.family) && !fail_for_themselves(other, cause);
    return needs(other.program, cause, context.setting) || loses_frame ||
           comes_of_crossing(cause.family, other.family) || comes_of_waste(cause, other) ||
           comes_of_bad_copies(cause, other) || comes_of_the_same_refusal(cause, other) ||
           is_of_what_always_fails(cause, other, context.counts);
}

bool are_alike(Finding const& one, Finding const& other, Context const& context) {
    if (run::explains(one.family, other.family) || run::explains(other.family, one.family)) return true;
    Cause const cause = cause_of(one.family);
    if (cause.known && one.family.died.empty() && cause.id == cause_of(other.family).id) return true;
    return decide_alike(one, other) || race_alike(one, other) || lose_frames_alike(one, other) ||
           differ_in_time_only(one, other) || go_by_the_stack_pointer(one, other) ||
           go_by_the_break(one, other, context) || grow_too_far(one, other, context) ||
           fail_after_the_same_refusal(one, other, context);
}

// The plainer one is first: what needs no second process at a time, no refused allocation, nothing special about the
// place; then the shorter one, the one without a system call, and the graver.
bool is_plainer(Finding const& one, Finding const& other) {
    auto const rank = [](Finding const& finding) {
        spec::Circumstances const& met = finding.family.circumstances;
        return std::tuple(!is_solid(finding), met.overlapped || is_timed(finding.program), met.refused,
                          finding.program.memory.has_value(), finding.program.harts.has_value(), spec::count_of(met),
                          finding.program.steps.size(), finding.family.way != spec::Way::fault, rank_of(finding));
    };
    return rank(one) < rank(other);
}

// What goes into another finding may be more than one mistake after all: where it says to look is not lost.
void keep_places(Finding& finding, Finding const& other) {
    constexpr std::size_t kMost = 3;
    auto const same_line = [](CodePlace const& place) {
        return [&place](CodePlace const& each) { return each.file == place.file && each.line == place.line; };
    };
    std::vector<CodePlace> places = other.also_at;
    if (auto const first = report::place_to_mark(other)) places.insert(places.begin(), *first);
    auto const own = report::suspects_in(finding).at;
    std::erase_if(finding.also_at, [&](CodePlace const& place) {
        return std::ranges::any_of(own, same_line(place), &report::Suspect::place);
    });
    for (CodePlace const& place : places) {
        bool const known = std::ranges::any_of(own, same_line(place), &report::Suspect::place) ||
                           std::ranges::any_of(finding.also_at, same_line(place));
        if (!known && finding.also_at.size() < kMost) finding.also_at.push_back(place);
    }
}

}  // namespace

void add(Finding finding, Context const& context, std::vector<Finding>& findings) {
    // It may be what two that are known have in common.
    for (auto known = findings.begin(); known != findings.end();) {
        bool const same_severity = known->severity == finding.severity;
        bool const causes = same_severity && follows(*known, finding, context);
        bool const caused = same_severity && follows(finding, *known, context);
        if (!causes && !caused && !(same_severity && are_alike(*known, finding, context))) {
            ++known;
            continue;
        }
        Finding other = std::move(*known);
        known = findings.erase(known);
        bool const other_stands = is_solid(other) != is_solid(finding) ? is_solid(other)
                                  : causes != caused                   ? causes
                                                                       : is_plainer(other, finding);
        if (other_stands) std::swap(other, finding);
        finding.seen += other.seen;
        keep_places(finding, other);
        finding.also.push_back(other.signature);
        finding.also.insert(finding.also.end(), other.also.begin(), other.also.end());
        std::sort(finding.also.begin(), finding.also.end());
        finding.also.erase(std::unique(finding.also.begin(), finding.also.end()), finding.also.end());
        std::erase(finding.also, finding.signature);
    }
    findings.push_back(std::move(finding));
}

}  // namespace vmcheck::session
