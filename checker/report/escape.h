#pragma once
// Text of a kernel that nobody vouches for, made fit for each format. Whatever bytes come in, what goes out is valid.

#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

// Valid UTF-8 without control characters other than newline and tab, and without what rearranges text: bad bytes and
// controls become U+FFFD.
std::string printable(std::string_view bytes);

// The same in one line.
std::string one_line(std::string_view bytes);

// For the text and the attribute values of XML and HTML.
std::string escape_markup(std::string_view bytes);

// For GitHub's workflow commands: the message, and a property such as title= or file=.
// Source: GitHub, "Workflow commands for GitHub Actions".
std::string escape_message(std::string_view bytes);
std::string escape_property(std::string_view bytes);

// As a shell reads it back: one word, and several.
std::string shell_word(std::string_view word);
std::string shell_line(std::vector<std::string> const& words);

// For the inside of a C string literal, and for a line of a // comment.
std::string escape_c_string(std::string_view bytes);
std::string escape_c_comment(std::string_view bytes);

}  // namespace vmcheck::report
