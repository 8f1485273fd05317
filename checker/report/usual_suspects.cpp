#include "checker/report/usual_suspects.h"

#include "checker/report/step_words.h"
#include "spec/step_kinds.h"

#include <algorithm>
#include <array>
#include <variant>

namespace vmcheck::report {

spec::WrongAnswer const* answer_of(Finding const& finding) {
    auto const& violations = finding.divergence.violations;
    return violations.empty() ? nullptr : std::get_if<spec::WrongAnswer>(&violations.front().facts);
}

namespace {

// The panic is that of every kernel whose first process ends, and not what is wrong.
bool is_inits_end(Finding const& finding) {
    auto const* answer = answer_of(finding);
    return answer != nullptr && answer->mistake == spec::Mistake::init_killed;
}

}  // namespace

bool has_died(Finding const& finding) {
    if (!finding.evidence.trace.last || is_inits_end(finding)) return false;
    auto const* answer = answer_of(finding);
    auto const* stuck = answer ? std::get_if<spec::Stuck>(&answer->seen.what) : nullptr;
    return stuck == nullptr || (stuck->exception && !stuck->exception->from.empty());
}

bool is_about_frames(spec::Invariant invariant) {
    using spec::Invariant;
    return invariant == Invariant::counts || invariant == Invariant::dangling || invariant == Invariant::conservation;
}

bool is_of_allocator(Finding const& finding, std::string_view function) {
    auto const& names = finding.evidence.trace.of_allocator;
    return std::any_of(names.begin(), names.end(), [&](auto const& name) { return short_name(name) == function; });
}

namespace {

// A call whose result is another number than it must be, rather than a failure or a success.
bool counts_wrongly(Finding const& finding) {
    using spec::Mistake;
    auto const* answer = answer_of(finding);
    if (answer == nullptr) return false;
    constexpr std::array kCounts = {Mistake::counted_unreadable, Mistake::counted_unwritable,
                                    Mistake::other_count_than_there_was, Mistake::read_of_nothing_not_zero,
                                    Mistake::copy_returned_neither};
    return std::find(kCounts.begin(), kCounts.end(), answer->mistake) != kCounts.end();
}

bool have_any(std::vector<CodePlace> const& ran, Topic topic) {
    return std::any_of(ran.begin(), ran.end(), [&](CodePlace const& place) { return is_in(topic, place); });
}

// A call is to blame where it counts by itself, or fails before it comes to its copy.
std::vector<Topic> topics_of_copy(Finding const& finding, Topic copy, Topic call, std::vector<CodePlace> const& ran) {
    if (counts_wrongly(finding)) return {call, copy, kPageFault};
    // Who makes the page decides what is in it; whether the copy fails is a matter of the copy.
    run::Symptom const symptom = finding.family.symptom;
    bool const of_page = symptom != run::Symptom::refused && symptom != run::Symptom::accepted;
    if (of_page && have_any(ran, kPageFault)) return {kPageFault, copy};
    if (have_any(ran, copy)) return {copy, kPageFault};
    return {kPageFault, call};
}

std::vector<Topic> topics_of(Finding const& finding, std::vector<CodePlace> const& ran) {
    using spec::Way;
    if (auto const* answer = answer_of(finding);
        answer != nullptr && (answer->mistake == spec::Mistake::sleeper_survived_kill ||
                              answer->mistake == spec::Mistake::sleeper_sleeps_on_after_kill))
        return {kSleepers};
    switch (spec::way_of_kind(finding.signature.kind)) {
        case Way::fork:
            return {kCopyAtFork};
        case Way::sbrk:
            return {kHeap, kAddressSpaceEnd};
        case Way::exec:
            return {kProgramImage, kAddressSpaceEnd};
        case Way::copyin:
            return topics_of_copy(finding, kCopyIn, kCalls, ran);
        case Way::copyinstr:
            return topics_of_copy(finding, kCopyString, kCallsWithPath, ran);
        case Way::copyout:
            if (finding.signature.kind != spec::index_of<spec::Wait>())
                return topics_of_copy(finding, kCopyOut, kCalls, ran);
            [[fallthrough]];
        case Way::end: {
            // A wait reaps: a wrong status or pid is a matter of copying, lost memory one of freeing.
            spec::Invariant const invariant = finding.signature.invariant;
            bool const reaps = invariant == spec::Invariant::conservation || invariant == spec::Invariant::counts;
            if (finding.signature.kind != spec::index_of<spec::Wait>() || reaps) return {kAddressSpaceEnd, kCopyOut};
            return {kCopyOut, kAddressSpaceEnd};
        }
        case Way::fault:
        case Way::none:
            break;
    }
    return {kPageFault, kTrap};
}

std::vector<CodePlace> way_through(Finding const& finding) {
    std::vector<CodePlace> ran;
    for (CodePlace const& place : finding.evidence.trace.functions)
        if (CodePlace shown = readable(place); !is_noise(shown.function)) ran.push_back(std::move(shown));
    return ran;
}

}  // namespace

bool share_code(Finding const& one, Finding const& other, bool helpers_too) {
    // Every trap goes through these, and every system call.
    constexpr std::array<std::string_view, 5> kEveryStep{"usertrap", "user_trap", "syscall", "system_call", "argaddr"};
    auto const tells = [&](CodePlace const& place) {
        auto const is_in = [&](auto const& names) {
            return std::find(names.begin(), names.end(), place.function) != names.end();
        };
        bool const is_helper = is_in(kFrames) || is_in(kStock) || is_of_calls(place) ||
                               is_of_allocator(one, place.function) || is_of_allocator(other, place.function);
        return !is_in(kEveryStep) && (helpers_too || !is_helper);
    };
    auto const others = way_through(other);
    auto const ran = way_through(one);
    return std::any_of(ran.begin(), ran.end(), [&](CodePlace const& place) {
        return tells(place) && std::any_of(others.begin(), others.end(),
                                           [&](CodePlace const& each) { return each.function == place.function; });
    });
}

Suspects usual_suspects(Finding const& finding) {
    constexpr std::size_t kMost = 4;
    Suspects suspects{.ran = way_through(finding)};
    auto const add = [&](CodePlace place) {
        bool const known = std::any_of(suspects.at.begin(), suspects.at.end(),
                                       [&](Suspect const& each) { return each.place.function == place.function; });
        if (!known && suspects.at.size() < kMost) suspects.at.push_back({std::move(place)});
    };
    // Where it died is where to begin; where it goes in circles, unless everybody goes there.
    if (auto const& last = finding.evidence.trace.last;
        last && !is_inits_end(finding) && (has_died(finding) || !is_part(short_name(last->function))))
        add(readable(*last));
    // An error path begins where the frame is missing.
    for (FailedAllocation const& failed : finding.evidence.failed_allocations)
        if (CodePlace place = readable(failed.caller); failed.at == finding.divergence.at &&
                                                       !is_helper(place.function) && !is_in(kFrames, place) &&
                                                       !is_in(kStock, place))
            add(std::move(place));
    bool const of_frames = is_about_frames(finding.signature.invariant);
    // The student's own, but for one of them all places are for what xv6 has.
    std::size_t const most_own = suspects.at.size() + 2;
    for (bool elsewhere : {false, true})
        for (CodePlace const& place : suspects.ran)
            if (is_students_own(place) && is_elsewhere(place) == elsewhere && suspects.at.size() < most_own &&
                (of_frames || !is_of_allocator(finding, place.function)))
                add(place);
    auto topics = topics_of(finding, suspects.ran);
    if (of_frames) topics.push_back(kFrames);
    for (Topic topic : topics)
        for (std::string_view known : topic)
            for (CodePlace const& place : suspects.ran)
                if (place.function == known) add(place);
    if (suspects.at.empty() && !suspects.ran.empty()) add(suspects.ran.back());
    return suspects;
}

}  // namespace vmcheck::report
