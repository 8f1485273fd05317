#include "impl/base/child.h"

#include "impl/base/wake.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

namespace vmcheck::base {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using End = RunResult::End;

// ---- who runs

struct Process {
    pid_t number = 0;
    pid_t parent = 0;
    pid_t session = 0;
};

// From /proc/N/stat: "N (name) state parent group session ...", where the name may hold anything. Nothing where the
// process is gone, or only waits to be collected.
std::optional<Process> read_process(fs::path const& directory) {
    Process process;
    std::string const name = directory.filename().string();
    if (std::from_chars(name.data(), name.data() + name.size(), process.number).ec != std::errc()) return std::nullopt;
    std::ifstream file(directory / "stat");
    std::string line;
    std::getline(file, line);
    std::size_t const name_end = line.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream rest(line.substr(name_end + 1));
    std::string state;
    pid_t group = 0;
    if (!(rest >> state >> process.parent >> group >> process.session) || state == "Z") return std::nullopt;
    return process;
}

std::vector<Process> all_processes() {
    std::vector<Process> all;
    std::error_code error;
    for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error))
        if (auto const process = read_process(at->path())) all.push_back(*process);
    return all;
}

// The processes of these sessions, and all below them; adds the sessions that those have opened in their turn.
std::set<pid_t> add_sessions_below(std::vector<Process> const& all, std::set<pid_t>& sessions) {
    std::set<pid_t> family;
    for (Process const& process : all)
        if (sessions.contains(process.session)) family.insert(process.number);
    for (std::size_t before = 0; before != family.size();) {
        before = family.size();
        for (Process const& process : all)
            if (family.contains(process.parent)) {
                family.insert(process.number);
                sessions.insert(process.session);
            }
    }
    return family;
}

// Kills a session and what it has started, again and again: a process may have started another while the list was read.
void clear_session(pid_t leader) {
    constexpr int kRoundsMax = 50;
    std::set<pid_t> sessions{leader};
    for (int round = 0; round < kRoundsMax; ++round) {
        std::vector<Process> const all = all_processes();
        add_sessions_below(all, sessions);
        bool any = false;
        for (Process const& process : all)
            if (sessions.contains(process.session)) any = ::kill(process.number, SIGKILL) == 0 || any;
        if (!any) return;
        std::this_thread::sleep_for(milliseconds{1});
    }
}

// ---- starting

// This program's environment with the command's changes.
std::vector<std::string> environment_of(Command const& command) {
    std::vector<std::string> all = command.environment;
    for (char** each = environ; !command.environment_alone && *each != nullptr; ++each) {
        std::string_view const entry(*each), name = entry.substr(0, entry.find('=') + 1);
        bool const replaced = std::any_of(command.environment.begin(), command.environment.end(),
                                          [&](std::string const& ours) { return ours.starts_with(name); });
        if (!replaced) all.emplace_back(entry);
    }
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// All that the child's side of the fork needs, ready before it.
struct Start {
    char const* program;
    char* const* arguments;
    char* const* environment;
    char const* directory;  // nullptr: here
    int input, output, errors;
    int complaint;  // takes errno where the program cannot be executed
    std::optional<std::uint64_t> file_bytes_max;
    int if_parent_dies;
    bool in_sandbox;
    pid_t parent;
};

void reset_signals(bool in_sandbox) {
    struct sigaction plain {};
    plain.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
    sigset_t blocked;
    sigemptyset(&blocked);
    // They are for the program in the sandbox, and wait for it; what keeps the sandbox is not to end by them.
    if (in_sandbox)
        for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&blocked, signal);
    ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
}

// The child's side of the fork. Only calls that are safe there, since this program has other threads.
[[noreturn]] void become(Start const& start) {
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, start.if_parent_dies);
    if (::getppid() != start.parent) ::_exit(1);  // it died before that was arranged
    if (start.file_bytes_max) {
        rlimit const limit{*start.file_bytes_max, *start.file_bytes_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    reset_signals(start.in_sandbox);
    bool const ready = ::dup2(start.input, STDIN_FILENO) >= 0 && ::dup2(start.output, STDOUT_FILENO) >= 0 &&
                       ::dup2(start.errors, STDERR_FILENO) >= 0 &&
                       (start.directory == nullptr || ::chdir(start.directory) == 0);
    // What any library has opened is not the child's business.
    ::close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    if (ready) ::execve(start.program, start.arguments, start.environment);
    int const why = errno;
    [[maybe_unused]] ssize_t const told = ::write(start.complaint, &why, sizeof why);
    ::_exit(127);
}

struct Pipe {
    Descriptor read, write;
};

std::optional<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

tl::unexpected<Error> cannot(std::string_view what, std::string_view deed, int error) {
    return tl::make_unexpected(
        Error{fmt::format("{} cannot be {}: {}", what, deed, std::strerror(error)), Error::Kind::machine});
}

// A file for output, emptied; what several processes write is appended.
Descriptor open_for_output(fs::path const& path) {
    return Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666));
}

