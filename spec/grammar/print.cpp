#include "spec/address.h"
#include "spec/grammar/text_words.h"
#include "spec/step_kinds.h"
#include "spec/text.h"

#include <fmt/core.h>

#include <algorithm>

namespace vmcheck::spec {

namespace {

constexpr std::uint64_t kShortDecimal = 10;  // below this, decimal and hexadecimal look alike

std::uint64_t magnitude(std::int64_t value) {
    return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

// "+2p", "-1": a signed amount, in pages where it is whole pages; "" for 0.
std::string amount(std::int64_t value, bool positive_in_hex) {
    if (value == 0) return "";
    char const sign = value < 0 ? '-' : '+';
    if (value % kPage == 0) return fmt::format("{}{}p", sign, magnitude(value) / kPageBytes);
    bool const hex = positive_in_hex && value > 0 ? true : magnitude(value) >= kPageBytes;
    return hex ? fmt::format("{}{:#x}", sign, magnitude(value)) : fmt::format("{}{}", sign, magnitude(value));
}

// Appends a field behind the word of its step.
template <class Kind>
struct FieldPrinter {
    Kind const& action;
    std::string& text;

    void operator()(Place<Kind> const& field) const { text += ' ' + print(action.*(field.member)); }
    void operator()(OptionalPlace<Kind> const& field) const {
        if (auto const& at = action.*(field.member)) text += ' ' + print(*at);
    }
    void operator()(AccessSize<Kind> const& field) const { number(action.*(field.member)); }
    void operator()(StoredValue<Kind> const& field) const {
        std::uint64_t const value = action.*(field.member);
        text += value < kShortDecimal ? fmt::format(" = {}", value) : fmt::format(" = {:#x}", value);
    }
    void operator()(PageCount<Kind> const& field) const { number(action.*(field.member)); }
    void operator()(ByteCount<Kind> const& field) const { number(action.*(field.member)); }
    void operator()(BreakAmount<Kind> const& field) const {
        std::int64_t const bytes = action.*(field.member);
        text += bytes == 0 ? " 0" : ' ' + amount(bytes, false);
    }
    void operator()(Mode<Kind> const& field) const {
        SbrkMode const mode = action.*(field.member);
        text += mode == SbrkMode::lazy ? " lazy" : mode == SbrkMode::eager ? " eager" : "";
    }
    void operator()(ProgramName<Kind> const& field) const {
        if (action.*(field.member) != Executable::init) text += fmt::format(" {}", word_of(action.*(field.member)));
    }
    void operator()(ExitStatus<Kind> const& field) const { number(action.*(field.member)); }
    void operator()(NewProcess<Kind> const& field) const { process(action.*(field.member)); }
    void operator()(OtherProcess<Kind> const& field) const { process(action.*(field.member)); }

  private:
    void number(std::int64_t value) const { text += fmt::format(" {}", value); }
    void process(ProcId id) const { text += fmt::format(" p{}", id.value); }
};

std::string print_about(std::string_view about) {
    std::string text;
    if (about.empty()) return text;
    for (std::size_t start = 0; start <= about.size();) {
        std::size_t const end = std::min(about.find('\n', start), about.size());
        std::string_view const line = about.substr(start, end - start);
        text += line.empty() ? std::string{"#\n"} : fmt::format("# {}\n", line);
        start = end + 1;
    }
    return text;
}

std::string_view name_of(ForkPolicy policy) {
    return policy == ForkPolicy::cow ? "cow" : "eager";
}
std::string_view name_of(SbrkPolicy policy) {
    return policy == SbrkPolicy::lazy ? "lazy" : "eager";
}

}  // namespace

std::string print(Address const& address) {
    if (address.anchor == Anchor::absolute) return fmt::format("{:#x}", static_cast<std::uint64_t>(address.offset));
    return std::string{word_of(address.anchor)} + amount(address.offset, true);
}

std::string print(Action const& action) {
    return std::visit(
        []<class Kind>(Kind const& each) {
            std::string text{Row<Kind>::word};
            for_each_field<Kind>(FieldPrinter<Kind>{each, text});
            return text;
        },
        action);
}

std::string print(Step const& step) {
    return fmt::format("p{} {}", step.actor.value, print_without_actor(step));
}

std::string print_without_actor(Step const& step) {
    std::string text = print(step.action);
    if (step.faults.oom) text += fmt::format(" !oom {}", *step.faults.oom);
    if (step.faults.preempt) text += fmt::format(" @{}", *step.faults.preempt);
    if (step.faults.switch_hart) text += fmt::format(" @h {}", *step.faults.switch_hart);
    if (step.faults.meanwhile) text += fmt::format(" {}", kMeanwhile);
    return text;
}

std::string print(Profile profile) {
    return fmt::format("{}+{}", name_of(profile.fork), name_of(profile.sbrk));
}

std::string print(Program const& program) {
    std::string text = print_about(program.about);
    text += fmt::format("vmcheck 1\nprofile {} {}\n", name_of(program.profile.fork), name_of(program.profile.sbrk));
    if (program.memory) text += fmt::format("memory {}\n", *program.memory);
    if (program.harts) text += fmt::format("harts {}\n", *program.harts);
    if (program.found_on) text += fmt::format("found on {}\n", *program.found_on);
    for (Step const& step : program.steps) text += print(step) + '\n';
    return text;
}

std::string to_string(ParseError const& error) {
    std::string const found = error.found.empty() ? "the line ends" : fmt::format("found '{}'", error.found);
    return fmt::format("line {}, column {}: {}, expected {}", error.line, error.column, found, error.expected);
}

}  // namespace vmcheck::spec
