#include "spec/grammar/text_line.h"
#include "spec/grammar/text_words.h"
#include "spec/step_kinds.h"
#include "spec/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace vmcheck::spec {

namespace {

constexpr std::size_t kStepsMax = 10'000;
constexpr std::size_t kTextBytesMax = std::size_t{1} << 20;
constexpr std::uint64_t kCountMax = std::numeric_limits<std::uint32_t>::max();

// Passes an error on where the value would have another type.
template <class T>
tl::unexpected<ParseError> failed(Parsed<T> const& parsed) {
    return tl::make_unexpected(parsed.error());
}

Parsed<std::uint32_t> count(TextLine& line, std::string_view expected) {
    return line.number(kCountMax, expected).map([](std::uint64_t value) { return static_cast<std::uint32_t>(value); });
}

// Reads the fields of one kind of step, in the order of its row; the first that does not fit ends it.
template <class Kind>
class FieldReader {
  public:
    explicit FieldReader(TextLine& line) : line_(line) {}

    Parsed<Action> take() {
        for_each_field<Kind>([&](auto const& field) {
            if (!error_) read(field);
        });
        if (error_) return tl::make_unexpected(std::move(*error_));
        return Action{action_};
    }

  private:
    template <class Value, class T>
    void put(Value Kind::*member, Parsed<T> const& parsed) {
        if (parsed)
            action_.*member = static_cast<Value>(*parsed);
        else
            error_ = parsed.error();
    }

    void read(Place<Kind> const& field) { put(field.member, line_.address()); }
    void read(OptionalPlace<Kind> const& field) {
        // Nothing and "0" name no address; one that happens to be 0 is written 0x0.
        std::string_view const word = line_.peek();
        if (word.empty() || word.starts_with('!') || word.starts_with('@') || word == kMeanwhile) return;
        if (word == "0")
            line_.next();
        else
            put(field.member, line_.address());
    }
    void read(AccessSize<Kind> const& field) {
        constexpr std::string_view kExpected = "a size of 1, 2, 4 or 8 bytes";
        auto const size = line_.number(kCountMax, kExpected);
        if (size && !is_access_size(*size))
            error_ = line_.error_at_last(std::string{kExpected}).value();
        else
            put(field.member, size);
    }
    void read(StoredValue<Kind> const& field) {
        if (line_.next() != "=")
            error_ = line_.error_at_last("'=' and the value to store").value();
        else
            put(field.member, line_.number(std::numeric_limits<std::uint64_t>::max(), "a value of at most 64 bits"));
    }
    void read(PageCount<Kind> const& field) { put(field.member, count(line_, "a number of pages")); }
    void read(ByteCount<Kind> const& field) { put(field.member, count(line_, "a number of bytes")); }
    void read(BreakAmount<Kind> const& field) { put(field.member, line_.amount()); }
    void read(Mode<Kind> const& field) {
        SbrkMode& mode = action_.*(field.member);
        if (line_.peek() == "lazy") mode = SbrkMode::lazy;
        if (line_.peek() == "eager") mode = SbrkMode::eager;
        if (mode != SbrkMode::by_profile) line_.next();
    }
    void read(ProgramName<Kind> const& field) {
        for (Executable each : {Executable::init, Executable::large, Executable::broken})
            if (line_.peek() == word_of(each)) {
                action_.*(field.member) = each;
                line_.next();
                return;
            }
    }
    void read(ExitStatus<Kind> const& field) { put(field.member, line_.status()); }
    void read(NewProcess<Kind> const& field) { put(field.member, line_.process("a process such as p1")); }
    void read(OtherProcess<Kind> const& field) { put(field.member, line_.process("a process such as p1")); }

