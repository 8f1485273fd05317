#pragma once
// Another program, run with limits: it cannot take longer, print more, or live longer than it is allowed to.

#include <tl/expected.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::qemu {

struct ChildLimits {
    std::chrono::milliseconds time{20'000};
    std::size_t output_bytes = std::size_t{64} << 10;
    // Asked whenever something was printed: true ends the child, since what was wanted is there. Empty: never.
    std::function<bool(std::string_view output)> enough{};
    std::stop_token stop{};
};

struct ChildResult {
    enum class End { exited, signalled, enough, out_of_time, too_much_output, stopped };
    End end = End::exited;
    int exit_code = 0;   // where it exited
    std::string output;  // standard output and standard error as they came, at most output_bytes
};

// Runs `arguments`, the first being the program as a path or a name in PATH, with standard input from /dev/null, in a
// process group of its own that is killed in the end. Fails with why it could not be run, as part of a sentence.
// REQUIRES: arguments is not empty.
tl::expected<ChildResult, std::string> run_child(std::vector<std::string> arguments, ChildLimits const& limits);

}  // namespace vmcheck::qemu
