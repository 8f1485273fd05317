#include "checker/report/story.h"

#include "checker/report/step_words.h"
#include "checker/report/suspects.h"
#include "checker/report/violation_words.h"
#include "spec/step_kinds.h"
#include "spec/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>
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

bool is_stored(spec::Program const& program, unsigned byte) {
    return std::any_of(program.steps.begin(), program.steps.end(), [&](spec::Step const& step) {
        auto const* store = std::get_if<spec::Store>(&step.action);
        for (unsigned i = 0; store != nullptr && i < store->size; ++i)
            if ((store->value >> 8 * i & 0xff) == byte) return true;
        return false;
    });
}

// Whether the kernel may have copied bytes to the place that are not the program's own stores.
bool copied_to(spec::Program const& program, std::optional<spec::Address> const& place) {
    return std::any_of(program.steps.begin(), program.steps.end(), [&](spec::Step const& step) {
        if (spec::way_of(step.action) != spec::Way::copyout) return false;
        auto const use = spec::address_of(step.action);
        if (!use || !place || use->at.anchor != place->anchor) return true;
        std::int64_t const offset = place->offset - use->at.offset;
        return offset >= 0 && static_cast<std::uint64_t>(offset) < use->bytes;
    });
}

// The byte that is where another one should be, and whether that is 0; nothing where it may be anybody's.
std::optional<std::pair<unsigned, bool>> junk_of(Finding const& finding) {
    auto const& facts = finding.divergence.violations.front().facts;
    if (auto const* wrong = std::get_if<spec::WrongByte>(&facts)) {
        if (copied_to(finding.program, finding.divergence.violations.front().place)) return std::nullopt;
        return std::pair(std::to_integer<unsigned>(wrong->seen), wrong->expected == std::byte{0});
    }
    auto const* answer = std::get_if<spec::WrongAnswer>(&facts);
    auto const* load = answer ? std::get_if<spec::Load>(&answer->step.action) : nullptr;
    auto const* seen = answer ? std::get_if<spec::Returned>(&answer->seen.what) : nullptr;
    if (load == nullptr || seen == nullptr) return std::nullopt;
    if (load->size == 1 && copied_to(finding.program, load->at)) return std::nullopt;
    unsigned const byte = seen->value & 0xff;
    for (unsigned i = 1; i < load->size; ++i)
        if ((seen->value >> 8 * i & 0xff) != byte) return std::nullopt;
    return std::pair(byte, answer->allowed == std::vector<spec::Result>{spec::Exactly{0}});
}

// ": 0x05 is what kalloc fills a frame with: it was not zeroed" (xv6's kernel/kalloc.c).
std::string junk_words(Finding const& finding) {
    constexpr unsigned kAllocated = 5, kFreed = 1;
    auto const junk = junk_of(finding);
    if (!junk || (junk->first != kAllocated && junk->first != kFreed) || is_stored(finding.program, junk->first))
        return "";
    return fmt::format(": {:#04x} is what {} fills a frame with{}", junk->first,
                       junk->first == kAllocated ? "kalloc" : "kfree", junk->second ? ", and it was not zeroed" : "");
}

// Of what fails at a good address: what is special about it.
char const* untouched_words(Finding const& finding) {
    using spec::Mistake;
    auto const* answer = std::get_if<spec::WrongAnswer>(&finding.divergence.violations.front().facts);
    if (answer == nullptr || !finding.family.circumstances.grounds.contains(spec::Ground::reserved)) return "";
    if (answer->mistake == Mistake::open_did_not_find) return ": its path lies in a page that was not touched yet";
    if (answer->mistake == Mistake::took_less_than_given) return ": its bytes lie in a page that was not touched yet";
    bool const fails = answer->mistake == Mistake::copy_failed_at_good_address;
    return fails ? ", in a page that was not touched yet" : "";
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

std::string_view rank_words(Finding const& finding) {
    auto const* answer = is_solid(finding) && finding.severity == Severity::defect
                             ? std::get_if<spec::WrongAnswer>(&finding.divergence.violations.front().facts)
                             : nullptr;
    if (answer && std::holds_alternative<spec::Panicked>(answer->seen.what)) return "panic";
    if (answer && std::holds_alternative<spec::Stuck>(answer->seen.what)) return "hang";
    return to_string(rank_of(finding));
}

std::string story_of(Finding const& finding) {
    spec::Violation const& violation = finding.divergence.violations.front();
    spec::Step const& step = finding.program.steps[finding.divergence.at.value];
    std::string const what = words_of(violation).story;
    if (std::holds_alternative<spec::LabNotDone>(violation.facts)) return what + '.';
    std::size_t const after = finding.divergence.at.value + 1;
    bool const overlaps = after < finding.program.steps.size() && finding.program.steps[after].faults.meanwhile;
    std::string const whose =
        !overlaps ? in_words(step)
                  : fmt::format("{} and, {}, {}", deed_in_words(step),
                                step.faults.switch_hart ? "at the same time on another hart" : "within it",
                                deed_in_words(finding.program.steps[after]));
    // What is about an outcome names the step itself, or its call.
    std::string text = !spec::is_about_outcome(violation) ? fmt::format("After {}, {}", whose, what)
                       : what.starts_with(name_of(step.actor) + "'s ")
                           ? what
                           : fmt::format("{}: {}", name_of(step.actor), what);
    return text + consequence(violation) + junk_words(finding) + untouched_words(finding) + '.';
}

std::string paragraph_of(Finding const& finding) {
    ViolationWords const words = words_of(finding.divergence.violations.front());
    return fmt::format(
        "{}, at step {}: {}\n  {}\nExpected: {}. Seen: {}. Came {} of {} times on a freshly booted "
        "kernel.\n",
        title_of(finding.signature.invariant), finding.divergence.at.value + 1,
        spec::print(finding.program.steps[finding.divergence.at.value]), story_of(finding), words.expected, words.seen,
        finding.reproduced, finding.attempts);
}

std::string likewise_at(Finding const& finding) {
    std::string text;
    for (run::Signature const& other : finding.also) {
        if (!text.empty()) text += ", ";
        text += spec::kind_name(other.kind);
        if (other.invariant != finding.signature.invariant) text += fmt::format(" ({})", title_of(other.invariant));
    }
    return text;
}

std::string likewise_points_at(Finding const& finding) {
    std::string text;
    for (CodePlace const& place : finding.also_at) {
        if (!text.empty()) text += "; ";
        text += to_string(place);
    }
    return text;
}

}  // namespace vmcheck::report