    TextLine& line_;
    Kind action_{};
    std::optional<ParseError> error_;
};

Parsed<Action> parse_action(TextLine& line) {
    std::string_view const word = line.next();
    std::optional<Parsed<Action>> parsed;
    for_each_kind([&]<class Kind>(std::in_place_type_t<Kind>) {
        if (word == Row<Kind>::word) parsed = FieldReader<Kind>{line}.take();
    });
    if (parsed) return std::move(*parsed);
    auto const meant = nearest_step_word(word);
    return line.error_at_last(meant ? fmt::format("a step (did you mean '{}'?)", *meant)
                                    : std::string{"a step such as fork, sbrk or store"});
}

Parsed<Faults> parse_faults(TextLine& line) {
    Faults faults;
    while (!line.at_end()) {
        std::string_view const word = line.next();
        if (word == "!oom" && !faults.oom) {
            auto const which = count(line, "which allocation fails, counted from 1");
            if (!which) return failed(which);
            if (*which == 0) return line.error_at_last("which allocation fails, counted from 1");
            faults.oom = *which;
        } else if (word == "@h" && !faults.switch_hart) {
            auto const after = count(line, "a number of blocks");
            if (!after) return failed(after);
            faults.switch_hart = *after;
        } else if (word.starts_with('@') && !faults.preempt) {
            auto const after = parse_number(word.substr(1));
            if (!after || *after > kCountMax)
                return line.error_at_last("'@' and a number of instructions, or '@h' and a number of blocks");
            faults.preempt = static_cast<std::uint32_t>(*after);
        } else if (word == kMeanwhile && !faults.meanwhile) {
            faults.meanwhile = true;
        } else {
            return line.error_at_last("the end of the line, '!oom k', '@n', '@h n' or 'meanwhile'");
        }
    }
    return faults;
}

Parsed<Step> parse_step(TextLine& line) {
    auto const actor = line.process("a process such as p0");
    if (!actor) return failed(actor);
    auto action = parse_action(line);
    if (!action) return failed(action);
    auto const faults = parse_faults(line);
    if (!faults) return failed(faults);
    return Step{*actor, *action, *faults};
}

Parsed<std::monostate> parse_version(TextLine& line) {
    constexpr std::string_view kExpected = "'vmcheck 1', the first line of a program";
    if (line.next() != "vmcheck" || line.next() != "1") return line.error_at_last(std::string{kExpected});
    return line.expect_end("the end of the line");
}

std::optional<SbrkPolicy> sbrk_policy(std::string_view word) {
    if (word == "lazy") return SbrkPolicy::lazy;
    if (word == "eager") return SbrkPolicy::eager;
    return std::nullopt;
}

std::optional<ForkPolicy> fork_policy(std::string_view word) {
    if (word == "cow") return ForkPolicy::cow;
    if (word == "eager") return ForkPolicy::eager;
    return std::nullopt;
}

Parsed<Profile> parse_profile_line(TextLine& line) {
    if (line.next() != "profile")
        return line.error_at_last("'profile' and what fork and sbrk promise, as in 'profile cow lazy'");
    auto const fork = fork_policy(line.next());
    if (!fork) return line.error_at_last("'cow' or 'eager', for fork");
    Profile profile{*fork, SbrkPolicy::eager};
    if (line.at_end()) return profile;
    auto const sbrk = sbrk_policy(line.next());
    if (!sbrk) return line.error_at_last("'lazy' or 'eager', for sbrk");
    profile.sbrk = *sbrk;
    auto const end = line.expect_end("the end of the line");
    if (!end) return failed(end);
    return profile;
}

// Hands out the lines of a text, numbered, without their ends.
class Lines {
  public:
    explicit Lines(std::string_view text) : rest_(text) {}

    bool next() {
        if (rest_.empty()) return false;
        std::size_t const end = std::min(rest_.find('\n'), rest_.size());
        line_ = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        while (line_.ends_with('\r')) line_.remove_suffix(1);  // files that were edited on other systems
        ++number_;
        return true;
    }
    std::string_view line() const { return line_; }
    std::size_t number() const { return number_; }
    bool blank() const { return TextLine{line_, number_}.at_end(); }

