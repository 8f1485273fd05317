#pragma once
// The corpus grammar, version 1: programs as text, one step a line. print() and parse() are inverse.
//
//     # why this program is here
//     vmcheck 1
//     profile cow lazy       # who copies at fork: cow | eager; who maps at sbrk: lazy | eager (eager if left out)
//     p0 sbrk +2p
//     p0 store heap+0x8 4 = 0x41424344
//     p0 fork p1
//     p1 store heap+0x8 4 = 7      !oom 1
//     p1 exit 3                    @120

#include "spec/program.h"

#include <tl/expected.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace vmcheck::spec {

// Where and why a text is not a program. Lines and columns count from 1.
struct ParseError {
    std::size_t line = 0;
    std::size_t column = 0;
    std::string found;     // the offending word, shortened; empty at the end of a line
    std::string expected;  // what would have been right here
};
std::string to_string(ParseError const& error);

tl::expected<Program, ParseError> parse(std::string_view text);

std::string print(Program const& program);
std::string print(Step const& step);  // one line without its newline
std::string print_without_actor(Step const& step);
std::string print(Action const& action);
std::string print(Address const& address);
std::string print(Profile profile);  // "cow+lazy"

// "cow+lazy", "eager", ...: what print(Profile) writes, or the fork policy alone (sbrk is eager then).
std::optional<Profile> parse_profile(std::string_view text);

}  // namespace vmcheck::spec
