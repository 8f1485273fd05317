// verify and fuzz: a session with each kernel.

#include "checker/class/discover.h"
#include "checker/class/results.h"
#include "checker/cli/campaign_shards.h"
#include "checker/cli/commands.h"
#include "checker/cli/corpus.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/output.h"
#include "checker/cli/print.h"
#include "checker/cli/tree_history.h"
#include "checker/report/escape.h"
#include "checker/report/story.h"
#include "checker/report/text.h"
#include "checker/report/violation_words.h"
#include "checker/session/session.h"
#include "impl/base/interrupt.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <mutex>
#include <vector>

namespace vmcheck::cli {

namespace {

std::string progress_line(run::Progress const& progress) {
    double const seconds = std::max(0.001, std::chrono::duration<double>(progress.elapsed).count());
    auto const kinds = static_cast<std::size_t>(std::count_if(
        progress.counts.kinds.begin(), progress.counts.kinds.end(), [](std::uint64_t n) { return n > 0; }));
    std::string line = fmt::format("running   {} programs", progress.counts.programs);
    if (progress.programs_wanted < UINT64_MAX)
        line = fmt::format("running   {} of {} programs", progress.counts.programs, progress.programs_wanted);
    line += fmt::format(" · {:.0f} programs/s · {:.0f} steps/s · {} of {} step kinds",
                        static_cast<double>(progress.counts.programs) / seconds,
                        static_cast<double>(progress.counts.steps) / seconds, kinds, spec::kActionKinds);
    if (progress.families > 0)
        line += fmt::format(" · {} different failure{}", progress.families, progress.families == 1 ? "" : "s");
    if (progress.left) {
        auto const left =
            std::chrono::duration_cast<std::chrono::seconds>(*progress.left + std::chrono::milliseconds{999}).count();
        line += fmt::format(" · {}:{:02} left", left / 60, left % 60);
    }
    return line;
}

// "I4 reference counts · at fork: the frame at p0's heap is counted 2 times"
std::string seen_line(run::Divergence const& divergence) {
    return fmt::format("{} · at {}: {}", report::title_of(divergence.signature.invariant),
                       spec::kind_name(divergence.signature.kind),
                       report::words_of(divergence.violations.front()).story);
}

// How a session goes, for a person. What stays is text. On standard error there is a line for each defect when it is
// first seen, and the progress, one line: on a terminal it is rewritten in place, elsewhere there is a new one every
// ten seconds.
class TerminalObserver final : public session::Observer {
  public:
    // `on_kernel`: done when the kernel has booted.
    TerminalObserver(std::FILE* text, bool colour, std::function<void(SessionResult const&)> on_kernel)
        : text_(text), colour_(colour), then_(std::move(on_kernel)) {}

    void on_kernel(SessionResult const& so_far) override {
        then_(so_far);
        tell(text_, "{}", report::kernel_lines(so_far.kernel, {colour_}));
        for (spec::Violation const& violation : so_far.boot_violations) {
            report::ViolationWords const words = report::words_of(violation);
            tell(text_, "✗ {} · right after boot\n      {}\n      expected  {}\n      seen      {}\n",
                 report::title_of(violation.invariant), words.story, words.expected, words.seen);
        }
    }

    void on_progress(run::Progress const& progress) override {
        std::scoped_lock const lock(mutex_);
        last_ = progress;
        show(progress_line(progress), false);
    }

    void on_first_seen(run::Run const& failing) override {
        std::scoped_lock const lock(mutex_);
        line_.clear();
        tell(stderr, "seen      {}\n", report::one_line(seen_line(*failing.divergence)));
    }

    void on_shrink(std::size_t number, std::size_t total) override {
        show(fmt::format("shrinking {} of {}", number, total), true);
    }

    void on_finding(Finding const& finding) override {
        line_.clear();
        tell(stderr, "found     {}\n", report::one_line(seen_line(finding.divergence)));
    }

    void on_run() override {
        line_.clear();
        last_.left.reset();
        tell(text_, "{}\n", progress_line(last_));
        std::fflush(text_);
    }

    void on_missing(std::string const& what) override { tell(text_, "{}", report::missing_line(what, {colour_})); }

    void on_confirm(std::size_t number, std::size_t total) override {
        tell(stderr, "on QEMU: finding {} of {}\n", number, total);
    }

