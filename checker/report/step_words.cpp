#include "checker/report/step_words.h"

#include "checker/report/kernel_functions.h"
#include "spec/step_kinds.h"
#include "spec/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <type_traits>
#include <variant>

namespace vmcheck::report {

namespace {

// What brings an exception about (privileged spec, table of scause values), with the address to follow.
std::string deed_that_raises(std::uint64_t cause) {
    switch (cause) {
        case 12:
            return "jump to";
        case 13:
            return "load from";
        case 15:
            return "store to";
        default:
            return fmt::format("exception {} with stval", cause);
    }
}

// ---- steps ---------------------------------------------------------------------------------------------------------

// For kinds whose word does not say it: what a step does, where {} stands for its address, amount or process; and the
// call as a thing that can fail.
struct WordsOfKind {
    std::size_t kind;
    std::string_view deed;
    std::string_view call{};
};
constexpr std::array kWordsOfKinds = {
    WordsOfKind{spec::index_of<spec::Wait>(), "wait with the status at {}"},
    WordsOfKind{spec::index_of<spec::Kill>(), "kill of {}"},
    WordsOfKind{spec::index_of<spec::Sbrk>(), "sbrk({})"},
    WordsOfKind{spec::index_of<spec::Load>(), "load from {}"},
    WordsOfKind{spec::index_of<spec::Store>(), "store to {}"},
    WordsOfKind{spec::index_of<spec::Touch>(), "first read of {}"},
    WordsOfKind{spec::index_of<spec::PipeWrite>(), "write to a pipe from {}", "the write to the pipe"},
    WordsOfKind{spec::index_of<spec::PipeRead>(), "read from a pipe into {}", "the read from the pipe"},
    WordsOfKind{spec::index_of<spec::FileRead>(), "read of a file into {}", "the read from the file"},
    WordsOfKind{spec::index_of<spec::Fstat>(), "fstat into {}"},
    WordsOfKind{spec::index_of<spec::Pipe>(), "pipe() with its descriptors at {}"},
    WordsOfKind{spec::index_of<spec::Open>(), "open of the path at {}"},
    WordsOfKind{spec::index_of<spec::SetSp>(), "moving sp to {}"},
    WordsOfKind{spec::index_of<spec::Fetch>(), "jump to {}"},
};

WordsOfKind words_of_kind(spec::Action const& action) {
    for (WordsOfKind const& words : kWordsOfKinds)
        if (words.kind == action.index()) return words;
    return {action.index(), spec::kind_name(action)};
}

// Whether the step went on or did not, and there is no more to it: a store, a call of code, what meets no memory.
template <class Kind>
constexpr bool gives_no_value() {
    bool none = spec::Row<Kind>::way == spec::Way::none;
    spec::for_each_field<Kind>([&]<class Field>(Field const& field) {
        if constexpr (std::is_same_v<Field, spec::StoredValue<Kind>>) none = true;
        if constexpr (std::is_same_v<Field, spec::Place<Kind>>) none = none || field.access == spec::Access::execute;
    });
    return none;
}

// The field that a deed names.
template <class Kind>
struct DeedsObject {
    Kind const& action;
    std::optional<std::string>& object;

