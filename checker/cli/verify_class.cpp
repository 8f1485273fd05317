// A class: many trees, each verified by a vmcheck of its own, and the summary of them.

#include "checker/class/discover.h"
#include "checker/class/documents.h"
#include "checker/class/inputs.h"
#include "checker/class/results.h"
#include "checker/class/shard.h"
#include "checker/class/workers.h"
#include "checker/cli/campaign_shards.h"
#include "checker/cli/commands.h"
#include "checker/cli/corpus_files.h"
#include "checker/cli/corpus_merge.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/output.h"
#include "checker/cli/print.h"
#include "checker/report/escape.h"
#include "impl/base/files.h"

#include <fmt/core.h>
#include <tl/expected.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;
using classes::TreeVerdict;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// What is written into stamps, and is another where results may be others.
std::string const& this_program() {
    static std::string const program = fmt::format("{} {}", VMCHECK_VERSION, classes::digest_of_file("/proc/self/exe"));
    return program;
}

// The guard against a tree that hangs: far more than the effort takes, and never less than the user's own --time.
milliseconds limit_of(Options const& options) {
    constexpr std::chrono::minutes kDefault{5};
    return options.time_per_tree.value_or(kDefault + options.time.value_or(milliseconds{}));
}

class ClassRun {
  public:
    // `scratch`: for the temporary files of all children, which go with it, whatever became of them.
    ClassRun(Options const& options, classes::Discovery discovery, base::ScratchDirectory scratch)
        : options_(options),
          members_(std::move(discovery.members)),
          limit_(limit_of(options)),
          scratch_(std::move(scratch)) {
        all_.directory = options.kernel.kernel->string();
        all_.options = options.passed_on;
        all_.left_out = std::move(discovery.left_out);
        for (classes::Member const& member : members_) {
            all_.rows.push_back({member.name, member.path.string(), {}, {}});
            if (member.kind != classes::Member::Kind::nothing) continue;
            all_.rows.back().result.verdict = TreeVerdict::no_kernel;
            all_.rows.back().result.message = member.why_nothing;
        }
    }

    // Once. Fills every row that can be filled before the user interrupts it.
    classes::Class run() {
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
            if (all_.rows[i].result.verdict != TreeVerdict::not_reached)
                all_.rows[i].files =
                    classes::files_for_people(directory_of(i), classes::directory_name(members_[i].name));
        return std::move(all_);
    }

  private:
    // The one place where a student's name becomes a path of ours: kept apart from the files of the summary.
    fs::path directory_of(std::size_t index) const {
        return options_.findings / classes::directory_name(members_[index].name);
    }

    void announce(unsigned at_a_time) const {
        tell(options_.text, "class     {} · {} trees, {} to check · {} at a time, for at most {} each\n",
             all_.directory, members_.size(), todo_.size(), at_a_time, classes::clock_time(limit_));
        for (std::string const& name : all_.left_out)
            tell(options_.text, "left out  {}: no student's directory\n", report::one_line(name));
        if (kept_ > 0)
            tell(options_.text, "kept      {} of {} trees from an earlier run (--again checks them anew)\n", kept_,
                 members_.size());
        std::fflush(options_.text);
    }

    // What is there already is kept; the rest is to be done.
    void plan() {
        std::vector<fs::path> also;
        if (options_.kernel.map_file) also.push_back(*options_.kernel.map_file);
        stamps_.resize(members_.size());
        for (std::size_t i = 0; i < members_.size() && !options_.stop.stop_requested(); ++i) {
            if (members_[i].kind == classes::Member::Kind::nothing) continue;
            stamps_[i] = {this_program(), options_.passed_on, classes::digest_of(members_[i], also), limit_, {}};
            if (!options_.again && keep(i))
                ++kept_;
            else
                todo_.push_back(i);
        }
    }

    bool keep(std::size_t index) {
        auto const text = base::read_file(directory_of(index) / classes::kStampFile);
        auto const stamp = text ? classes::parse_stamp(*text) : std::nullopt;
        if (!stamp || !classes::answers(*stamp, stamps_[index])) return false;
        classes::TreeResult result = result_of(index, stamp->ending);
        if (!classes::is_lasting(result)) return false;
        all_.rows[index].result = std::move(result);
        return true;
    }

