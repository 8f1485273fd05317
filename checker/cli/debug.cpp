// debug: a failing program under GDB, forwards and backwards.

#include "checker/cli/commands.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/output.h"
#include "checker/cli/print.h"
#include "checker/debug/recorded_program.h"
#include "checker/debug/server.h"
#include "checker/report/debug_words.h"
#include "checker/report/escape.h"
#include "impl/base/child.h"
#include "impl/base/files.h"
#include "spec/text.h"

#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <system_error>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;

constexpr char const* kGdb = "gdb-multiarch";

// One that is not there any more is told.
std::optional<fs::path> kernel_of_finding(spec::Program const& program) {
    if (!program.found_on) return std::nullopt;
    fs::path const kernel{*program.found_on};
    std::error_code error;
    if (fs::exists(kernel, error)) return kernel;
    tell(stderr, "vmcheck: {} is not here, on which it was found: this is the reference kernel (--kernel).\n",
         report::one_line(kernel.string()));
    return std::nullopt;
}

std::vector<std::string> gdb_command(fs::path const& kernel, std::uint16_t port) {
    return {kGdb, kernel.string(), "-ex", fmt::format("target remote 127.0.0.1:{}", port)};
}

// GDB at this terminal. It has the foreground to itself, so that Ctrl-C is its own.
class Gdb {
  public:
    static tl::expected<Gdb, std::string> start(std::vector<std::string> words) {
        // So that a monitor command that goes elsewhere shows.
        constexpr char const* kFresh =
            "python gdb.execute('define hookpost-monitor\\nmaintenance flush register-cache\\nend')";
        words.insert(words.begin() + 2, {"-q", "-ex", kFresh});
        std::vector<char*> arguments(words.size() + 1);  // ends with a null
        for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
        posix_spawnattr_t attributes;
        posix_spawnattr_init(&attributes);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes, &none);
        short flags = POSIX_SPAWN_SETSIGMASK;
        bool const terminal = isatty(STDIN_FILENO) == 1;
        if (terminal) {
            posix_spawnattr_setpgroup(&attributes, 0);
            posix_spawn_file_actions_addtcsetpgrp_np(&actions, STDIN_FILENO);
            flags |= POSIX_SPAWN_SETPGROUP;
        }
        posix_spawnattr_setflags(&attributes, flags);
        pid_t process = 0;
        int const failed = posix_spawnp(&process, kGdb, &actions, &attributes, arguments.data(), environ);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        if (failed != 0) return tl::unexpected(fmt::format("could not start {}: {}.", kGdb, std::strerror(failed)));
        return Gdb(process, terminal);
    }
    Gdb(Gdb&& other) noexcept : process_(std::exchange(other.process_, 0)), terminal_(other.terminal_) {}
    Gdb& operator=(Gdb&&) = delete;
    ~Gdb() {
        if (process_ == 0) return;
        if (!ended_) {
            kill(process_, SIGTERM);
            waitpid(process_, nullptr, 0);
        }
        if (!terminal_) return;
        // Who takes the foreground back from the background is told not to.
        std::signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(STDIN_FILENO, getpgrp());
    }

    bool has_ended() { return ended_ = ended_ || waitpid(process_, nullptr, WNOHANG) == process_; }

  private:
    Gdb(pid_t process, bool terminal) : process_(process), terminal_(terminal) {}
    pid_t process_;
    bool terminal_;
    bool ended_ = false;
};

ExitCode serve(debug::RecordedProgram& recorded, fs::path const& kernel, Options const& options) {
    auto server = debug::Server::listen(options.debug.port);
    if (!server) return give_up({Stop::Cause::machine, server.error().message});
    std::vector<std::string> const command = gdb_command(kernel, server->port());
    tell(stdout, "{}{}{}\n", report::why_words(recorded.failure()), recorded.monitor("where"),
         report::one_line(report::shell_line(command)));
    std::fflush(stdout);
    std::optional<Gdb> gdb;
    if (options.debug.gdb) {
        auto started = Gdb::start(command);
        if (!started) return give_up({Stop::Cause::machine, started.error()});
        gdb.emplace(std::move(*started));
    }
    auto const stop = [&] { return options.stop.stop_requested() || (gdb && gdb->has_ended()); };
    debug::Server::Served const served{recorded.timeline(), recorded.board(),
                                       [&](std::string_view words) { return recorded.monitor(words); }};
    server->serve(served, stop);
    return options.stop.stop_requested() ? ExitCode::interrupted : ExitCode::nothing_found;
}

}  // namespace

ExitCode debug(Options const& options) {
    fs::path const& file = options.programs.front();
    if (options.debug.gdb && !base::find_program(kGdb))
        return give_up({Stop::Cause::machine, fmt::format("{} is not installed.", kGdb)});
    auto const text = base::read_file(file, {.any_kind = true, .stop = options.stop});
    if (!text) return give_up({Stop::Cause::usage, text.error().message});
    auto const program = spec::parse(*text);
    if (!program)
        return give_up({Stop::Cause::usage, fmt::format("{}: {}.", file.string(), spec::to_string(program.error()))});
    KernelChoice choice = options.kernel;
    if (!choice.kernel) choice.kernel = kernel_of_finding(*program);
    auto found = find_kernel(kernel_for(*program, choice));
    if (!found) return give_up(found.error());
    auto target = KernelTarget::boot(*found);
    if (!target) return give_up(stop_for(target.error(), options));
    auto recorded = debug::RecordedProgram::make(**target, *program, file.string());
    if (!recorded) return give_up(stop_for(recorded.error(), options));
    return serve(**recorded, found->kernel, options);
}

}  // namespace vmcheck::cli
