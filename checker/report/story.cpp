#include "checker/report/story.h"

#include "spec/text.h"

#include <fmt/format.h>

#include <cctype>
#include <type_traits>
#include <variant>

namespace vmcheck::report {

namespace {

std::string ordinal(std::uint32_t number) {
    std::uint32_t const last = number % 10;
    bool const teen = number / 10 % 10 == 1;
    char const* const ending = teen ? "th" : last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th";
    return fmt::format("{}{}", number, ending);
}

struct Deed {
    std::string operator()(spec::Fork const&) const { return "fork"; }
    std::string operator()(spec::Exit const&) const { return "exit"; }
    std::string operator()(spec::Wait const& wait) const {
        return wait.status ? fmt::format("wait with the status at {}", spec::print(*wait.status)) : "wait";
    }
    std::string operator()(spec::Kill const& kill) const { return fmt::format("kill of p{}", kill.target.value); }
    std::string operator()(spec::Sbrk const& sbrk) const { return fmt::format("sbrk({})", sbrk.bytes); }
    std::string operator()(spec::Load const& load) const { return "load from " + spec::print(load.at); }
    std::string operator()(spec::Store const& store) const { return "store to " + spec::print(store.at); }
    std::string operator()(spec::Touch const& touch) const { return "first read of " + spec::print(touch.at); }
    std::string operator()(spec::PipeWrite const& write) const {
        return "write to a pipe from " + spec::print(write.from);
    }
    std::string operator()(spec::PipeRead const& read) const { return "read from a pipe into " + spec::print(read.to); }
    std::string operator()(spec::FileRead const& read) const { return "read of a file into " + spec::print(read.to); }
    std::string operator()(spec::Fstat const& fstat) const { return "fstat into " + spec::print(fstat.to); }
    std::string operator()(spec::Pipe const& pipe) const {
        return "pipe() with its descriptors at " + spec::print(pipe.to);
    }
    std::string operator()(spec::Open const& open) const { return "open of the path at " + spec::print(open.path); }
    std::string operator()(spec::Exec const&) const { return "exec"; }
    std::string operator()(spec::SetSp const& set) const { return "moving sp to " + spec::print(set.to); }
    std::string operator()(spec::Fetch const& fetch) const { return "jump to " + spec::print(fetch.at); }
};

// What the broken invariant means for whoever uses the kernel; empty where the violation says it already.
char const* consequence(spec::Violation const& violation) {
    switch (violation.invariant) {
        case spec::Invariant::isolation:
            return ": what it stores there, the other sees";
        case spec::Invariant::rights:
            return violation.story.find("PTE_W") != std::string::npos
                       ? ": a store that must kill the process goes through"
                   : violation.story.find("PTE_X") != std::string::npos
                       ? ", and rights must survive fork and copying as they are"
                       : "";
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

// "bss+0x0" is bss.
std::string without_zero_offsets(std::string text) {
    constexpr std::string_view kZero = "+0x0";
    for (std::size_t at = text.find(kZero); at != std::string::npos; at = text.find(kZero, at)) {
        std::size_t const end = at + kZero.size();
        if (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0)
            at = end;
        else
            text.erase(at, kZero.size());
    }
    return text;
}

}  // namespace

std::string title_of(spec::Invariant invariant) {
    return fmt::format("{} {}", spec::short_name(invariant), spec::title(invariant));
}

std::string in_words(spec::Step const& step) {
    std::string words = fmt::format("p{}'s {}", step.actor.value, std::visit(Deed{}, step.action));
    if (step.faults.oom) words += fmt::format(" (with its {} kalloc failing)", ordinal(*step.faults.oom));
    if (step.faults.preempt) words += fmt::format(" (with a timer interrupt {} instructions in)", *step.faults.preempt);
    if (step.faults.switch_hart)
        words += fmt::format(" (left {} blocks in, for another hart)", *step.faults.switch_hart);
    return words;
}

std::string story_of(Finding const& finding) {
    spec::Violation const& violation = finding.divergence.violations.front();
    spec::Step const& step = finding.program.steps[finding.divergence.at.value];
    std::string const what = without_zero_offsets(violation.story);
    std::size_t const after = finding.divergence.at.value + 1;
    bool const overlaps = after < finding.program.steps.size() && finding.program.steps[after].faults.meanwhile;
    std::string const whose =
        in_words(step) + (overlaps ? " and, within it, " + in_words(finding.program.steps[after]) : std::string());
    std::string text = is_about_state(violation.invariant) ? fmt::format("After {}, {}", whose, what)
                                                           : fmt::format("p{}: {}", step.actor.value, what);
    return text + consequence(violation) + '.';
}

bool is_solid(Finding const& finding) {
    return finding.reproduced > 0 && !finding.divergence.violations.empty() &&
           finding.divergence.at.value < finding.program.steps.size();
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
