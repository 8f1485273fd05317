#pragma once
// Every format of the report by its name: the one place that knows them all.

#include "checker/report/session.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

enum class Format : std::uint8_t { text, json, junit, gradescope, html, github };

// "text", "json", ...; nothing for any other word.
std::optional<Format> parse_format(std::string_view name);
// The names in the order of the enumeration, as in "text, json, junit, gradescope, html, github".
std::string format_names();

// The whole report. Text is without colour here and says what the terminal says: the kernel, the findings, the checks.
std::string render(Format format, std::vector<Session> const& sessions);

}  // namespace vmcheck::report
