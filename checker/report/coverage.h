#pragma once
// How much of a kernel's code has run, in words and as LCOV.

#include "checker/finding/finding.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck::report {

// What of the code about memory has run. Lines of several functions count once; those that can only panic count where
// they have run. Without debug information functions are counted instead of lines.
struct MemoryCoverage {
    struct Gap {
        std::string file;
        std::string function;  // of its first line
        unsigned from = 0, to = 0;
    };
    struct Part {
        std::string file;
        std::vector<std::string> functions;  // empty: all of the file's
    };
    std::vector<Part> parts;
    bool by_lines = true;
    std::size_t reached = 0;
    std::size_t all = 0;
    std::size_t only_panic = 0;  // beside these
    std::vector<Gap> gaps;       // what did not run; functions where there are no lines
};
MemoryCoverage memory_coverage(Coverage const& coverage);

// "reached 97 % of 812 lines of vm.c, kalloc.c, proc.c's exit, fork", and what was never reached, a line each; empty
// where no code is known to be about memory.
std::vector<std::string> coverage_lines(SessionResult const& session);

// The same under a heading, for a terminal.
std::string coverage_text(SessionResult const& session);

// A tracefile as geninfo(1) of LCOV describes it: a test for each kernel, by its profile; a line's count is 1 where it
// has run. Files are named as the compiler was given them.
std::string lcov_document(std::vector<SessionResult> const& sessions);

}  // namespace vmcheck::report