// The child's process. `output` and `errors` are its files.
tl::expected<pid_t, Error> spawn(Command const& command, int output, int errors) {
    std::string const& name = command.arguments.front();
    auto const program = find_program(name);
    if (!program) return cannot(name, "run", ENOENT);
    std::vector<std::string> arguments = command.arguments, environment = environment_of(command);
    std::vector<char*> const argument_list = pointers_to(arguments), environment_list = pointers_to(environment);
    Descriptor const nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    auto complaint = make_pipe();
    if (!complaint || !nothing.valid()) return cannot(name, "run", errno);
    pid_t const parent = ::getpid();
    Start const start{program->c_str(),
                      argument_list.data(),
                      environment_list.data(),
                      command.directory.empty() ? nullptr : command.directory.c_str(),
                      nothing.number(),
                      output,
                      errors,
                      complaint->write.number(),
                      command.file_bytes_max,
                      command.if_parent_dies,
                      command.in_sandbox,
                      parent};
    pid_t const process = ::fork();
    if (process == 0) become(start);
    if (process < 0) return cannot(name, "run", errno);
    complaint->write.close();
    int why = 0;
    ssize_t count = 0;
    do count = ::read(complaint->read.number(), &why, sizeof why);
    while (count < 0 && errno == EINTR);
    if (count != sizeof why) return process;  // closed by exec
    while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
    }
    return cannot(command.directory.empty() ? name : name + " in " + command.directory.string(), "run", why);
}

// ---- waiting

// By the system call itself: the header of some C libraries declares it for C only.
Descriptor open_handle(pid_t process) {
    return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
}

// Where there is no pidfd to wait for, a look at the process this often.
constexpr milliseconds kLook{50};

// As poll() wants it, rounded up so that nobody asks again just before the time.
int poll_time(milliseconds time, bool handles) {
    if (!handles) time = std::min(time, kLook);
    return static_cast<int>(std::clamp<milliseconds::rep>(time.count(), 0, INT_MAX));
}

milliseconds until(Clock::time_point deadline) {
    return std::chrono::ceil<milliseconds>(deadline - Clock::now());
}

// Appends what is there to be read, up to `bytes_max` in all. Gives how much was there: 0 at the end of the file, less
// where there is nothing yet.
ssize_t read_some(int descriptor, std::size_t bytes_max, std::string& text) {
    std::array<char, 4096> block{};
    ssize_t const count = ::read(descriptor, block.data(), block.size());
    if (count > 0) text.append(block.data(), std::min(static_cast<std::size_t>(count), bytes_max - text.size()));
    return count;
}

}  // namespace

