#include "checker/cli/builtin.h"
#include "checker/cli/commands.h"
#include "checker/cli/session.h"
#include "checker/report/text.h"

#include <thread>

#include <fmt/format.h>

namespace vmcheck::cli {

namespace {

bool check_kernels() {
    bool all = true;
    fmt::print("reference kernels\n");
    for (spec::Profile profile : kProfiles) {
        KernelChoice choice;
        choice.profile = profile;
        auto bench = set_up(choice, 1);
        if (!bench) {
            all = false;
            fmt::print("  FAILED  {}\n", bench.error().message);
            continue;
        }
        TargetSummary const& summary = bench->target->summary();
        bool const sound = bench->look.violations.empty();
        all = all && sound;
        fmt::print("  {}  {} · {} · booted in {:.1f} s\n", sound ? "ok    " : "FAILED", summary.profile, summary.name, summary.boot_seconds);
    }
    return all;
}

}  // namespace

ExitCode doctor(Options const&) {
    fmt::print("machine: {} processors\n", std::thread::hardware_concurrency());
    bool const kernels = check_kernels();
    if (kernels) {
        fmt::print("everything works\n");
        return ExitCode::nothing_found;
    }
    if (!kernels) fmt::print("The reference kernel cannot be used: build it with ci/vmcheck.\n");
    return ExitCode::environment;
}

}  // namespace vmcheck::cli
