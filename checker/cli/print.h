#pragma once
// What a person reads. No write that fails ends the program: the stream remembers it (ferror), and main() tells.
// Nothing that a kernel, a tree or a file name holds acts on the terminal: of control characters only line ends, tabs,
// and, on a terminal, the colours that reports have come through. In a locale that has no UTF-8 (LC_ALL=C) marks are
// ASCII.

#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace vmcheck::cli {

// As it is: documents for programs.
void put(std::FILE* to, std::string_view document);

void print_text(std::FILE* to, std::string_view text);
template <class... Args>
void tell(std::FILE* to, fmt::format_string<Args...> format, Args&&... args) {
    print_text(to, fmt::format(format, std::forward<Args>(args)...));
}

// Whether standard output takes colours: a terminal, and neither NO_COLOR nor TERM=dumb speaks against it.
bool takes_colour();

// One line on standard error that is written anew, cut to the width of the terminal. Elsewhere it is not shown.
class StatusLine {
  public:
    StatusLine() = default;
    StatusLine(StatusLine const&) = delete;
    StatusLine& operator=(StatusLine const&) = delete;
    ~StatusLine() { clear(); }
    // False: there is no terminal that can go back to the beginning of a line.
    bool is_live() const { return live_; }
    void show(std::string_view line);
    void clear();

  private:
    bool live_ = rewrites_lines();
    bool shown_ = false;
    static bool rewrites_lines();
};

}  // namespace vmcheck::cli
