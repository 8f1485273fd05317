#include "checker/report/escape.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace vmcheck::report {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

unsigned byte_at(std::string_view text, std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

bool continues(unsigned byte) {
    return (byte & 0xc0U) == 0x80U;
}

// The length of the valid UTF-8 sequence that starts at `at`; 0 where there is none (RFC 3629, section 4).
std::size_t sequence_length(std::string_view text, std::size_t at) {
    unsigned const first = byte_at(text, at);
    unsigned const second = byte_at(text, at + 1);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return continues(second) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        bool const overlong = first == 0xe0 && second < 0xa0;
        bool const surrogate = first == 0xed && second >= 0xa0;
        bool const not_a_character = first == 0xef && second == 0xbf && byte_at(text, at + 2) >= 0xbe;
        if (overlong || surrogate || not_a_character) return 0;
        return continues(second) && continues(byte_at(text, at + 2)) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90)) return 0;
        return continues(second) && continues(byte_at(text, at + 2)) && continues(byte_at(text, at + 3)) ? 4 : 0;
    }
    return 0;
}

// Characters that show what follows in another order than it is in, or begin a line: U+061C, U+200E, U+200F, U+2028 to
// U+202E, U+2066 to U+2069 (Unicode Standard Annex 9, section 2).
bool rearranges(std::string_view sequence) {
    unsigned const last = byte_at(sequence, 2);
    if (sequence == "\xd8\x9c") return true;
    if (sequence.size() != 3 || byte_at(sequence, 0) != 0xe2) return false;
    if (byte_at(sequence, 1) == 0x80) return last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae);
    return byte_at(sequence, 1) == 0x81 && last >= 0xa6 && last <= 0xa9;
}

// U+0080 to U+009F are controls too; XML allows them, terminals act on them.
bool is_control(std::string_view sequence) {
    if (rearranges(sequence)) return true;
    unsigned const first = byte_at(sequence, 0);
    if (sequence.size() == 2) return first == 0xc2 && byte_at(sequence, 1) < 0xa0;
    return sequence.size() == 1 && ((first < 0x20 && first != '\n' && first != '\t') || first == 0x7f);
}

// printable(text), with what stands for some of its characters.
std::string replace_each(std::string_view bytes, std::initializer_list<std::pair<char, std::string_view>> replaced) {
    std::string out;
    for (char const c : printable(bytes)) {
        auto const found =
            std::find_if(replaced.begin(), replaced.end(), [&](auto const& each) { return each.first == c; });
        out += found == replaced.end() ? std::string_view(&c, 1) : found->second;
    }
    return out;
}

}  // namespace

std::string printable(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
        std::size_t const length = sequence_length(bytes, at);
        std::string_view const sequence = bytes.substr(at, std::max<std::size_t>(length, 1));
        out += length == 0 || is_control(sequence) ? kReplacement : sequence;
        at += sequence.size();
    }
    return out;
}

std::string one_line(std::string_view bytes) {
    return replace_each(bytes, {{'\n', " "}});
}

std::string escape_markup(std::string_view bytes) {
    return replace_each(bytes, {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}});
}

std::string escape_message(std::string_view bytes) {
    return replace_each(bytes, {{'%', "%25"}, {'\n', "%0A"}});
}

std::string escape_property(std::string_view bytes) {
    return replace_each(bytes, {{'%', "%25"}, {'\n', "%0A"}, {':', "%3A"}, {',', "%2C"}});
}

std::string escape_c_string(std::string_view bytes) {
    // A '?' might begin a trigraph.
    return replace_each(bytes, {{'\\', "\\\\"}, {'"', "\\\""}, {'\n', "\\n"}, {'\t', " "}, {'?', "\\?"}});
}

std::string escape_c_comment(std::string_view bytes) {
    std::string out = replace_each(bytes, {{'\n', " "}, {'\t', " "}});
    // A backslash at the end of the line would swallow the next one.
    while (!out.empty() && (out.back() == '\\' || out.back() == ' ')) out.pop_back();
    return out;
}

std::string shell_word(std::string_view word) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+./,:@%";
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
    std::string text = "'";
    for (char const c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

std::string shell_line(std::vector<std::string> const& words) {
    std::string line;
    for (std::string const& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
    return line;
}

}  // namespace vmcheck::report
