#pragma once
// The commands. Each prints for a person on standard output, errors and progress on standard error.

#include "checker/cli/exit_code.h"
#include "checker/cli/options.h"

namespace vmcheck::cli {

ExitCode verify(Options const& options);
// verify where the path is a class: a directory of many trees.
ExitCode verify_class(Options const& options);
// The class, the run or the nights of which these are the shards.
ExitCode merge(Options const& options);
ExitCode fuzz(Options const& options);
ExitCode replay(Options const& options);
ExitCode shrink(Options const& options);
ExitCode show(Options const& options);
ExitCode bisect(Options const& options);
ExitCode run(Options const& options);
ExitCode debug(Options const& options);
ExitCode doctor(Options const& options);

}  // namespace vmcheck::cli
