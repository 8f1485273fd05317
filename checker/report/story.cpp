#include "checker/report/story.h"

#include "checker/report/step_words.h"
#include "checker/report/violation_words.h"

#include <fmt/format.h>

#include <variant>

namespace vmcheck::report {

namespace {

// What a right too many or too few means.
char const* consequence(spec::WrongRights::What what) {
    using What = spec::WrongRights::What;
    switch (what) {
        case What::gained_write:
            return ": a store that must kill the process goes through";
        case What::gained_execute:
        case What::lost_execute:
            return ", and rights must survive fork and copying as they are";
        default:
            return "";
    }
}

// What the broken invariant means for whoever uses the kernel; empty where the violation says it already.
char const* consequence(spec::Violation const& violation) {
    switch (violation.invariant) {
        case spec::Invariant::isolation:
            return ": what it stores there, the other sees";
        case spec::Invariant::rights: {
            auto const* wrong = std::get_if<spec::WrongRights>(&violation.facts);
            return wrong ? consequence(wrong->what) : "";
        }
        case spec::Invariant::conservation:
            return ", and done often enough this leaves no memory at all";
        case spec::Invariant::liveness:
            return ", and so any user program can stop the machine";
        default:
            return "";
    }
}

// Violations that are about the state after the step; the others name the step themselves.
bool is_about_state(spec::Invariant invariant) {
    switch (invariant) {
        case spec::Invariant::results:
        case spec::Invariant::liveness:
        case spec::Invariant::containment:
            return false;
        default:
            return true;
    }
}

}  // namespace

std::string title_of(spec::Invariant invariant) {
    return fmt::format("{} {}", spec::short_name(invariant), spec::title(invariant));
}

std::string story_of(Finding const& finding) {
    spec::Violation const& violation = finding.divergence.violations.front();
    spec::Step const& step = finding.program.steps[finding.divergence.at.value];
    std::string const what = words_of(violation).story;
    std::size_t const after = finding.divergence.at.value + 1;
    bool const overlaps = after < finding.program.steps.size() && finding.program.steps[after].faults.meanwhile;
    std::string const whose =
        in_words(step) + (overlaps ? " and, within it, " + in_words(finding.program.steps[after]) : std::string());
    std::string text = is_about_state(violation.invariant) ? fmt::format("After {}, {}", whose, what)
                                                           : fmt::format("{}: {}", name_of(step.actor), what);
    return text + consequence(violation) + '.';
}

std::string likewise_at(Finding const& finding) {
    std::string text;
    for (run::Signature const& other : finding.also) {
        if (!text.empty()) text += ", ";
        text += other.invariant == finding.signature.invariant ? std::string(spec::kind_name(other.kind))
                                                               : run::to_string(other);
    }
    return text;
}

}  // namespace vmcheck::report