    classes::TreeResult result_of(std::size_t index, classes::Ending const& ending) const {
        auto const report = base::read_file(directory_of(index) / classes::kReportFile);
        return classes::result_of(ending, report ? std::optional(*report) : std::nullopt);
    }

    void begin(classes::Workers& workers, std::size_t index) {
        fs::path const results = directory_of(index), scratch = scratch_of(index);
        std::error_code error;
        fs::create_directories(results, error);
        if (!error) fs::create_directories(scratch, error);
        if (error) {
            fail(index, fmt::format("{}: cannot be made: {}.", results.string(), error.message()));
            say(index, "");
            return;
        }
        classes::clear_results(results);
        classes::Work work;
        work.arguments = {fs::read_symlink("/proc/self/exe", error).string(),
                          "verify",
                          members_[index].path.string(),
                          "--format=json",
                          "--out=" + (results / classes::kReportFile).string(),
                          "--findings=" + results.string(),
                          fmt::format("--jobs={}", jobs_each_),
                          "--rebuild",
                          "--no-colour"};
        work.arguments.insert(work.arguments.end(), options_.passed_on.begin(), options_.passed_on.end());
        if (!options_.kernel.trusted) {
            work.arguments.emplace_back("--in-sandbox");
            work.sandbox = sandbox_of(index);
        }
        work.log = results / classes::kLogFile;
        work.scratch = scratch;
        auto const started = workers.start(index, work);
        if (started) return;
        fail(index, started.error().message);
        say(index, "");
    }

    // It sees its tree and vmcheck, and writes its own results only.
    base::Sandbox sandbox_of(std::size_t index) const {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        std::uint64_t const memory = UINT64_MAX;  // theirs is larger than any
#else
        std::uint64_t const memory = (std::uint64_t{8} + std::uint64_t{4} * jobs_each_) << 30;
#endif
        classes::Member const& member = members_[index];
        bool const is_tree = member.kind == classes::Member::Kind::tree;
        base::Sandbox sandbox{.readable = own_files(),
                              .writable = {directory_of(index), scratch_of(index)},
                              .memory_bytes = memory,
                              .processes = std::uint64_t{8} * base::kSandboxProcessesMax};
        sandbox.readable.push_back(is_tree ? member.path : member.path.parent_path());
        if (options_.kernel.map_file) sandbox.readable.push_back(*options_.kernel.map_file);
        return sandbox;
    }

    void fail(std::size_t index, std::string const& why) {
        all_.rows[index].result = {};
        all_.rows[index].result.verdict = TreeVerdict::could_not_run;
        all_.rows[index].result.message = why;
    }

    void finish(classes::Workers::Ended const& ended) {
        std::error_code ignored;
        fs::remove_all(scratch_of(ended.task), ignored);
        classes::TreeResult& result = all_.rows[ended.task].result;
        result = result_of(ended.task, ended.ending);
        if (result.verdict == TreeVerdict::crashed) {
            // Not vmcheck, where there never was a sandbox for it.
            std::string const log =
                base::read_file(directory_of(ended.task) / classes::kLogFile).value_or(std::string());
            if (log.starts_with("bwrap: ")) fail(ended.task, log.substr(0, log.find('\n')));
        }
        if (classes::is_lasting(result)) {
            classes::Stamp stamp = stamps_[ended.task];
            stamp.ending = ended.ending;
            auto const written =
                base::write_file(directory_of(ended.task) / classes::kStampFile, classes::print(stamp));
            if (!written) fail(ended.task, written.error().message);
        }
        say(ended.task, fmt::format(" ({})", classes::clock_time(ended.took)));
    }

    fs::path scratch_of(std::size_t index) const {
        return scratch_.path() / fmt::format("{}", index);
    }

    // One line for a tree that is done.
    void say(std::size_t index, std::string const& took) {
        status_.clear();
        classes::TreeResult const& result = all_.rows[index].result;
        classes::Found const* const gravest = result.gravest();
        std::string const about = gravest != nullptr ? gravest->heading : result.message;
        tell(options_.text, "{:>4} of {}  {}: {}{}{}\n", done(), all_.rows.size(),
             report::one_line(all_.rows[index].name), classes::label(result),
             about.empty() ? "" : " · " + report::one_line(about), took);
        std::fflush(options_.text);
    }

