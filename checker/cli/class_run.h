#pragma once
// The run of a class: each tree verified by a vmcheck of its own, or kept from an earlier run.

#include "checker/class/discover.h"
#include "checker/class/summary.h"
#include "checker/cli/exit_code.h"
#include "checker/cli/options.h"

#include <tl/expected.hpp>

namespace vmcheck::cli {

// Verifies what was discovered in the class that `options` name, and writes the results of each tree into a directory
// of its name in options.findings. Prints a line as each tree ends. After an interruption the rest is `not reached`.
// Fails only where there is no room for temporary files; what goes wrong with one tree is that tree's outcome.
tl::expected<classes::Class, Stop> run_class(Options const& options, classes::Discovery discovery);

}  // namespace vmcheck::cli
