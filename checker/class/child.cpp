#include "checker/class/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace vmcheck::classes {

namespace {

namespace fs = std::filesystem;

// This program's environment with another directory for temporary files.
std::vector<std::string> environment_with(fs::path const& scratch) {
    std::vector<std::string> all;
    for (char** each = environ; *each != nullptr; ++each)
        if (!std::string_view(*each).starts_with("TMPDIR=")) all.emplace_back(*each);
    all.push_back("TMPDIR=" + scratch.string());
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// A build that writes without end does not fill the disk for everyone.
constexpr rlimit kLargestFile{rlim_t{1} << 30, rlim_t{1} << 30};

// The child's side of the fork. Only calls that are safe there, since this program has other threads.
[[noreturn]] void become(char* const* arguments, char* const* environment, int log, int nothing, pid_t parent) {
    constexpr int kNotStarted = 127;
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGINT);
    ::setrlimit(RLIMIT_FSIZE, &kLargestFile);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    bool const wired = ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(log, STDOUT_FILENO) >= 0 &&
                       ::dup2(log, STDERR_FILENO) >= 0 && ::getppid() == parent;
    if (wired) ::execve(arguments[0], arguments, environment);
    ::_exit(kNotStarted);
}

// The session of a process, from /proc/N/stat: "N (name) state parent group session ...", where the name may hold
// anything. Nothing where the process is gone.
std::optional<pid_t> session_of(fs::path const& process) {
    std::ifstream file(process / "stat");
    std::string line;
    std::getline(file, line);
    std::size_t const name_end = line.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream rest(line.substr(name_end + 1));
    std::string state;
    pid_t parent = 0, group = 0, session = 0;
    if (!(rest >> state >> parent >> group >> session) || state == "Z") return std::nullopt;
    return session;
}

// Kills every process of the session; says whether there was one.
bool kill_session(pid_t session) {
    bool any = false;
    std::error_code error;
    for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
        std::string const name = at->path().filename().string();
        pid_t process = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), process).ec != std::errc()) continue;
        if (session_of(at->path()) != session) continue;
        any = ::kill(process, SIGKILL) == 0 || any;
    }
    return any;
}

// More than once: a process may have started another while the list was read.
void clear_session(pid_t session) {
    constexpr int kRoundsMax = 20;
    for (int round = 0; round < kRoundsMax && kill_session(session); ++round) ::usleep(1'000);
}

}  // namespace

tl::expected<Child, Problem> Child::start(Command const& command) {
    auto const failed = [&](char const* deed) {
        return tl::unexpected(Problem{fmt::format("{}: {}: {}.", command.log.string(), deed, std::strerror(errno))});
    };
    std::vector<std::string> arguments = command.arguments, environment = environment_with(command.scratch);
    std::vector<char*> const argument_list = pointers_to(arguments), environment_list = pointers_to(environment);
    int const nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    int const log = ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (nothing < 0 || log < 0) {
        auto const why = failed("cannot be written");
        if (nothing >= 0) ::close(nothing);
        if (log >= 0) ::close(log);
        return why;
    }
    pid_t const parent = ::getpid(), process = ::fork();
    if (process == 0) become(argument_list.data(), environment_list.data(), log, nothing, parent);
    auto const why = failed("no process can be started for it");
    ::close(nothing);
    ::close(log);
    if (process < 0) return why;
    return Child(process);
}

Child::Child(Child&& other) noexcept : process_(std::exchange(other.process_, 0)) {}
Child& Child::operator=(Child&& other) noexcept {
    std::swap(process_, other.process_);
    return *this;
}

Child::~Child() {
    if (process_ == 0) return;
    kill();
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

std::optional<Ending> Child::poll() {
    // Left unreaped until its session is cleared, so that its number cannot be another's meanwhile.
    siginfo_t seen{};
    if (::waitid(P_PID, static_cast<id_t>(process_), &seen, WEXITED | WNOHANG | WNOWAIT) != 0 || seen.si_pid == 0)
        return std::nullopt;
    clear_session(process_);
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = 0;
    Ending ending;
    if (WIFEXITED(status))
        ending.exit_code = WEXITSTATUS(status);
    else
        ending.signal = WTERMSIG(status);
    return ending;
}

void Child::interrupt() {
    if (process_ != 0) ::kill(process_, SIGINT);
}

void Child::kill() {
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    clear_session(process_);
}

}  // namespace vmcheck::classes