    std::size_t done() const {
        return static_cast<std::size_t>(std::count_if(all_.rows.begin(), all_.rows.end(), [](classes::Row const& row) {
            return row.result.verdict != TreeVerdict::not_reached;
        }));
    }

    void show_progress(classes::Workers const& workers, std::optional<milliseconds> left) {
        classes::ClassProgress progress{done(), all_.rows.size(), {}, left};
        for (classes::Workers::Running const& each : workers.running())
            progress.running.emplace_back(members_[each.task].name, each.since);
        status_.show(classes::progress_line(progress));
    }

    Options const& options_;
    std::vector<classes::Member> members_;
    milliseconds limit_;
    classes::Class all_;                  // a row for each member
    std::vector<classes::Stamp> stamps_;  // for each member, as it is to be; the ending still open
    std::vector<std::size_t> todo_;       // members that are not kept
    std::size_t kept_ = 0;
    unsigned jobs_each_ = 1;
    base::ScratchDirectory scratch_;
    StatusLine status_;
};

// Verifies what was discovered in the class that `options` name, each tree by a vmcheck of its own unless it is kept
// from an earlier run, and writes the results of each tree into a directory of its name in options.findings. Prints a
// line as each tree ends. After an interruption the rest is `not reached`. Fails only where there is no room for
// temporary files; what goes wrong with one tree is that tree's outcome.
// Where it is a shard, `part` gets the class as a whole, and the others' trees are passed over.
tl::expected<classes::Class, Stop> run_class(Options const& options, classes::Discovery discovery,
                                             classes::Part& part) {
    if (auto const possible = base::try_sandbox(); !options.kernel.trusted && !possible)
        return tl::unexpected(Stop{
            Stop::Cause::machine,
            fmt::format("the trees of a class run in a sandbox, and there is none here: {}. Where every tree can be "
                        "trusted with this machine and with the other trees, --trust-trees goes on without.",
                        possible.error().message)});
    auto scratch = base::ScratchDirectory::make("class");
    if (!scratch) return tl::unexpected(Stop{Stop::Cause::machine, scratch.error().message});
    std::vector<classes::Member> own;
    for (std::size_t i = 0; i < discovery.members.size(); ++i) {
        part.all.rows.push_back({discovery.members[i].name, discovery.members[i].path.string(), {}, {}});
        if (part.shard.takes(i)) own.push_back(std::move(discovery.members[i]));
    }
    discovery.members = std::move(own);
    return ClassRun(options, std::move(discovery), std::move(*scratch)).run();
}

ExitCode exit_code(classes::Judgement judgement) {
    switch (judgement) {
        case classes::Judgement::nothing_found:
            return ExitCode::nothing_found;
        case classes::Judgement::defects:
            return ExitCode::divergence;
        case classes::Judgement::not_reproducible:
            return ExitCode::not_reproducible;
        case classes::Judgement::machine:
            return ExitCode::environment;
        case classes::Judgement::unchecked:
            return ExitCode::kernel_unusable;
    }
    return ExitCode::environment;
}

// The three files that there always are, and the table.
tl::expected<void, Stop> write_summary(classes::Class const& all, Options const& options) {
    std::array<std::string, classes::kSummaryFiles.size()> const documents{
        classes::csv_document(all), classes::json_document(all), classes::html_document(all)};
    for (std::size_t i = 0; i < documents.size(); ++i)
        if (auto written = base::write_file(options.findings / classes::kSummaryFiles[i], documents[i]); !written)
            return tl::unexpected(Stop{Stop::Cause::machine, written.error().message});
    tell(options.text, "\n{}", classes::text_document(all, options.colour));
    tell(options.text, "summary   {}, class.csv, class.json\n", (options.findings / "class.html").string());
    return {};
}

