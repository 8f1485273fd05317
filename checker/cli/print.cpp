#include "checker/cli/print.h"

#include "checker/report/escape.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>

namespace vmcheck::cli {

namespace {

std::string_view variable(char const* name) {
    char const* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

bool is_dumb() {
    return variable("TERM") == "dumb";
}

// The user says so, as LC_ALL=C does; where nobody says anything, all the world has UTF-8.
bool is_ascii_only() {
    std::string_view locale;
    for (char const* name : {"LC_ALL", "LC_CTYPE", "LANG"})
        if (locale.empty()) locale = variable(name);
    auto const names = [&](std::string_view word) { return locale.find(word) != std::string_view::npos; };
    return !locale.empty() && !names("UTF-8") && !names("utf8") && !names("UTF8") && !names("utf-8");
}

struct Mark {
    std::string_view mark, ascii;
};
constexpr std::array<Mark, 9> kMarks{
    {{"✗", "x"}, {"✓", "ok"}, {"·", "-"}, {"←", "<-"}, {"→", "->"}, {"×", "x"}, {"–", "-"}, {"…", "..."}, {"≥", ">="}}};

std::string in_ascii(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        auto const mark = std::ranges::find_if(kMarks, [&](Mark const& each) { return text.starts_with(each.mark); });
        std::size_t length = 1;
        while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80U) ++length;
        if (mark != kMarks.end())
            out += mark->ascii;
        else
            out += length > 1 ? "?" : text.substr(0, 1);
        text.remove_prefix(length);
    }
    return out;
}

// The colour that `text` begins with, as reports have it (TextStyle); empty where there is none.
std::string_view colour_at(std::string_view text) {
    for (std::string_view each : {"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m"})
        if (text.starts_with(each)) return each;
    return {};
}

}  // namespace

void put(std::FILE* to, std::string_view document) {
    std::fwrite(document.data(), 1, document.size(), to);
}

void print_text(std::FILE* to, std::string_view text) {
    bool const colours = ::isatty(::fileno(to)) == 1, ascii = is_ascii_only();
    std::string out;
    while (!text.empty()) {
        std::string_view const colour = colours ? colour_at(text) : std::string_view();
        out += colour;
        text.remove_prefix(colour.size());
        if (!colour.empty()) continue;
        std::size_t const end = std::min(text.find('\033', 1), text.size());
        std::string const plain = report::printable(text.substr(0, end));
        out += ascii ? in_ascii(plain) : plain;
        text.remove_prefix(end);
    }
    put(to, out);
}

bool takes_colour() {
    return ::isatty(STDOUT_FILENO) == 1 && variable("NO_COLOR").empty() && !is_dumb();
}

bool StatusLine::rewrites_lines() {
    return ::isatty(STDERR_FILENO) == 1 && !is_dumb();
}

void StatusLine::show(std::string_view line) {
    if (!live_) return;
    winsize size{};
    // A line that fills the last column may go on in the next, which is not taken away again.
    std::size_t const width = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79;
    std::size_t end = 0;
    for (std::size_t columns = 0; end < line.size(); ++end)
        if ((static_cast<unsigned char>(line[end]) & 0xc0U) != 0x80U && ++columns > width) break;
    put(stderr, "\r\033[K");
    print_text(stderr, line.substr(0, end));
    std::fflush(stderr);
    shown_ = true;
}

void StatusLine::clear() {
    if (live_ && shown_) put(stderr, "\r\033[K");
    shown_ = false;
}

}  // namespace vmcheck::cli
