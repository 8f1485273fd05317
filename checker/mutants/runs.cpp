#include "checker/mutants/runs.h"

#include "checker/class/inputs.h"
#include "checker/class/workers.h"
#include "impl/base/files.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

namespace vmcheck::mutants {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// By the board's clock: twice what the longest suite takes on a kernel that is right. A kernel that hangs needs it all.
constexpr unsigned kSuiteSecondsMax = 20;
// By the wall's: only a guard, many times what anything takes.
constexpr std::chrono::minutes kProcessMax{20};

// A kernel that something is to be run on: a mutant, or the reference kernel that mutants are made from.
struct Subject {
    std::string name;
    fs::path kernel;
    bool reference = false;
    std::vector<std::string> faults_off{};  // options, where a second verify is to go without its faults
    std::vector<ChangedLine> changed{};
    std::string stamp{};
    MutantResult result{};
    std::size_t left = 0;  // processes that have not ended
};

enum class Job : std::uint8_t { verify, verify_without_its_faults, suite };

struct Task {
    std::size_t subject = 0;
    Job job = Job::verify;
    std::string suite{};

    std::string name() const {
        if (job == Job::suite) return suite;
        return job == Job::verify ? "verify" : "verify without its faults";
    }
};

class MutantRuns {
  public:
    MutantRuns(KillTableOptions const& options, std::vector<Mutant> const& mutants)
        : options_(options), mutants_(mutants) {
        std::set<std::string> profiles;
        for (Mutant const& mutant : mutants) profiles.insert(mutant.profile);
        for (std::string const& profile : profiles)
            subjects_.push_back({"reference " + profile, options.kernels / profile / "kernel", true});
        for (Mutant const& mutant : mutants)
            subjects_.push_back({mutant.name, options.kernels / "mutants" / mutant.name / "kernel", false,
                                 mutant.options_without_its_faults(), mutant.changed});
    }

    tl::expected<std::vector<Row>, base::Error> run(std::stop_token const& stop) {
        if (auto ready = prepare(); !ready) return tl::unexpected(ready.error());
        classes::Workers workers({options_.jobs, kProcessMax, std::chrono::seconds{10}});
        std::size_t next = 0;
        while (!failure_ && (next < tasks_.size() || !workers.idle())) {
            if (stop.stop_requested()) {
                failure_ =
                    base::Error{"interrupted; the same command goes on from here.", base::Error::Kind::interrupted};
                break;
            }
            while (!failure_ && next < tasks_.size() && !workers.full()) begin(workers, next++);
            for (classes::Workers::Ended const& ended : workers.wait(milliseconds{200})) finish(ended);
        }
        if (failure_) return tl::unexpected(*failure_);
        return rows();
    }

  private:
    tl::expected<void, base::Error> prepare() {
        std::error_code error;
        fs::create_directories(options_.work, error);
        if (error)
            return tl::unexpected(
                base::Error{fmt::format("{}: cannot be made: {}.", options_.work.string(), error.message())});
        std::string common = classes::digest_of_file(options_.vmcheck) + fmt::format(" seed {}", options_.seed);
        for (std::string const& suite : options_.suites) {
            fs::path const program = options_.kernels / "user" / suite;
            if (!fs::is_regular_file(program, error)) return missing(program);
            common += " " + suite + " " + classes::digest_of_file(program);
        }
        for (std::size_t i = 0; i < subjects_.size(); ++i) {
            Subject& subject = subjects_[i];
            if (!fs::is_regular_file(subject.kernel, error)) return missing(subject.kernel);
            subject.stamp = common + " kernel " + classes::digest_of_file(subject.kernel);
            for (std::string const& option : subject.faults_off) subject.stamp += " " + option;
            if (!options_.again && keep(subject)) continue;
            std::size_t const before = tasks_.size();
            tasks_.push_back({i, Job::verify});
            if (!subject.faults_off.empty()) tasks_.push_back({i, Job::verify_without_its_faults});
            for (std::string const& suite : options_.suites) tasks_.push_back({i, Job::suite, suite});
            subject.left = tasks_.size() - before;
        }
        fmt::print(stderr, "mutants: {} mutants, {} kernels are kept from an earlier run, {} processes to come\n",
                   mutants_.size(), kept_, tasks_.size());
        return {};
    }

    static tl::expected<void, base::Error> missing(fs::path const& file) {
        return tl::unexpected(base::Error{fmt::format("{}: no such file; ci/mutants builds it.", file.string())});
    }

    fs::path result_of(Subject const& subject) const { return options_.work / (subject.name + ".json"); }

    bool keep(Subject& subject) {
        auto const text = base::read_file(result_of(subject));
        auto result = text ? parse(*text, subject.stamp) : std::nullopt;
        if (!result) return false;
        subject.result = std::move(*result);
        ++kept_;
        return true;
    }

    fs::path stem_of(std::size_t task) const {
        Task const& each = tasks_[task];
        std::string const of = each.job == Job::verify ? "" : each.job == Job::suite ? "." + each.suite : ".without";
        return options_.work / (subjects_[each.subject].name + of);
    }