// Where the user interrupted it.
void say_how_to_go_on(classes::Class const& all, Options const& options) {
    auto const undone = std::count_if(all.rows.begin(), all.rows.end(), [](classes::Row const& row) {
        return row.result.verdict == TreeVerdict::not_reached || row.result.verdict == TreeVerdict::interrupted;
    });
    if (undone == 0) return;
    std::string command = "vmcheck verify " + report::shell_word(all.directory) + " --findings " +
                          report::shell_word(options.findings.string());
    if (options.shard) command += " --shard " + run::print(*options.shard);
    for (std::string const& word : options.passed_on) command += ' ' + report::shell_word(word);
    if (options.time_per_tree)
        command += fmt::format(" --time-per-tree {}", *options.time_per_tree / std::chrono::seconds{1});
    tell(options.text, "interrupted: {} of {} trees were not checked to their end. Go on with: {}\n", undone,
         all.rows.size(), command);
}

// What `vmcheck merge` needs of this shard. `all`: its own trees, in the order of those of `part`.
tl::expected<void, Stop> write_part(classes::Part part, classes::Class const& all, Options const& options) {
    part.all.directory = all.directory;
    part.all.options = all.options;
    part.all.left_out = all.left_out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < part.all.rows.size(); ++i)
        if (part.shard.takes(i)) part.all.rows[i].result = all.rows[next++].result;
    if (auto written = base::write_sealed(options.findings / classes::kShardFile, classes::print(part)); !written)
        return tl::unexpected(Stop{Stop::Cause::machine, written.error().message});
    tell(options.text, "shard     {} is done: {} of {} trees\n", run::print(part.shard), next, part.all.rows.size());
    return {};
}

// What --format and --out ask for, beside the three files.
tl::expected<void, Stop> write_class_report(classes::Class const& all, Options const& options) {
    bool const asked = options.json || options.out || options.format;
    report::Format const format = options.format.value_or(report::Format::json);
    if (!asked || (format == report::Format::text && !options.out)) return {};
    std::string const document = format == report::Format::junit  ? classes::junit_document(all)
                                 : format == report::Format::html ? classes::html_document(all)
                                 : format == report::Format::text ? classes::text_document(all, false)
                                                                  : classes::json_document(all);
    if (options.json || !options.out) put(stdout, document);
    if (!options.out) return {};
    if (auto written = base::write_file(*options.out, document); !written)
        return tl::unexpected(Stop{Stop::Cause::machine, written.error().message});
    return {};
}

// The shards whose results lie there.
tl::expected<std::vector<classes::PartAt>, Stop> read_parts(std::vector<fs::path> const& directories) {
    std::vector<classes::PartAt> parts;
    for (fs::path const& directory : directories) {
        auto const bytes = base::read_sealed(directory / classes::kShardFile, {.bytes_max = std::uint64_t{1} << 30});
        auto part = bytes ? classes::parse_part(*bytes) : std::nullopt;
        if (!part)
            return tl::unexpected(
                Stop{Stop::Cause::usage,
                     fmt::format("{}: holds no results of a shard that is done ({}), or damaged ones. Run its "
                                 "command again: it goes on where it stopped.",
                                 directory.string(), classes::kShardFile)});
        parts.push_back({directory, std::move(*part)});
    }
    return parts;
}

// Each tree's results into one directory.
tl::expected<void, Stop> gather(classes::Class& all, std::vector<classes::PartAt> const& parts, fs::path const& into) {
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
        classes::Row& row = all.rows[i];
        if (row.result.verdict == TreeVerdict::not_reached) continue;
        std::string const name = classes::directory_name(row.name);
        auto const from =
            std::ranges::find_if(parts, [&](classes::PartAt const& each) { return each.part.shard.takes(i); });
        fs::path const called = from->part.results.empty() ? fs::path() : from->part.results / fs::path(name);
        if (auto copied = classes::copy_results(from->directory / name, called, into / name); !copied)
            return tl::unexpected(Stop{Stop::Cause::machine, copied.error().message});
        row.files = classes::files_for_people(into / name, name);
    }
    return {};
}

// Of one kernel: verify once more, which takes from them what they have run.
ExitCode merge_campaigns(Options const& options) {
    auto const campaigns = read_campaigns(options.shards);
    if (!campaigns) return give_up(campaigns.error());
    std::vector<std::string> words{"vmcheck", "verify"};
    if (!campaigns->identity.kernel.empty()) words.push_back(campaigns->identity.kernel);
    words.insert(words.end(), campaigns->identity.options.begin(), campaigns->identity.options.end());
    words.push_back("--findings=" + options.findings.string());
    for (fs::path const& directory : options.shards) words.push_back("--from-shard=" + directory.string());
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv("/proc/self/exe", arguments.data());
    return give_up({Stop::Cause::machine, "vmcheck cannot be started once more."});
}

