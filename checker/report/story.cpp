#include "checker/report/story.h"

#include "checker/report/step_words.h"
#include "checker/report/violation_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <variant>

namespace vmcheck::report {

namespace {

// Others cannot go on either.
bool stops_the_machine(spec::Violation const& violation) {
    auto const* answer = std::get_if<spec::WrongAnswer>(&violation.facts);
    if (violation.invariant != spec::Invariant::liveness || !answer) return false;
    auto const* stuck = std::get_if<spec::Stuck>(&answer->seen.what);
    return stuck ? !stuck->others_run : std::holds_alternative<spec::Panicked>(answer->seen.what);
}

// What the broken invariant means for whoever uses the kernel; empty where the violation says it already.
char const* consequence(spec::Violation const& violation) {
    using What = spec::WrongRights::What;
    if (violation.invariant == spec::Invariant::isolation) return ": what it stores there, the other sees";
    if (violation.invariant == spec::Invariant::conservation)
        return ", and done often enough this leaves no memory at all";
    if (stops_the_machine(violation)) return ", and so any user program can stop the machine";
    auto const* wrong = std::get_if<spec::WrongRights>(&violation.facts);
    if (wrong && wrong->what == What::gained_write) return ": a store that must kill the process goes through";
    if (wrong && (wrong->what == What::gained_execute || wrong->what == What::lost_execute))
        return ", and rights must survive fork and copying as they are";
    return "";
}

}  // namespace

std::string_view name_of(spec::Way way) {
    constexpr std::array<std::string_view, 9> kNames{"page fault", "copyin", "copyout", "copyinstr",  "fork",
                                                     "exec",       "sbrk",   "exit",    "system call"};
    return kNames.at(static_cast<std::size_t>(way));
}

std::vector<std::string_view> names_of(spec::Grounds grounds) {
    constexpr std::array<std::string_view, spec::kGrounds> kNames{
        "copy-on-write page", "untouched heap page", "page of the break",  "page without that right",
        "page without PTE_U", "unmapped address",    "address above MAXVA"};
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (grounds.contains(static_cast<spec::Ground>(i))) names.push_back(kNames[i]);
    return names;
}

std::string words_of(run::Trigger const& trigger) {
    return fmt::format("{}{}{}{}", name_of(trigger.way),
                       trigger.met.grounds.empty() ? "" : " at: ", fmt::join(names_of(trigger.met.grounds), ", "),
                       trigger.met.refused ? ", without memory" : "");
}

std::string title_of(spec::Invariant invariant) {
    return fmt::format("{} {}", spec::short_name(invariant), spec::title(invariant));
}

std::string story_of(Finding const& finding) {
    spec::Violation const& violation = finding.divergence.violations.front();
    spec::Step const& step = finding.program.steps[finding.divergence.at.value];
    std::string const what = words_of(violation).story;
    if (std::holds_alternative<spec::LabNotDone>(violation.facts)) return what + '.';
    std::size_t const after = finding.divergence.at.value + 1;
    bool const overlaps = after < finding.program.steps.size() && finding.program.steps[after].faults.meanwhile;
    std::string const whose =
        in_words(step) + (overlaps ? " and, within it, " + in_words(finding.program.steps[after]) : std::string());
    // What is about an outcome names the step itself.
    std::string text = spec::is_about_outcome(violation) ? fmt::format("{}: {}", name_of(step.actor), what)
                                                         : fmt::format("After {}, {}", whose, what);
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
