#pragma once
// Runs one program on a kernel on the board, from boot to the program's end, with its console passed on as it comes.
// There is no agent and nothing is checked: the program's own verdict is what counts.
//
//     auto disk = program::make_disk(files, geometry, words);
//     auto report = program::run({.kernel = options, .disk = *disk}, print, stop);

#include "impl/boot/kernel_target.h"
#include "impl/target.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vmcheck::program {

struct Request {
    KernelOptions kernel;         // its profile is not looked at
    std::vector<std::byte> disk;  // as made by make_disk()
    unsigned harts = 1;           // 1 to 3
    // How long the program may take by the board's clock. That clock counts executed code, and jumps where every hart
    // waits, so the limit is met at the same point in every run, and a kernel that waits for ever meets it at once.
    std::uint64_t seconds_max = 120;
};

// How it ended.
struct Exited {
    int status = 0;  // of exit(); -1 where the kernel killed it
};
struct NotRun {
    std::string why;  // the program could not be started, or its end is not known: a sentence
};
struct Panicked {
    std::string message;  // the last line on the console
};
struct Halted {
    std::string why;  // the machine cannot go on: a sentence
};
struct TimeUp {};
struct Interrupted {};
using Ending = std::variant<Exited, NotRun, Panicked, Halted, TimeUp, Interrupted>;

struct Report {
    Ending ending;
    double seconds = 0;                 // by the board's clock, boot included
    std::uint64_t console_dropped = 0;  // bytes of output beyond what a console keeps
};

// Boots and runs. `relay` gets the console's output in order, soon after it was printed. Fails where the kernel cannot
// be loaded or does not reach user mode; what it printed until then has gone to `relay` too.
tl::expected<Report, BootError> run(Request const& request, std::function<void(std::string_view)> const& relay,
                                    std::stop_token const& stop);

}  // namespace vmcheck::program
