#pragma once
// How vmcheck ends; the same numbers in --help, README and scripts.

#include "checker/finding/finding.h"

namespace vmcheck::cli {

enum class ExitCode : int {
    nothing_found = 0,
    divergence = 1,
    usage = 2,             // arguments, corpus files
    environment = 3,       // the machine: a disk that is full, a tool that is missing
    kernel_unusable = 4,   // it did not boot, or is no RV64 kernel
    not_reproducible = 5,  // something was seen once and did not come back
    incomplete = 6,        // nothing was found, and not everything was checked: no verdict
    interrupted = 130,     // Ctrl-C or a time limit came before the end, and nothing was found until then: no verdict
};

constexpr ExitCode exit_code(Stop::Cause cause) {
    switch (cause) {
        case Stop::Cause::usage:
            return ExitCode::usage;
        case Stop::Cause::machine:
            return ExitCode::environment;
        case Stop::Cause::build:
        case Stop::Cause::boot:
        case Stop::Cause::unsupported:
            return ExitCode::kernel_unusable;
        case Stop::Cause::interrupted:
            break;
    }
    return ExitCode::interrupted;
}

}  // namespace vmcheck::cli
