#pragma once
// What a step must give, read back from the words of the report ("-1 or 0", "pid 4 (p1)", "0x8000", "killed"), so that
// a C program can check it. The words are those of spec::expectation() and spec::describe().

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

// One allowed value, or a range of them.
struct Allowed {
    enum class What { equal, at_most, positive, not_negative };
    What what = What::equal;
    std::int64_t value = 0;
};

struct Expectation {
    bool may_die = false;         // "killed" is among the words
    bool anything = false;        // "ok", "ended", "restarted": that the step comes to its end is all there is to see
    std::vector<Allowed> values;  // any of these
    bool must_die() const { return may_die && !anything && values.empty(); }
};

Expectation parse_expectation(std::string_view words);

// Whether what was seen, in the words of the report, is among what is expected: then a program cannot tell.
bool allows(Expectation const& expectation, std::string_view seen);

// The words as they are for a program of its own, where the heap begins elsewhere and pids are others: "heap+1p",
// "the pid of p1". `heap_start`: as for c_condition().
std::string in_own_words(std::string_view words, std::optional<std::uint64_t> heap_start);

// The C condition on `long r`; `heap_start`: results that lie in the heap are written relative to `heap`.
// REQUIRES: there are values.
std::string c_condition(Expectation const& expectation, std::optional<std::uint64_t> heap_start);

}  // namespace vmcheck::report