// Of nights of fuzz.
ExitCode merge_nights(Options const& options) {
    for (fs::path const& directory : options.shards)
        if (!is_corpus(directory))
            return give_up(
                {Stop::Cause::usage, fmt::format("{}: is no corpus of a night that has ended, as {} is: it has no {}.",
                                                 directory.string(), options.shards.front().string(), kLedger)});
    for (char const* name : {"found/1.vmc", "kept/1.vmc", kLedger, kNightlyPage})
        if (auto well = check_place(options.findings / name); !well) return give_up(well.error());
    auto const merged = merge_corpora(options.shards, options.findings);
    if (!merged) return give_up(merged.error());
    tell(options.text, "corpus    {} programs · {} findings · {} lines in the ledger · {}\n", merged->kept,
         merged->found, merged->lines, (options.findings / kNightlyPage).string());
    return ExitCode::nothing_found;
}

}  // namespace

ExitCode merge(Options const& options) {
    for (fs::path const& directory : options.shards)
        if (std::error_code error; fs::equivalent(directory, options.findings, error))
            return give_up({Stop::Cause::usage, fmt::format("{}: holds a shard. Give another directory with --out.",
                                                            options.findings.string())});
    if (std::error_code error; fs::exists(options.shards.front() / kCampaignFile, error))
        return merge_campaigns(options);
    if (is_corpus(options.shards.front())) return merge_nights(options);
    auto const parts = read_parts(options.shards);
    if (!parts) return give_up(parts.error());
    auto all = classes::merged(*parts);
    if (!all) return give_up({Stop::Cause::usage, all.error().message});
    for (char const* name : classes::kSummaryFiles)
        if (auto well = check_place(options.findings / name); !well) return give_up(well.error());
    std::error_code ignored;
    for (char const* name : {classes::kShardFile, kCampaignFile}) fs::remove(options.findings / name, ignored);
    if (auto gathered = gather(*all, *parts, options.findings); !gathered) return give_up(gathered.error());
    if (auto written = write_summary(*all, options); !written) return give_up(written.error());
    return exit_code(classes::judgement(*all));
}

ExitCode verify_class(Options const& options) {
    fs::path const& directory = *options.kernel.kernel;
    using report::Format;
    if (options.format == Format::gradescope || options.format == Format::github || options.format == Format::sarif)
        return give_up({Stop::Cause::usage,
                        fmt::format("{}: is a directory of many trees, and --format gradescope, "
                                    "github and sarif are about one. Use text, json, junit or html, or give one "
                                    "tree.",
                                    directory.string())});
    if (options.coverage)
        return give_up({Stop::Cause::usage,
                        fmt::format("{}: is a directory of many trees, and --coverage is about the lines of one.",
                                    directory.string())});
    auto discovery = classes::discover(directory, options.findings);
    if (!discovery) return give_up({Stop::Cause::usage, discovery.error().message});
    for (char const* name : classes::kSummaryFiles)
        if (auto well = check_place(options.findings / name); !well) return give_up(well.error());
    if (auto well = check_place(options.out); !well) return give_up(well.error());
    // Of an earlier run.
    std::error_code ignored;
    for (char const* name : {classes::kShardFile, kCampaignFile}) fs::remove(options.findings / name, ignored);
    classes::Part part{
        options.shard.value_or(run::Shard{}), this_program(), limit_of(options), options.findings.string(), {}};
    auto const all = run_class(options, std::move(*discovery), part);
    if (!all) return give_up(all.error());
    if (auto written = write_summary(*all, options); !written) return give_up(written.error());
    say_how_to_go_on(*all, options);
    if (options.shard)
        if (auto written = write_part(std::move(part), *all, options); !written) return give_up(written.error());
    if (auto written = write_class_report(*all, options); !written) return give_up(written.error());
    return exit_code(classes::judgement(*all));
}

}  // namespace vmcheck::cli
