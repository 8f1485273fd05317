#include "checker/cli/class_run.h"

#include "checker/class/inputs.h"
#include "checker/class/progress.h"
#include "checker/class/results.h"
#include "checker/class/stamp.h"
#include "checker/class/workers.h"
#include "checker/cli/files.h"
#include "checker/report/escape.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;
using classes::Verdict;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// A directory for the temporary files of all children, which goes with everything in it, whatever became of them.
class Scratch {
  public:
    Scratch() {
        std::error_code error;
        std::string name = (fs::temp_directory_path(error) / "vmcheck-class-XXXXXX").string();
        if (mkdtemp(name.data()) != nullptr) path_ = name;
    }
    Scratch(Scratch const&) = delete;
    Scratch& operator=(Scratch const&) = delete;
    ~Scratch() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    fs::path const& path() const { return path_; }

  private:
    fs::path path_;
};

// The progress line, where there is a terminal to rewrite it on.
class StatusLine {
  public:
    void show(classes::Progress const& progress) {
        if (!terminal_) return;
        fmt::print(stderr, "\r\033[K{}", classes::progress_line(progress));
        std::fflush(stderr);
    }
    void clear() {
        if (terminal_) fmt::print(stderr, "\r\033[K");
    }

  private:
    bool terminal_ = ::isatty(STDERR_FILENO) == 1;
};

class ClassRun {
  public:
    ClassRun(Options const& options, classes::Discovery discovery)
        : options_(options), members_(std::move(discovery.members)), limit_(limit_of(options)) {
        all_.directory = options.kernel.kernel->string();
        all_.options = options.passed_on;
        all_.left_out = std::move(discovery.left_out);
        for (classes::Member const& member : members_) {
            all_.rows.push_back({member.name, member.path.string(), {}, {}});
            if (member.kind != classes::Member::Kind::nothing) continue;
            all_.rows.back().outcome.verdict = Verdict::no_kernel;
            all_.rows.back().outcome.message = member.why_nothing;
        }
    }

    // Once. Fills every row that can be filled before the user interrupts it.
    tl::expected<classes::Class, Stop> run() {
        if (scratch_.path().empty())
            return tl::unexpected(
                Stop{ExitCode::environment, "no temporary directory can be made; is TMPDIR right, is the disk full?"});
        plan();
        auto const at_a_time = static_cast<unsigned>(std::clamp<std::size_t>(todo_.size(), 1, options_.jobs));
        jobs_each_ = std::max(1U, options_.jobs / at_a_time);
        announce(at_a_time);
        milliseconds const grace = std::min(milliseconds{std::chrono::seconds{10}}, limit_);
        classes::Workers workers({at_a_time, limit_, grace});
        Clock::time_point const start = Clock::now();
        std::size_t next = 0, ended = 0;
        bool interrupted = false;
        while (true) {
            if (options_.stop.stop_requested() && !std::exchange(interrupted, true)) workers.interrupt();
            while (!interrupted && next < todo_.size() && !workers.full()) begin(workers, todo_[next++]);
            if (workers.idle() && (interrupted || next == todo_.size())) break;
            constexpr milliseconds kRefresh{200};
            for (classes::Workers::Ended const& each : workers.wait(kRefresh)) {
                ++ended;
                finish(each);
            }
            auto const elapsed = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
            show_progress(workers, classes::time_left(elapsed, ended, todo_.size() - ended, at_a_time));
        }
        status_.clear();
        for (std::size_t i = 0; i < all_.rows.size(); ++i)
            if (all_.rows[i].outcome.verdict != Verdict::not_reached)
                all_.rows[i].files = classes::files_for_people(results_of(i), members_[i].name);
        return std::move(all_);
    }

  private:
    // The guard against a tree that hangs: far more than the effort takes, and never less than the user's own --time.
    static milliseconds limit_of(Options const& options) {
        constexpr std::chrono::minutes kDefault{5};
        return options.time_per_tree.value_or(kDefault + options.time.value_or(milliseconds{}));
    }

    fs::path results_of(std::size_t index) const { return options_.findings / members_[index].name; }

    void announce(unsigned at_a_time) const {
        fmt::print(options_.text, "class     {} · {} trees, {} to check · {} at a time, for at most {} each\n",
                   all_.directory, members_.size(), todo_.size(), at_a_time, classes::clock_time(limit_));
        for (std::string const& name : all_.left_out)
            fmt::print(options_.text, "left out  {}: no student's directory\n", report::printable(name));
        if (kept_ > 0)
            fmt::print(options_.text, "kept      {} of {} trees from an earlier run (--again checks them anew)\n",
                       kept_, members_.size());
        std::fflush(options_.text);
    }

