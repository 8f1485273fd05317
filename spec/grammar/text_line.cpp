#include "spec/grammar/text_line.h"

#include "spec/address.h"
#include "spec/grammar/text_words.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace vmcheck::spec {

namespace {

constexpr std::size_t kFoundMax = 32;  // of an offending word, in an error message

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

// A word as it can be shown: short, and without characters that would upset a terminal.
std::string shown(std::string_view word) {
    std::string text;
    for (char c : word.substr(0, kFoundMax)) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f)
            text.push_back(c);
        else
            text += fmt::format("\\x{:02x}", byte);
    }
    return word.size() > kFoundMax ? text + "..." : text;
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view digits) {
    bool const hexadecimal = digits.size() > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    if (hexadecimal) digits.remove_prefix(2);
    std::uint64_t value = 0;
    auto const [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, hexadecimal ? 16 : 10);
    if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
    return value;
}

TextLine::TextLine(std::string_view text, std::size_t number)
    : text_(text.substr(0, std::min(text.find('#'), text.size()))), number_(number) {}

std::string_view TextLine::peek() {
    std::size_t const position = position_, last = last_;
    std::string_view const word = word_;
    std::string_view const result = next();
    position_ = position;
    last_ = last;
    word_ = word;
    return result;
}

std::string_view TextLine::next() {
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
    last_ = position_;
    while (position_ < text_.size() && !is_space(text_[position_])) ++position_;
    word_ = text_.substr(last_, position_ - last_);
    return word_;
}

tl::unexpected<ParseError> TextLine::error_at_last(std::string expected) const {
    return tl::make_unexpected(ParseError{number_, last_ + 1, shown(word_), std::move(expected)});
}

Parsed<std::monostate> TextLine::expect_end(std::string expected) {
    if (next().empty()) return std::monostate{};
    return error_at_last(std::move(expected));
}

Parsed<ProcId> TextLine::process(std::string_view expected) {
    std::string_view const word = next();
    if (word.size() > 1 && word[0] == 'p') {
        auto const value = parse_number(word.substr(1));
        if (value && *value <= std::numeric_limits<std::uint32_t>::max())
            return ProcId{static_cast<std::uint32_t>(*value)};
    }
    return error_at_last(std::string{expected});
}

Parsed<std::uint64_t> TextLine::number(std::uint64_t max, std::string_view expected) {
    auto const value = parse_number(next());
    if (value && *value <= max) return *value;
    return error_at_last(value ? fmt::format("{} of at most {}", expected, max) : std::string{expected});
}

Parsed<std::int32_t> TextLine::status() {
    std::string_view word = next();
    bool const negative = !word.empty() && word[0] == '-';
    auto const value = parse_number(negative ? word.substr(1) : word);
    constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
    if (!value || *value > kMost + (negative ? 1 : 0)) return error_at_last("an exit status (a 32-bit number)");
    auto const signed_value = static_cast<std::int64_t>(*value);
    return static_cast<std::int32_t>(negative ? -signed_value : signed_value);
}

Parsed<std::int64_t> TextLine::signed_amount(std::string_view digits, bool negative, std::string_view expected) const {
    bool const pages = !digits.empty() && digits.back() == 'p';
    auto const value = parse_number(pages ? digits.substr(0, digits.size() - 1) : digits);
    std::uint64_t const most = (std::uint64_t{1} << 63) - (negative ? 0 : 1);
    std::uint64_t const unit = pages ? kPageBytes : 1;
    if (!value || *value > most / unit) return error_at_last(std::string{expected});
    std::uint64_t const bytes = *value * unit;
    return static_cast<std::int64_t>(negative ? 0 - bytes : bytes);
}

Parsed<std::int64_t> TextLine::amount() {
    std::string_view word = next();
    bool const negative = !word.empty() && word[0] == '-';
    if (negative || (!word.empty() && word[0] == '+')) word.remove_prefix(1);
    return signed_amount(word, negative, "an amount such as +2p, -1 or 0x1000");
}

Parsed<Address> TextLine::address() {
    constexpr std::string_view kExpected = "an address such as heap+0x8, stack-16 or 0x1000";
    std::string_view const word = next();
    if (auto const absolute = parse_number(word))
        return Address{Anchor::absolute, static_cast<std::int64_t>(*absolute)};
    std::size_t const sign = std::min(word.find_first_of("+-"), word.size());
    std::string_view const name = word.substr(0, sign);
    auto const anchor = anchor_of(name);
    if (!anchor || name.empty()) {
        auto const meant = nearest_anchor_word(name);
        return error_at_last(meant ? fmt::format("{} (did you mean '{}'?)", kExpected, *meant)
                                   : std::string{kExpected});
    }
    if (sign == word.size()) return Address{*anchor, 0};
    auto const offset = signed_amount(word.substr(sign + 1), word[sign] == '-', "an offset such as +0x8, -16 or +2p");
    if (!offset) return tl::make_unexpected(offset.error());
    return Address{*anchor, *offset};
}

}  // namespace vmcheck::spec