std::optional<fs::path> find_program(std::string_view name) {
    std::error_code error;
    if (name.find('/') != std::string_view::npos) return fs::path(name);
    char const* const path = std::getenv("PATH");
    std::string_view rest = path == nullptr ? "" : path;
    while (!rest.empty()) {
        std::string_view const directory = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
        fs::path const candidate = fs::path(directory) / name;
        if (fs::is_regular_file(candidate, error) && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return std::nullopt;
}

Child::Child(pid_t process, bool in_sandbox, Descriptor output)
    : process_(process), in_sandbox_(in_sandbox), handle_(open_handle(process)), output_(std::move(output)) {}
Child::Child(Child&& other) noexcept
    : process_(std::exchange(other.process_, 0)),
      in_sandbox_(other.in_sandbox_),
      handle_(std::move(other.handle_)),
      output_(std::move(other.output_)) {}
Child& Child::operator=(Child&& other) noexcept {
    std::swap(process_, other.process_);
    std::swap(in_sandbox_, other.in_sandbox_);
    std::swap(handle_, other.handle_);
    std::swap(output_, other.output_);
    return *this;
}
Child::~Child() {
    if (process_ == 0) return;
    kill();
    wait();
}

// Its standard error goes to a file of its own, where the command has one.
static tl::expected<pid_t, Error> spawn_with(Command const& command, int output) {
    if (command.errors.empty()) return spawn(command, output, output);
    Descriptor const errors = open_for_output(command.errors);
    if (!errors.valid()) return cannot(command.errors.string(), "written", errno);
    return spawn(command, output, errors.number());
}

tl::expected<Child, Error> Child::start(Command const& command) {
    Descriptor const output = open_for_output(command.output);
    if (!output.valid()) return cannot(command.output.string(), "written", errno);
    auto const process = spawn_with(command, output.number());
    if (!process) return tl::unexpected(process.error());
    return Child(*process, command.in_sandbox, Descriptor());
}

std::optional<Exit> Child::poll() {
    // Left uncollected until its session is cleared, so that its number cannot be another's meanwhile.
    siginfo_t seen{};
    if (::waitid(P_PID, static_cast<id_t>(process_), &seen, WEXITED | WNOHANG | WNOWAIT) != 0 || seen.si_pid == 0)
        return std::nullopt;
    return wait();
}

Exit Child::wait() {
    siginfo_t seen{};
    while (::waitid(P_PID, static_cast<id_t>(process_), &seen, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    clear_session(process_);
    int status = SIGKILL;  // should somebody else have collected it, it counts as killed
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = 0;
    // Of a signal that ended the program inside, a sandbox tells as a shell does.
    constexpr int kSignals = 128, kInterrupted = kSignals + SIGINT;  // which vmcheck says by itself
    int const code = WEXITSTATUS(status);
    if (WIFEXITED(status) && in_sandbox_ && code > kSignals && code != kInterrupted)
        return {std::nullopt, code - kSignals};
    if (WIFEXITED(status)) return {code, 0};
    return {std::nullopt, WTERMSIG(status)};
}

void Child::send(int signal) {
    if (process_ != 0) ::kill(in_sandbox_ ? -process_ : process_, signal);
}

void Child::kill() {
    if (process_ != 0) clear_session(process_);
}

void end_children() {
    for (Process const& process : all_processes())
        if (process.parent == ::getpid() && process.session == process.number) clear_session(process.session);
}

void wait_for_one_of(std::vector<Child const*> const& children, milliseconds at_most) {
    std::vector<pollfd> waiting;
    bool handles = true;
    for (Child const* child : children) {
        waiting.push_back({child->handle_.number(), POLLIN, 0});
        handles = handles && child->handle_.valid();
    }
    ::poll(waiting.data(), waiting.size(), poll_time(at_most, handles));
}

Usage usage_of(pid_t process) {
    std::set<pid_t> sessions{process};
    std::set<pid_t> const family = add_sessions_below(all_processes(), sessions);
    Usage usage{family.size()};
    for (pid_t each : family) {
        std::ifstream file(fmt::format("/proc/{}/statm", each));
        std::uint64_t all = 0, resident = 0, shared = 0;
        if (file >> all >> resident >> shared && resident > shared)
            usage.memory_bytes += (resident - shared) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
    return usage;
}

tl::expected<RunResult, Error> run(Command const& command, RunLimits const& limits) {
    std::optional<Child> child;
    if (command.output.empty()) {
        auto pipe = make_pipe();
        if (!pipe) return cannot(command.arguments.front(), "run", errno);
        auto const process = spawn_with(command, pipe->write.number());
        if (!process) return tl::unexpected(process.error());
        ::fcntl(pipe->read.number(), F_SETFL, O_NONBLOCK);
        child = Child(*process, command.in_sandbox, std::move(pipe->read));
    } else {
        auto started = Child::start(command);
        if (!started) return tl::unexpected(started.error());
        child = std::move(*started);
    }
    auto const deadline = Clock::now() + limits.time;
    Wake const wake(limits.stop);
    RunResult result;
    std::optional<Exit> exit;
    constexpr milliseconds kWatch{100};
    auto watched = Clock::now();
    auto const over = [&]() -> std::optional<End> {
        if (limits.stop.stop_requested()) return End::stopped;
        if (limits.enough && limits.enough(result.output)) return End::enough;
        if (child->output_.valid() && result.output.size() == limits.output_bytes) return End::too_much_output;
        if (exit) return exit->code ? End::exited : End::signalled;
        auto const now = Clock::now();
        if (now >= deadline) return End::out_of_time;
        if (!limits.too_much || now < watched + kWatch) return std::nullopt;
        watched = now;
        return limits.too_much(child->process()) ? std::optional(End::too_much) : std::nullopt;
    };
    std::optional<End> end;
    while (!(end = over())) {
        std::array<pollfd, 3> waiting{
            {{wake.number(), POLLIN, 0}, {child->handle_.number(), POLLIN, 0}, {child->output_.number(), POLLIN, 0}}};
        auto const next = limits.too_much ? std::min(deadline, watched + kWatch) : deadline;
        ::poll(waiting.data(), waiting.size(), poll_time(until(next), child->handle_.valid()));
        if (waiting[2].revents != 0) {
            if (read_some(child->output_.number(), limits.output_bytes, result.output) == 0) child->output_.close();
        } else if ((exit = child->poll())) {
            // Nobody is left to write; what has been written is all there.
            while (child->output_.valid() && result.output.size() < limits.output_bytes &&
                   read_some(child->output_.number(), limits.output_bytes, result.output) > 0) {
            }
        }
    }
    result.end = *end;
    if (exit) result.exit_code = exit->code.value_or(0);
    return result;
}

}  // namespace vmcheck::base