  private:
    std::string_view rest_;
    std::string_view line_;
    std::size_t number_ = 0;
};

// The comment lines above the header, without '#' and the one space that print() puts behind it.
class About {
  public:
    void add(std::string_view line) {
        std::size_t const mark = line.find('#');
        if (mark == std::string_view::npos) return;
        line.remove_prefix(mark + 1);
        if (line.starts_with(' ')) line.remove_prefix(1);
        if (any_) text_ += '\n';
        text_ += line;
        any_ = true;
    }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
    bool any_ = false;
};

Parsed<std::uint32_t> parse_harts(TextLine& line) {
    std::string_view const number = line.next();
    if (number != "2" && number != "3") return line.error_at_last("2 or 3 harts");
    if (auto const end = line.expect_end("the end of the line"); !end) return failed(end);
    return number == "2" ? 2U : 3U;
}

// All behind the words: a path may have blanks in it, and a '#'.
Parsed<std::string> parse_found_on(TextLine& line, std::string_view whole) {
    line.next();
    if (line.next() != "on") return line.error_at_last("'on' and the path of a kernel");
    if (line.next().empty()) return line.error_at_last("the path of a kernel");
    std::size_t const at = whole.find_first_not_of(" \t", whole.find("on", whole.find("found") + 5) + 2);
    std::size_t const last = whole.find_last_not_of(" \t\r");
    if (last < at) return line.error_at_last("the path of a kernel");
    return std::string(whole.substr(at, last + 1 - at));
}

}  // namespace

tl::expected<Program, ParseError> parse(std::string_view text) {
    if (text.size() > kTextBytesMax)
        return tl::make_unexpected(ParseError{1, 1, fmt::format("{} bytes", text.size()),
                                              fmt::format("a text of at most {} bytes", kTextBytesMax)});
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // some editors begin a file with it
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    Program program;
    About about;
    Lines lines{text};
    std::size_t headers = 0;  // of 2: the version and the profile
    while (lines.next()) {
        if (lines.blank()) {
            if (headers == 0) about.add(lines.line());
            continue;
        }
        TextLine line{lines.line(), lines.number()};
        if (headers == 0) {
            if (auto const version = parse_version(line); !version) return failed(version);
            ++headers;
        } else if (headers == 1) {
            auto const profile = parse_profile_line(line);
            if (!profile) return failed(profile);
            program.profile = *profile;
            ++headers;
        } else if (program.steps.empty() && !program.memory && line.peek() == "memory") {
            line.next();
            auto const frames = count(line, "how many frames are free at the start");
            if (!frames) return failed(frames);
            if (auto const end = line.expect_end("the end of the line"); !end) return failed(end);
            program.memory = *frames;
        } else if (program.steps.empty() && !program.harts && line.peek() == "harts") {
            line.next();
            auto const harts = parse_harts(line);
            if (!harts) return failed(harts);
            program.harts = *harts;
        } else if (program.steps.empty() && !program.found_on && line.peek() == "found") {
            auto path = parse_found_on(line, lines.line());
            if (!path) return failed(path);
            program.found_on = std::move(*path);
        } else {
            auto step = parse_step(line);
            if (!step) return failed(step);
            if (program.steps.size() == kStepsMax)
                return tl::make_unexpected(ParseError{lines.number(), 1, "one more step",
                                                      fmt::format("a program of at most {} steps", kStepsMax)});
            program.steps.push_back(*step);
        }
    }
    if (headers < 2)
        return tl::make_unexpected(ParseError{
            lines.number() + 1, 1, "",
            headers == 0 ? "'vmcheck 1', the first line of a program" : "'profile' and what fork and sbrk promise"});
    program.about = about.take();
    return program;
}

std::optional<Profile> parse_profile(std::string_view text) {
    std::size_t const separator = std::min(text.find_first_of("+ "), text.size());
    auto const fork = fork_policy(text.substr(0, separator));
    if (!fork) return std::nullopt;
    if (separator == text.size()) return Profile{*fork, SbrkPolicy::eager};
    auto const sbrk = sbrk_policy(text.substr(separator + 1));
    if (!sbrk) return std::nullopt;
    return Profile{*fork, *sbrk};
}

}  // namespace vmcheck::spec