  private:
    // A new stage is shown at once on a terminal.
    void show(std::string const& line, bool new_stage) {
        auto const now = std::chrono::steady_clock::now();
        std::chrono::milliseconds const often{200}, rarely{10'000};
        if (line_.is_live() ? !new_stage && now - shown_at_ < often : now - shown_at_ < rarely) return;
        shown_at_ = now;
        if (line_.is_live())
            line_.show(line);
        else
            tell(stderr, "{}\n", line);
    }

    std::FILE* text_;
    bool colour_;
    std::function<void(SessionResult const&)> then_;
    StatusLine line_;
    std::chrono::steady_clock::time_point shown_at_ = std::chrono::steady_clock::now();
    run::Progress last_;
    std::mutex mutex_;  // of what may come from several threads
};

// How much is done, as the options ask for it; `programs`: where they do not say how many.
run::Effort effort_of(Options const& options, std::uint64_t programs) {
    run::Effort effort;
    effort.programs = options.runs.value_or(programs);
    effort.time = options.time;
    effort.families_max = options.findings_max;
    effort.faults_in_plain = options.allocation_faults;
    if (!options.allocation_faults) effort.batch.sweep = 0;
    if (!options.memory_pressure) effort.batch.pressure = effort.batch.batches_to_limits = 0;
    if (!options.preemption) effort.batch.preempt = 0;
    if (!options.several_harts) effort.batch.harts = 0;
    return effort;
}

// How long what has failed until --time is up may still be shrunk: of a night more than of five seconds.
std::chrono::milliseconds to_shrink_after(std::chrono::milliseconds time) {
    return std::max<std::chrono::milliseconds>(std::chrono::seconds{1}, time / 20);
}

// `corpus`: null where none is kept. `part`: of a shard, where it is noted; else what the shards came to, null where
// there were none.
tl::expected<SessionResult, Stop> check(KernelChoice choice, Options const& options, std::uint64_t programs,
                                        FuzzCorpus* corpus, CampaignPart* part = nullptr) {
    base::TimeLimit limit(options.stop, options.last_call);
    choice.stop = limit.token();
    StatusLine stage;
    if (choice.kernel && is_source_tree(*choice.kernel)) stage.show("building kernel/kernel");
    auto kernel = find_kernel(choice);
    stage.show("booting and probing the kernel");
    if (!kernel) return tl::unexpected(kernel.error());
    auto const left_out = kernel->built ? kernel->built->left_out : std::vector<base::Link>();
    TerminalObserver observer(options.text, options.colour, [&](SessionResult const& so_far) {
        stage.clear();
        if (corpus != nullptr) corpus->set_kernel(so_far.kernel.name);
        if (options.time) limit.begin(*options.time + to_shrink_after(*options.time));
    });
    session::Options how{.seed = options.seed,
                         .jobs = options.jobs,
                         .effort = effort_of(options, programs),
                         .shrink = options.shrink,
                         .confirm = options.confirm,
                         .stop = limit.token(),
                         .corpus = corpus == nullptr ? run::Corpus{} : corpus->for_campaign(),
                         .last_call = limit.last_call()};
    how.division.shard = options.shard;
    how.division.alone = corpus != nullptr;
    if (part != nullptr && options.shard) part->note(how);
    if (part != nullptr && !options.shard) part->use(how);
    return session::check(booter(std::move(*kernel)), how, observer).map_error([&](BootError const& error) {
        Stop stop = stop_for(error, options);
        stop.left_out = left_out;
        return stop;
    });
}

// Which kernels: the one that was asked for, or the reference kernel in every profile.
std::vector<KernelChoice> choices(KernelChoice const& asked) {
    if (asked.kernel || asked.profile) return {asked};
    std::vector<KernelChoice> all;
    for (spec::Profile profile : kProfiles) {
        all.push_back(asked);
        all.back().profile = profile;
    }
    return all;
}

// The graver code wins: a divergence over a flaky one over nothing.
ExitCode worse(ExitCode a, ExitCode b) {
    for (ExitCode code :
         {ExitCode::divergence, ExitCode::not_reproducible, ExitCode::interrupted, ExitCode::incomplete})
        if (a == code || b == code) return code;
    return ExitCode::nothing_found;
}

// The part of one kernel's programs, or of each of the reference kernels', that is this shard's.
ExitCode verify_shard(Options const& options) {
    if (options.time)
        return give_up({Stop::Cause::usage,
                        "--time and --shard: what is found in a time is another thing on each "
                        "machine. Give --runs or --effort."});
    if (options.json || options.format || options.out)
        return give_up({Stop::Cause::usage,
                        "--shard: a shard of one kernel makes no report. Leave out --json, --format and --out: "
                        "vmcheck merge writes report.html and the findings."});
    auto const file = options.findings / kCampaignFile;
    // What an earlier run left.
    classes::clear_findings(options.findings);
    std::error_code ignored;
    for (auto const& old : {file, options.findings / classes::kShardFile}) std::filesystem::remove(old, ignored);
    if (auto well = check_place(file); !well) return give_up(well.error());
    CampaignIdentity const identity = identity_of(options);
    std::vector<CampaignPart> parts;
    std::uint64_t programs = 0;
    bool failed = false;
    for (KernelChoice const& choice : choices(options.kernel)) {
        auto const session = check(choice, options, run::programs_of(options.level), nullptr, &parts.emplace_back());
        if (!session) return give_up(session.error());
        if (session->interrupted || options.stop.stop_requested()) {
            tell(options.text, "shard     {} is not done{}: give the same command again, it begins anew\n",
                 run::print(*options.shard), failed || session->families > 0 ? ", though something differed" : "");
            return ExitCode::interrupted;
        }
        programs += session->counts.programs;
        failed = failed || session->families > 0 || !session->boot_violations.empty();
    }
    if (auto written = write_campaign(identity, *options.shard, parts, options.findings); !written)
        return give_up(written.error());
    tell(options.text, "shard     {} is done: {} programs, {}. What it is, vmcheck merge says.\n",
         run::print(*options.shard), programs, failed ? "something differed" : "nothing differed");
    return failed ? ExitCode::divergence : ExitCode::nothing_found;
}

}  // namespace

ExitCode verify(Options const& options) {
    if (auto meant = options.kernel.kernel ? what_is_meant(*options.kernel.kernel) : std::nullopt)
        return give_up({Stop::Cause::usage, *meant}, {}, options);
    if (options.kernel.kernel && classes::is_class(*options.kernel.kernel)) return verify_class(options);
    if (options.shard) return verify_shard(options);
    Campaigns shards;
    if (!options.shards.empty()) {
        auto read = read_campaigns(options.shards);
        if (!read) return give_up(read.error(), {}, options);
        if (read->identity != identity_of(options))
            return give_up(
                {Stop::Cause::usage, fmt::format("{}: is not there, or another kernel than the shards were of. Run "
                                                 "merge in the directory in which they were run, on the same kernel.",
                                                 options.kernel.kernel.value_or("").string())},
                {}, options);
        shards = std::move(*read);
        shards.kernels.resize(choices(options.kernel).size());
    }
    // What an earlier run left is not to be taken for what this one found.
    classes::clear_findings(options.findings);
    std::error_code ignored;
    std::filesystem::remove(options.findings / kCampaignFile, ignored);
    if (std::error_code error; options.out && std::filesystem::is_regular_file(*options.out, error))
        std::filesystem::remove(*options.out, error);
    if (auto well = check_place(options.findings / "report.html"); !well) return give_up(well.error());
    for (auto const& file : {options.out, options.coverage})
        if (auto well = check_place(file); !well) return give_up(well.error());
    std::vector<SessionResult> sessions;
    ExitCode code = ExitCode::nothing_found;
    for (KernelChoice const& choice : choices(options.kernel)) {
        if (!sessions.empty() && options.stop.stop_requested()) {
            code = worse(code, ExitCode::interrupted);
            break;
        }
        auto session = check(choice, options, run::programs_of(options.level), nullptr,
                             shards.kernels.empty() ? nullptr : &shards.kernels[sessions.size()]);
        if (!session) {
            static_cast<void>(write_html(sessions, options.findings, options, session.error()));
            return give_up(session.error(), sessions, options);
        }
        auto const concluded = conclude(*session, numbered_in(options.findings), options);
        if (!concluded) return give_up(concluded.error(), sessions, options);
        code = worse(code, *concluded);
        sessions.push_back(std::move(*session));
    }
    if (auto written = write_html(sessions, options.findings, options); !written)
        return give_up(written.error(), sessions, options);
    if (auto written = write_report(sessions, options); !written) return give_up(written.error());
    return code;
}

// The nightly job: as verify, but it goes on for as long as it is told to, begins with the corpus of the nights before,
// and files there what it finds.
ExitCode fuzz(Options const& options) {
    for (char const* name : {"found/1.vmc", "kept/1.vmc", "nightly.jsonl", "nightly.html"})
        if (auto well = check_place(options.corpus / name); !well) return give_up(well.error());
    for (auto const& file : {options.out, options.coverage})
        if (auto well = check_place(file); !well) return give_up(well.error());
    auto const began = std::chrono::system_clock::now();
    TreeHistory tree = TreeHistory::read(options);
    auto corpus = FuzzCorpus::open(options.corpus);
    if (!corpus) return give_up(corpus.error());
    auto session = check(options.kernel, options, std::numeric_limits<std::uint64_t>::max(), &*corpus);
    if (!session) return give_up(session.error(), {}, options);
    if (session->counts.programs > 0) session->interrupted = false;  // a stop is how it ends
    auto const concluded = conclude(*session, corpus->filing(*session), options);
    if (!concluded) return give_up(concluded.error(), {*session}, options);
    auto const night = corpus->end(*session, began, options.shard, tree);
    if (!night) return give_up(night.error(), {*session}, options);
    auto const count = [&](report::Night::State state) {
        return std::ranges::count_if(night->findings, [&](auto const& each) { return each.state == state; });
    };
    using State = report::Night::State;
    tell(options.text, "corpus    {} programs · findings: {} new, {} known, {} gone · {}\n", night->corpus,
         count(State::fresh), count(State::known), count(State::gone), (options.corpus / "nightly.html").string());
    if (night->left_out > 0)
        tell(options.text,
             "left out  {} programs of the corpus, for which there was no time; other nights begin with others\n",
             night->left_out);
    for (report::Night::Finding const& each : night->findings)
        if (each.change) tell(options.text, "commit    {}: {}\n", each.name, report::change_words(each));
    if (auto written = write_report({*session}, options); !written) return give_up(written.error());
    return *concluded;
}

}  // namespace vmcheck::cli
