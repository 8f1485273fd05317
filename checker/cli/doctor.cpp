#include "checker/cli/commands.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/print.h"
#include "checker/qemu/tools.h"
#include "checker/report/text.h"
#include "impl/base/sandbox.h"
#include "impl/board/self_test.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>

namespace vmcheck::cli {

namespace {

bool check_emulator() {
    auto const tests = board::run_self_tests();
    auto const passed = std::ranges::count_if(tests, &board::SelfTestResult::passed);
    bool const all = static_cast<std::size_t>(passed) == tests.size();
    tell(stdout, "emulator\n  {}  {} of {} behaviours of Unicorn that the board relies on\n", all ? "ok    " : "FAILED",
         passed, tests.size());
    for (board::SelfTestResult const& test : tests)
        if (!test.passed)
            tell(stdout, "  FAILED  {}: {}\n          seen instead: {}\n", test.name, test.relies_on, test.detail);
    return all;
}

bool check_kernels(Options const& options) {
    bool all = true;
    tell(stdout, "reference kernels\n");
    for (spec::Profile profile : kProfiles) {
        KernelChoice choice = options.kernel;
        choice.profile = profile;
        auto kernel = start(choice, 1, options);
        if (!kernel) {
            all = false;
            tell(stdout, "  FAILED  {}\n", kernel.error().message);
            continue;
        }
        TargetSummary const& summary = kernel->target->summary();
        bool const sound = kernel->look.violations.empty();
        all = all && sound;
        tell(stdout, "  {}  {} · {} · booted in {:.1f} s\n", sound ? "ok    " : "FAILED", summary.profile, summary.name,
             summary.boot_seconds);
    }
    return all;
}

// What only --confirm needs: told, but no reason to fail.
void look_for_tools() {
    tell(stdout, "for --confirm only\n");
    for (auto const& tool : {qemu::find_emulator(), qemu::find_compiler(), qemu::find_debugger()})
        tell(stdout, "  {}  {}\n", tool ? "ok    " : "absent", tool ? tool->string() : tool.error().message);
}

// Single trees do without, and those of a class where that is asked for: no reason to fail.
void look_for_sandbox() {
    auto const possible = base::try_sandbox();
    tell(stdout, "sandbox for what a tree runs\n  {}  {}\n", possible ? "ok    " : "absent",
         possible ? "by bubblewrap" : possible.error().message);
}

}  // namespace

ExitCode doctor(Options const& options) {
    tell(stdout, "machine: {} processors\n", std::thread::hardware_concurrency());
    bool const emulator = check_emulator();
    bool const kernels = check_kernels(options);
    look_for_sandbox();
    look_for_tools();
    if (options.stop.stop_requested()) return ExitCode::interrupted;
    if (emulator && kernels) {
        tell(stdout, "everything works\n");
        return ExitCode::nothing_found;
    }
    if (!emulator)
        tell(stdout,
             "The emulator does not behave as the board needs: run ci/bootstrap, which brings a Unicorn that does.\n");
    if (!kernels) tell(stdout, "The reference kernel cannot be used: build it with ci/vmcheck.\n");
    return ExitCode::environment;
}

}  // namespace vmcheck::cli
