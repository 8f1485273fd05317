#include "spec/address.h"
#include "spec/text.h"
#include "spec/text_words.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::spec {

namespace {

constexpr std::uint64_t kShortDecimal = 10;  // below this, decimal and hexadecimal look alike
constexpr auto kPage = static_cast<std::int64_t>(kPageBytes);

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

struct Print {
    std::string operator()(Fork const& fork) const { return fmt::format("fork p{}", fork.child.value); }
    std::string operator()(Exit const& exit) const { return fmt::format("exit {}", exit.status); }
    std::string operator()(Wait const& wait) const { return wait.status ? "wait " + print(*wait.status) : "wait"; }
    std::string operator()(Kill const& kill) const { return fmt::format("kill p{}", kill.target.value); }
    std::string operator()(Sbrk const& sbrk) const {
        std::string const bytes = sbrk.bytes == 0 ? "0" : amount(sbrk.bytes, false);
        std::string const mode = sbrk.mode == SbrkMode::lazy ? " lazy" : sbrk.mode == SbrkMode::eager ? " eager" : "";
        return "sbrk " + bytes + mode;
    }
    std::string operator()(Load const& load) const { return fmt::format("load {} {}", print(load.at), load.size); }
    std::string operator()(Store const& store) const {
        return fmt::format(
            "store {} {} = {}", print(store.at), store.size,
            store.value < kShortDecimal ? fmt::format("{}", store.value) : fmt::format("{:#x}", store.value));
    }
    std::string operator()(Touch const& touch) const {
        return fmt::format("touch {} {}", print(touch.at), touch.pages);
    }
    std::string operator()(PipeWrite const& write) const {
        return fmt::format("pipe_write {} {}", print(write.from), write.bytes);
    }
    std::string operator()(PipeRead const& read) const {
        return fmt::format("pipe_read {} {}", print(read.to), read.bytes);
    }
    std::string operator()(FileRead const& read) const {
        return fmt::format("file_read {} {}", print(read.to), read.bytes);
    }
    std::string operator()(Fstat const& fstat) const { return "fstat " + print(fstat.to); }
    std::string operator()(Pipe const& pipe) const { return "pipe " + print(pipe.to); }
    std::string operator()(Open const& open) const { return "open " + print(open.path); }
    std::string operator()(Exec const&) const { return "exec"; }
    std::string operator()(SetSp const& set_sp) const { return "sp " + print(set_sp.to); }
    std::string operator()(Fetch const& fetch) const { return "fetch " + print(fetch.at); }
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
    return std::visit(Print{}, action);
}

std::string print(Step const& step) {
    std::string text = fmt::format("p{} {}", step.actor.value, print(step.action));
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
    for (Step const& step : program.steps) text += print(step) + '\n';
    return text;
}

std::string to_string(ParseError const& error) {
    std::string const found = error.found.empty() ? "the line ends" : fmt::format("found '{}'", error.found);
    return fmt::format("line {}, column {}: {}, expected {}", error.line, error.column, found, error.expected);
}

}  // namespace vmcheck::spec