    void begin(classes::Workers& workers, std::size_t index) {
        Task const& task = tasks_[index];
        std::string const kernel = subjects_[task.subject].kernel.string(), stem = stem_of(index).string();
        classes::Work work;
        work.log = stem + ".log";
        work.scratch = options_.work;
        std::error_code ignored;
        fs::remove(stem + ".report.json", ignored);
        if (task.job != Job::suite) {
            work.arguments = {options_.vmcheck.string(),
                              "verify",
                              "--kernel=" + kernel,
                              fmt::format("--seed={}", options_.seed),
                              "--max-findings=1",
                              "--jobs=1",
                              "--format=json",
                              "--out=" + stem + ".report.json",
                              "--findings=" + stem + ".findings",
                              "--no-colour"};
            if (task.job == Job::verify_without_its_faults)
                work.arguments.insert(work.arguments.end(), subjects_[task.subject].faults_off.begin(),
                                      subjects_[task.subject].faults_off.end());
        } else {
            work.arguments = {options_.vmcheck.string(),
                              "run",
                              "--kernel=" + kernel,
                              fmt::format("--time-limit={}", kSuiteSecondsMax),
                              "--out=" + stem + ".report.json",
                              task.suite};
        }
        if (auto started = workers.start(index, work); !started) failure_ = started.error();
    }

    void finish(classes::Workers::Ended const& ended) {
        Task const& task = tasks_[ended.task];
        Subject& subject = subjects_[task.subject];
        double const seconds = std::chrono::duration<double>(ended.took).count();
        std::string const stem = stem_of(ended.task).string();
        std::string const what = task.name();
        if (!ended.ending.exit_code || ended.ending.cut != classes::Cut::no)
            return fail(subject, what, fmt::format("it did not end by itself; see {}.log", stem));
        if (auto error = note(subject, task, *ended.ending.exit_code, stem, seconds))
            return fail(subject, what, *error);
        if (--subject.left == 0) complete(subject);
    }

    // Files what a process has found. Gives a sentence where it says nothing about the kernel.
    std::optional<std::string> note(Subject& subject, Task const& task, int exit_code, std::string const& stem,
                                    double seconds) {
        auto const text_of = [](std::string const& path) { return base::read_file(path).value_or(std::string()); };
        if (task.job != Job::suite) {
            auto verdict = judge_verify(exit_code, text_of(stem + ".report.json"), seconds);
            if (!verdict) return fmt::format("{} See {}.log.", verdict.error().message, stem);
            if (subject.reference && verdict->killed)
                return fmt::format(
                    "it finds {} where nothing is wrong, so that what it finds elsewhere means nothing. "
                    "See {}.log.",
                    verdict->signature, stem);
            verdict->named =
                named_places(text_of(stem + ".report.json"), subject.changed, subject.kernel.parent_path() / "source");
            if (task.job == Job::verify)
                subject.result.verdict = std::move(*verdict);
            else
                subject.result.without_its_faults = std::move(*verdict);
            return std::nullopt;
        }
        auto result = judge_suite(exit_code, text_of(stem + ".report.json"), seconds);
        if (!result) return fmt::format("{} See {}.log.", result.error().message, stem);
        if (subject.reference && result->noticed)
            return fmt::format("it does not pass ({}), so that what it notices elsewhere means nothing. See {}.log.",
                               result->how, stem);
        subject.result.suites[task.suite] = std::move(*result);
        return std::nullopt;
    }

    void fail(Subject const& subject, std::string const& what, std::string const& why) {
        failure_ = base::Error{fmt::format("{} on {}: {}", what, subject.name, why)};
    }

    void complete(Subject const& subject) {
        if (auto written = base::write_file(result_of(subject), print(subject.result, subject.stamp)); !written)
            failure_ = written.error();
        VerifyResult const& verdict = subject.result.verdict;
        std::string line = subject.reference ? " nothing found;"
                           : verdict.killed  ? " killed, " + verdict.signature + ";"
                                             : " SURVIVES;";
        if (subject.result.without_its_faults)
            line += subject.result.without_its_faults->killed ? " KILLED WITHOUT ITS FAULTS, TOO;"
                                                              : " not without its faults;";
        for (auto const& [suite, result] : subject.result.suites)
            line += fmt::format(" {} {};", suite, result.noticed ? result.how : "passes");
        line.pop_back();
        fmt::print(stderr, "  {}:{}\n", subject.name, line);
    }

    std::vector<Row> rows() const {
        std::vector<Row> rows;
        std::size_t next = 0;
        for (Subject const& subject : subjects_)
            if (!subject.reference) rows.push_back({mutants_[next++], subject.result});
        return rows;
    }

    KillTableOptions const& options_;
    std::vector<Mutant> const& mutants_;
    std::vector<Subject> subjects_;
    std::vector<Task> tasks_;
    std::size_t kept_ = 0;
    std::optional<base::Error> failure_;
};

}  // namespace

std::string verify_command(KillTableOptions const& options) {
    return fmt::format("vmcheck verify --seed {} --max-findings 1 --jobs 1", options.seed);
}

tl::expected<std::vector<Row>, base::Error> run_mutants(KillTableOptions const& options,
                                                        std::vector<Mutant> const& mutants,
                                                        std::stop_token const& stop) {
    return MutantRuns(options, mutants).run(stop);
}

}  // namespace vmcheck::mutants
