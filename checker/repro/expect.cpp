#include "checker/repro/expect.h"

#include "checker/repro/c_words.h"
#include "spec/program.h"
#include "spec/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vmcheck::report {

namespace {

bool starts_with(std::string_view text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

// The number at the start of the words: decimal with its sign, or hexadecimal (64 bits, two's complement).
std::optional<std::int64_t> number_in(std::string_view words) {
    if (starts_with(words, "0x")) {
        std::uint64_t value = 0;
        auto const [end, error] = std::from_chars(words.data() + 2, words.data() + words.size(), value, 16);
        if (error != std::errc()) return std::nullopt;
        return static_cast<std::int64_t>(value);
    }
    std::int64_t value = 0;
    auto const [end, error] = std::from_chars(words.data(), words.data() + words.size(), value);
    if (error != std::errc()) return std::nullopt;
    return value;
}

void add(std::string_view words, Expectation& expectation) {
    using What = Allowed::What;
    if (words == "killed") {
        expectation.may_die = true;
    } else if (words == "ok" || words == "ended" || words == "restarted") {
        expectation.anything = true;
    } else if (words == "less") {
        // "N or -1 or less": any count up to the first one.
        std::int64_t const most = expectation.values.empty() ? 0 : expectation.values.front().value;
        expectation.values.push_back({What::at_most, most});
    } else if (starts_with(words, "at most ")) {
        expectation.values.push_back({What::at_most, number_in(words.substr(8)).value_or(0)});
    } else if (words == "a descriptor") {
        expectation.values.push_back({What::not_negative, 0});
    } else if (starts_with(words, "pid ") || starts_with(words, "p")) {
        expectation.values.push_back({What::positive, 0});
    } else if (auto const value = number_in(words)) {
        expectation.values.push_back({What::equal, *value});
    }
}

bool holds(Allowed const& allowed, std::int64_t value) {
    switch (allowed.what) {
        case Allowed::What::equal:
            return value == allowed.value;
        case Allowed::What::at_most:
            return value <= allowed.value;
        case Allowed::What::positive:
            return value > 0;
        case Allowed::What::not_negative:
            return value >= 0;
    }
    return false;
}

// The value as an address of the heap, where it can be one.
std::optional<spec::Address> in_heap(std::int64_t value, std::optional<std::uint64_t> heap_start) {
    // Far above any count or status: an address.
    constexpr std::int64_t kAddressMin = 4096;
    if (!heap_start || value < kAddressMin) return std::nullopt;
    return spec::Address{spec::Anchor::heap,
                         static_cast<std::int64_t>(static_cast<std::uint64_t>(value) - *heap_start)};
}

std::string value_in_c(std::int64_t value, std::optional<std::uint64_t> heap_start) {
    if (auto const address = in_heap(value, heap_start)) return fmt::format("(long)({})", c_pointer(*address));
    return value < 0 ? c_amount(value) : c_value(static_cast<std::uint64_t>(value));
}

}  // namespace

Expectation parse_expectation(std::string_view words) {
    constexpr std::string_view kOr = " or ";
    Expectation expectation;
    while (!words.empty()) {
        std::size_t const end = std::min(words.find(kOr), words.size());
        add(words.substr(0, end), expectation);
        words.remove_prefix(std::min(end + kOr.size(), words.size()));
    }
    return expectation;
}

bool allows(Expectation const& expectation, std::string_view seen) {
    if (seen == "killed") return expectation.may_die;
    if (starts_with(seen, "panic: ") || starts_with(seen, "stuck: ") || starts_with(seen, "lost: ") ||
        seen == "sleeps in the kernel")
        return false;
    if (expectation.values.empty()) return expectation.anything;
    bool const is_process = starts_with(seen, "pid ") || (starts_with(seen, "p") && seen.size() > 1);
    auto const value = is_process ? std::optional<std::int64_t>{1} : number_in(seen);
    if (!value) return false;
    return std::any_of(expectation.values.begin(), expectation.values.end(),
                       [&](Allowed const& each) { return holds(each, *value); });
}

std::string in_own_words(std::string_view words, std::optional<std::uint64_t> heap_start) {
    constexpr std::string_view kOr = " or ";
    std::string text;
    while (!words.empty()) {
        std::size_t const end = std::min(words.find(kOr), words.size());
        std::string_view const word = words.substr(0, end);
        std::size_t const name = word.find("(p");
        if (!text.empty()) text += kOr;
        auto const value = starts_with(word, "0x") ? number_in(word) : std::nullopt;
        auto const address = value ? in_heap(*value, heap_start) : std::nullopt;
        if (address)
            text += spec::print(*address);
        else if (starts_with(word, "pid ") && name != std::string_view::npos && word.back() == ')')
            text += fmt::format("the pid of {}", word.substr(name + 1, word.size() - name - 2));
        else
            text += word;
        words.remove_prefix(std::min(end + kOr.size(), words.size()));
    }
    return text;
}

std::string c_condition(Expectation const& expectation, std::optional<std::uint64_t> heap_start) {
    std::string text;
    for (Allowed const& allowed : expectation.values) {
        if (!text.empty()) text += " || ";
        switch (allowed.what) {
            case Allowed::What::equal:
                text += "r == " + value_in_c(allowed.value, heap_start);
                break;
            case Allowed::What::at_most:
                text += fmt::format("r <= {}", allowed.value);
                break;
            case Allowed::What::positive:
                text += "r > 0";
                break;
            case Allowed::What::not_negative:
                text += "r >= 0";
                break;
        }
    }
    return text;
}

}  // namespace vmcheck::report