    void operator()(spec::Place<Kind> const& field) const { object = spec::print(action.*(field.member)); }
    void operator()(spec::OptionalPlace<Kind> const& field) const {
        if (auto const& at = action.*(field.member)) object = spec::print(*at);
    }
    void operator()(spec::BreakAmount<Kind> const& field) const { object = fmt::format("{}", action.*(field.member)); }
    void operator()(spec::OtherProcess<Kind> const& field) const { object = name_of(action.*(field.member)); }
    template <class Other>
    void operator()(Other const&) const {}
};

template <class Kind>
std::string deed(Kind const& action) {
    std::optional<std::string> object;
    spec::for_each_field<Kind>(DeedsObject<Kind>{action, object});
    if (!object) return std::string(spec::Row<Kind>::word);
    return fmt::format(fmt::runtime(words_of_kind(action).deed), *object);
}

std::string ordinal(std::uint32_t number) {
    std::uint32_t const last = number % 10;
    bool const teen = number / 10 % 10 == 1;
    char const* const ending = teen ? "th" : last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th";
    return fmt::format("{}{}", number, ending);
}

// ---- results -------------------------------------------------------------------------------------------------------

template <class Kind>
bool is(spec::Step const& step) {
    return std::holds_alternative<Kind>(step.action);
}

std::string hex(std::uint64_t value) {
    return value < 10 ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

// What an instruction read is bits; what a system call returned is a number, and sbrk's an address.
std::string value_words(std::uint64_t value, spec::Step const& step) {
    if (is<spec::Load>(step) || is<spec::Touch>(step)) return hex(value);
    if (value == spec::kFailed) return "-1";
    if (is<spec::Sbrk>(step)) return hex(value);
    return value < (std::uint64_t{1} << 31) ? fmt::format("{}", value) : hex(value);
}

bool gives_no_value(spec::Step const& step) {
    return std::visit([]<class Kind>(Kind const&) { return gives_no_value<Kind>(); }, step.action);
}

// An address that sbrk gave, relative to the heap.
std::string own_value_words(std::uint64_t value, spec::Step const& step, OwnProgram const& own) {
    if (!is<spec::Sbrk>(step) || value == spec::kFailed || !own.heap_start) return value_words(value, step);
    return spec::print(spec::Address{spec::Anchor::heap, static_cast<std::int64_t>(value - own.heap_start->value)});
}

struct ResultWords {
    std::vector<spec::Result> const& all;
    spec::Step const& step;
    std::optional<OwnProgram> const& own;

    std::string operator()(spec::Exactly const& result) const {
        return own ? own_value_words(result.value, step, *own) : value_words(result.value, step);
    }
    std::string operator()(spec::AtMost const& result) const {
        // Beside the full count it is any lower one.
        bool const beside_full = std::any_of(all.begin(), all.end(), [&](spec::Result const& each) {
            auto const* full = std::get_if<spec::Exactly>(&each);
            return full && full->value != spec::kFailed && full->value >= result.most && full->value > 0;
        });
        if (beside_full) return "less";
        return result.most == 0 ? "0" : fmt::format("at most {}", result.most);
    }
    std::string operator()(spec::NewChild const& result) const { return name_of(result.child); }
    std::string operator()(spec::PidOf const& result) const {
        return own ? fmt::format("the pid of {}", name_of(result.child))
                   : fmt::format("pid {} ({})", result.pid, name_of(result.child));
    }
    std::string operator()(spec::SomeDescriptor const&) const { return "a descriptor"; }
    std::string operator()(spec::GoesOn const&) const { return "ok"; }
    std::string operator()(spec::EndsOther const& result) const {
        return fmt::format("0, {} killed", name_of(result.target));
    }
    std::string operator()(spec::Ends const&) const { return is<spec::Exit>(step) ? "ended" : "killed"; }
    std::string operator()(spec::Restarts const&) const { return "restarted"; }
};

struct SeenWords {
    spec::Outcome const& outcome;
    spec::Step const& step;

    std::string operator()(spec::Returned const& seen) const {
        auto const* fork = std::get_if<spec::Fork>(&step.action);
        if (fork && seen.value != spec::kFailed)
            return outcome.child_started ? name_of(fork->child) : fmt::format("pid {}, but no child", seen.value);
        if (gives_no_value(step)) return seen.value == 0 ? "ok" : fmt::format("a0 = {}", hex(seen.value));
        if (is<spec::Wait>(step) && seen.value != spec::kFailed) return fmt::format("pid {}", seen.value);
        return value_words(seen.value, step);
    }
    std::string operator()(spec::Restarted const&) const { return "restarted"; }
    std::string operator()(spec::Ended const&) const { return is<spec::Exit>(step) ? "ended" : "killed"; }
    std::string operator()(spec::Blocked const&) const { return "sleeps in the kernel"; }
    std::string operator()(spec::Panicked const& seen) const {
        return seen.message.empty() ? "panic" : "panic: " + seen.message;
    }
    std::string operator()(spec::Stuck const& seen) const { return "no end: " + words_of(seen); }
    std::string operator()(spec::Unfinished const&) const { return "too slow to be checked"; }
    std::string operator()(spec::Lost const& seen) const { return "lost: " + seen.what; }
};

}  // namespace

std::string name_of(spec::ProcId id) {
    return fmt::format("p{}", id.value);
}

std::string deed_in_words(spec::Step const& step) {
    return fmt::format("{}'s {}", name_of(step.actor),
                       std::visit([](auto const& action) { return deed(action); }, step.action));
}

std::vector<std::pair<std::string_view, std::string_view>> legend(spec::Program const& program) {
    auto const any = [&](auto has) { return std::any_of(program.steps.begin(), program.steps.end(), has); };
    std::vector<std::pair<std::string_view, std::string_view>> lines;
    if (any([](spec::Step const& step) { return step.faults.oom.has_value(); }))
        lines.emplace_back("!oom n", "the n-th frame allocation (kalloc) within the step is made to fail");
    if (any([](spec::Step const& step) { return step.faults.preempt.has_value(); }))
        lines.emplace_back("@n", "a timer interrupt comes after n instructions of the step");
    if (any([](spec::Step const& step) { return step.faults.switch_hart.has_value(); }))
        lines.emplace_back(
            "@h n",
            "after n basic blocks (pieces of code up to a jump) of the step its hart stops, and another goes on");
    if (any([](spec::Step const& step) { return step.faults.meanwhile; }))
        lines.emplace_back("meanwhile", "this step is done while the one above is not yet at its end");
    return lines;
}

std::string in_words(spec::Step const& step) {
    std::string words = deed_in_words(step);
    if (step.faults.oom) words += fmt::format(" (with its {} kalloc failing)", ordinal(*step.faults.oom));
    if (step.faults.preempt) words += fmt::format(" (with a timer interrupt {} instructions in)", *step.faults.preempt);
    if (step.faults.switch_hart)
        words += fmt::format(" (with its hart stopped after {} basic blocks)", *step.faults.switch_hart);
    return words;
}

std::string words_of(spec::Stuck const& stuck) {
    using Why = spec::Stuck::Why;
    auto const exception = stuck.exception.value_or(spec::Exception{});
    std::string const fault = fmt::format("{} {:#x}", deed_that_raises(exception.cause), exception.value.value);
    std::string const taken = stuck.exception ? fmt::format(" after {} in {}", fault, exception.from) : "";
    switch (stuck.why) {
        case Why::same_trap:
            return fmt::format(
                "the same {} comes again and again: usertrap neither repairs the fault nor kills the process", fault);
        case Why::circles: {
            std::string_view const function = std::string_view(stuck.where).substr(0, stuck.where.find(' '));
            std::string const where = is_helper(function) ? "" : " in " + stuck.where;
            return fmt::format("the kernel {}{}{}",
                               function == "acquire" ? "waits in acquire for a lock that nobody will release"
                                                     : "goes in circles" + where,
                               taken, stuck.others_run ? "" : ", with interrupts off");
        }
        case Why::no_handler:
            return fmt::format("{} in {} goes to machine mode, which has no handler", fault, exception.from);
        case Why::asleep:
            return "every process sleeps, and no device or timer is due";
        case Why::not_scheduled:
            return fmt::format("{} gets no turn, although all others sleep",
                               stuck.who ? name_of(*stuck.who) : "the process");
        case Why::no_timer:
            return "the kernel has set no timer, so no other process gets a turn";
    }
    return {};
}

std::string words_of(FreeArgument const& argument, spec::Action const& action) {
    if (argument.of == FreeArgument::Of::address) {
        spec::Anchor const anchor = spec::address_of(action).value_or(spec::AddressUse{}).at.anchor;
        return fmt::format("any address in {}..{}", spec::print({anchor, argument.least}),
                           spec::print({anchor, argument.greatest + 1}));
    }
    bool const has_range = argument.of == FreeArgument::Of::length || argument.of == FreeArgument::Of::amount;
    return has_range
               ? fmt::format("any {} of {} to {} bytes", to_string(argument.of), argument.least, argument.greatest)
               : fmt::format("any {}", to_string(argument.of));
}

std::string free_words(Finding const& finding, std::size_t step) {
    std::vector<std::string> words;
    for (FreeArgument const& each : finding.evidence.free)
        if (each.at.value == step) words.push_back(words_of(each, finding.records.at(step).step.action));
    return fmt::format("{}", fmt::join(words, ", "));
}

std::string_view free_legend(Finding const& finding) {
    return finding.evidence.free.empty() ? "" : "fails in the same way with each other one that was tried";
}

std::string call_in_words(spec::Action const& action) {
    std::string_view const call = words_of_kind(action).call;
    return std::string(call.empty() ? spec::kind_name(action) : call);
}

std::string expected_words(std::vector<spec::Result> const& results, spec::Step const& step,
                           std::optional<OwnProgram> const& own) {
    std::vector<std::string> words;
    for (spec::Result const& result : results) {
        std::string word = std::visit(ResultWords{results, step, own}, result);
        if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
    }
    return words.empty() ? "it depends" : fmt::format("{}", fmt::join(words, " or "));
}

std::string expected_words(run::StepRecord const& record) {
    return expected_words(record.expected, record.step);
}

std::string seen_words(spec::Outcome const& outcome, spec::Step const& step) {
    std::string words = std::visit(SeenWords{outcome, step}, outcome.what);
    for (spec::ProcId other : outcome.ended_others) words += fmt::format(", {} killed", name_of(other));
    return words;
}

std::string seen_words(run::StepRecord const& record) {
    return record.seen ? seen_words(*record.seen, record.step) : "not reached";
}

}  // namespace vmcheck::report