    // What is there already is kept; the rest is to be done.
    void plan() {
        std::vector<fs::path> also;
        if (options_.kernel.map_file) also.push_back(*options_.kernel.map_file);
        std::string const program = fmt::format("{} {}", VMCHECK_VERSION, classes::digest_of_file("/proc/self/exe"));
        stamps_.resize(members_.size());
        for (std::size_t i = 0; i < members_.size() && !options_.stop.stop_requested(); ++i) {
            if (members_[i].kind == classes::Member::Kind::nothing) continue;
            stamps_[i] = {program, options_.passed_on, classes::digest_of(members_[i], also), limit_, {}};
            if (!options_.again && keep(i))
                ++kept_;
            else
                todo_.push_back(i);
        }
    }

    bool keep(std::size_t index) {
        auto const text = read_file(results_of(index) / classes::kStampFile);
        auto const stamp = text ? classes::parse_stamp(*text) : std::nullopt;
        if (!stamp || !classes::answers(*stamp, stamps_[index])) return false;
        classes::Outcome outcome = outcome_of(index, stamp->ending);
        if (!classes::is_lasting(outcome)) return false;
        all_.rows[index].outcome = std::move(outcome);
        return true;
    }

    classes::Outcome outcome_of(std::size_t index, classes::Ending const& ending) const {
        auto const report = read_file(results_of(index) / classes::kReportFile);
        auto const log = read_file(results_of(index) / classes::kLogFile);
        return classes::outcome_of(ending, report ? std::optional(*report) : std::nullopt, log ? *log : std::string());
    }

    void begin(classes::Workers& workers, std::size_t index) {
        fs::path const results = results_of(index), scratch = scratch_of(index);
        std::error_code error;
        fs::create_directories(results, error);
        if (!error) fs::create_directories(scratch, error);
        if (error) {
            fail(index, fmt::format("{}: cannot be made: {}.", results.string(), error.message()));
            say(index, "");
            return;
        }
        classes::clear_results(results);
        classes::Command command;
        command.arguments = {"/proc/self/exe",
                             "verify",
                             members_[index].path.string(),
                             "--format=json",
                             "--out=" + (results / classes::kReportFile).string(),
                             "--findings=" + results.string(),
                             fmt::format("--jobs={}", jobs_each_),
                             "--no-colour"};
        command.arguments.insert(command.arguments.end(), options_.passed_on.begin(), options_.passed_on.end());
        command.log = results / classes::kLogFile;
        command.scratch = scratch;
        auto const started = workers.start(index, command);
        if (started) return;
        fail(index, started.error().message);
        say(index, "");
    }

    void fail(std::size_t index, std::string const& why) {
        all_.rows[index].outcome = {};
        all_.rows[index].outcome.verdict = Verdict::could_not_run;
        all_.rows[index].outcome.message = why;
    }

    void finish(classes::Workers::Ended const& ended) {
        std::error_code ignored;
        fs::remove_all(scratch_of(ended.task), ignored);
        classes::Outcome& outcome = all_.rows[ended.task].outcome;
        outcome = outcome_of(ended.task, ended.ending);
        if (classes::is_lasting(outcome)) {
            classes::Stamp stamp = stamps_[ended.task];
            stamp.ending = ended.ending;
            auto const written = write_file(results_of(ended.task) / classes::kStampFile, classes::print(stamp));
            if (!written) fail(ended.task, written.error().message);
        }
        say(ended.task, fmt::format(" ({})", classes::clock_time(ended.took)));
    }

    fs::path scratch_of(std::size_t index) const { return scratch_.path() / fmt::format("{}", index); }

    // One line for a tree that is done.
    void say(std::size_t index, std::string const& took) {
        status_.clear();
        classes::Outcome const& outcome = all_.rows[index].outcome;
        classes::Found const* const gravest = outcome.gravest();
        std::string const about = gravest != nullptr ? gravest->heading : outcome.message;
        fmt::print(options_.text, "{:>4} of {}  {}: {}{}{}\n", done(), all_.rows.size(),
                   report::printable(all_.rows[index].name), classes::label(outcome),
                   about.empty() ? "" : " · " + report::printable(about), took);
        std::fflush(options_.text);
    }

    std::size_t done() const {
        return static_cast<std::size_t>(std::count_if(all_.rows.begin(), all_.rows.end(), [](classes::Row const& row) {
            return row.outcome.verdict != Verdict::not_reached;
        }));
    }

    void show_progress(classes::Workers const& workers, std::optional<milliseconds> left) {
        classes::Progress progress{done(), all_.rows.size(), {}, left};
        for (classes::Workers::Running const& each : workers.running())
            progress.running.emplace_back(members_[each.task].name, each.since);
        status_.show(progress);
    }

    Options const& options_;
    std::vector<classes::Member> members_;
    milliseconds limit_;
    classes::Class all_;                  // a row for each member
    std::vector<classes::Stamp> stamps_;  // for each member, as it is to be; the ending still open
    std::vector<std::size_t> todo_;       // members that are not kept
    std::size_t kept_ = 0;
    unsigned jobs_each_ = 1;
    Scratch scratch_;
    StatusLine status_;
};

}  // namespace

tl::expected<classes::Class, Stop> run_class(Options const& options, classes::Discovery discovery) {
    return ClassRun(options, std::move(discovery)).run();
}

}  // namespace vmcheck::cli
