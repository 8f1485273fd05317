#pragma once
// A session: one kernel, from boot to findings. verify and fuzz are sessions; the other commands use parts of one.

#include "checker/cli/exit_code.h"
#include "checker/cli/options.h"
#include "checker/report/session.h"
#include "checker/run/campaign.h"
#include "impl/boot/kernel_target.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace vmcheck::cli {

// Why a command ends early: the message is printed, the code returned.
struct Stop {
    ExitCode code;
    std::string message;
};

// Where the chosen kernel is, built first where it is a source tree; with none chosen, the reference kernel.
tl::expected<KernelOptions, Stop> find_kernel(KernelChoice const& choice);

// Boots the chosen kernel; with none chosen, the reference kernel of the chosen profile (cow and lazy by default).
tl::expected<std::unique_ptr<Target>, Stop> boot(KernelChoice const& choice);

// A kernel with its machines, ready to run programs.
struct Bench {
    std::unique_ptr<Target> target;
    run::MachinePool pool;
    run::FirstLook look;
};
tl::expected<Bench, Stop> set_up(KernelChoice const& choice, unsigned jobs);

// Shrinks a failure (unless options say not to) and confirms it on a freshly booted kernel.
tl::expected<report::Finding, Stop> make_finding(Bench& bench, run::Failure failure, Options const& options);

// How much verify does, as the options ask for it.
run::Effort effort_of(Options const& options);

// Runs a campaign and makes findings of its failures; prints as it goes.
tl::expected<report::Session, Stop> run_session(Bench& bench, Options const& options, run::Effort const& effort);

// Prints findings and verdict; writes to `directory` each failing program and, where there can be one, its repro.c. The
// findings that did not come back make the exit code 5, unless others did; advice alone leaves it 0.
tl::expected<ExitCode, Stop> conclude(report::Session const& session, std::filesystem::path const& directory,
                                      Options const& options);

// Writes the report in the format and to the place that options ask for.
tl::expected<void, Stop> write_report(std::vector<report::Session> const& sessions, Options const& options);

// Writes report.html into `directory` if anything was found.
tl::expected<void, Stop> write_html(std::vector<report::Session> const& sessions,
                                    std::filesystem::path const& directory, Options const& options);

// Whether the emulator has failed on any of the machines; asked after programs were run on them. What they showed says
// nothing about the kernel then.
tl::expected<void, Stop> check_engines(run::MachinePool const& pool);

// Why a kernel could not be booted, as an exit code and a message.
Stop stop_for(BootError const& error);

// Prints the message and gives the code.
ExitCode give_up(Stop const& stop);

}  // namespace vmcheck::cli
