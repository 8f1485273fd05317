#pragma once
// What a night of fuzzing came to, as a line of JSON in a ledger that is kept across nights; and the page that is made
// of the ledger alone.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

// One kernel's. What is not known is empty, or 0.
struct Night {
    enum class State : std::uint8_t {
        fresh,  // in no earlier line of this kernel
        known,
        gone,  // the program that was found does not fail any more
    };
    struct Finding {
        std::string name;  // of its files in found/
        std::string title;
        State state = State::fresh;
    };
    std::string began;  // "2026-11-26T21:04:03Z"
    std::uint64_t seconds = 0;
    std::string kernel;
    std::string profile;        // "cow fork, lazy sbrk"
    std::string kernel_commit;  // of the git tree that it lies in
    std::string vmcheck;        // version and commit
    std::string machine;        // processor, cores, memory
    std::uint64_t seed = 0;
    std::uint64_t programs = 0;
    std::uint64_t steps = 0;
    std::uint64_t reached = 0, lines = 0;  // of the code about memory, in lines or else functions
    std::uint64_t corpus = 0;              // programs that are kept for this profile
    std::vector<Finding> findings{};
};

// One line, with its end.
std::string print(Night const& night);
// Nothing where the line is none.
std::optional<Night> parse_night(std::string_view line);

// One file without script or network. `nights`: the oldest first; findings' names lead to found/NAME.vmc beside it.
std::string night_page(std::vector<Night> const& nights);

}  // namespace vmcheck::report
