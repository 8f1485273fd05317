// replay, shrink and show: for programs that come from files.

#include "checker/cli/commands.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/output.h"
#include "checker/cli/print.h"
#include "checker/finding/cause.h"
#include "checker/report/text.h"
#include "impl/base/files.h"
#include "spec/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;

struct CorpusFile {
    fs::path path;
    spec::Program program;
};

struct Corpus {
    std::vector<CorpusFile> files;
    std::vector<base::Error> unreadable;
};
// The programs in `paths`: files as they are, directories searched for *.vmc, in order of name. What cannot be read or
// parsed is told with file, line and column, and the others are there all the same.
Corpus read_corpus(Options const& options) {
    Corpus corpus;
    std::vector<fs::path> files;
    for (fs::path const& path : options.programs) {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            files.push_back(path);
            continue;
        }
        std::vector<fs::path> found;
        for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error))
            if (at->path().extension() == ".vmc") found.push_back(at->path());
        if (error)
            corpus.unreadable.push_back({fmt::format("{}: cannot be searched: {}.", path.string(), error.message())});
        std::sort(found.begin(), found.end());
        files.insert(files.end(), found.begin(), found.end());
    }
    for (fs::path const& file : files) {
        // One that comes out of a pipe is as good.
        auto const text = base::read_file(file, {.any_kind = true, .stop = options.stop});
        auto program = text ? spec::parse(*text) : tl::unexpected(spec::ParseError{});
        if (program)
            corpus.files.push_back({file, std::move(*program)});
        else
            corpus.unreadable.push_back(
                text ? base::Error{fmt::format("{}: {}.", file.string(), spec::to_string(program.error()))}
                     : text.error());
    }
    return corpus;
}

// Has `work` done for each program, until it says how to end or the user wants an end, and tells what cannot be read.
ExitCode for_each_program(Corpus const& corpus, Options const& options,
                          std::function<std::optional<ExitCode>(CorpusFile const&)> const& work) {
    for (base::Error const& error : corpus.unreadable) give_up({Stop::Cause::usage, error.message});
    if (corpus.files.empty() && corpus.unreadable.empty())
        return give_up({Stop::Cause::usage, "no program found: give *.vmc files, or a directory that holds some."});
    for (CorpusFile const& file : corpus.files) {
        if (options.stop.stop_requested()) break;
        if (auto const end = work(file)) return *end;
    }
    if (options.stop.stop_requested()) return ExitCode::interrupted;
    return corpus.unreadable.empty() ? ExitCode::nothing_found : ExitCode::usage;
}

// The title of the advice that the last of the program's steps gives cause for, where its run does not fail; nothing
// where there is none.
std::optional<std::string> advice_at_the_end(run::Run const& run, spec::Program const& program) {
    for (run::Divergence const& each : run.passed)
        if (each.advice && each.at.value + 1 == program.steps.size())
            return cause_of(run::family_of(each, program.steps.back())).title;
    return std::nullopt;
}

// Programs are run on the kernel that was asked for, or on the reference kernel with the program's own profile.
class Replayer {
  public:
    explicit Replayer(Options const& options) : options_(options) {}

    tl::expected<bool, Stop> diverges(CorpusFile const& file) {
        auto kernel = kernel_for(file.program);
        if (!kernel) return tl::unexpected(kernel.error());
        auto ran = session::run_once(**kernel, file.program, file.path.string());
        if (!ran) return tl::unexpected(stop_for(ran.error(), options_));
        run::Run& run = *ran;
        if (!run.divergence) {
            auto const advice = advice_at_the_end(run, file.program);
            tell(stdout, "ok        {}{}{}\n", file.path.string(),
                 advice ? fmt::format("   (fails nobody; advice: {})", *advice) : "", remarks_on(run));
            return false;
        }
        auto finding = session::make_finding(**kernel, {.run = std::move(run)},
                                             {.shrink = false, .stop = options_.stop, .last_call = options_.last_call});
        if (!finding) return tl::unexpected(stop_for(finding.error(), options_));
        tell(stdout, "FAILS     {}\n\n{}", file.path.string(),
             report::finding_text(*finding, 1, 1, std::nullopt, {options_.colour}));
        ++(finding->reproduced > 0 ? solid_ : flaky_);
        return true;
    }

    std::size_t solid() const { return solid_; }
    std::size_t flaky() const { return flaky_; }

  private:
    static std::string remarks_on(run::Run const& run) {
        std::string text;
        if (run.left_out > 0)
            text += fmt::format("   ({} steps cannot be asked in the state reached and were left out)", run.left_out);
        if (run.serialised > 0)
            text +=
                fmt::format("   ({} steps may not overlap with the one before and were run after it)", run.serialised);
        if (run.undecided) text += "   (ended early: nobody can say in which order its last two steps came)";
        if (run.unfinished) text += "   (ended early: the kernel was too slow in its last step)";
        return text;
    }

    tl::expected<session::Kernel*, Stop> kernel_for(spec::Program const& program) {
        KernelChoice const choice = cli::kernel_for(program, options_.kernel);
        std::string const key = choice.kernel ? (choice.of_lab ? "lab" : "") : spec::print(*choice.profile);
        auto at = kernels_.find(key);
        if (at == kernels_.end()) {
            auto kernel = start(choice, 1, options_);
            if (!kernel) return tl::unexpected(kernel.error());
            tell(stdout, "{}", report::kernel_lines(kernel->target->summary(), {options_.colour}));
            at = kernels_.emplace(key, std::move(*kernel)).first;
        }
        return &at->second;
    }

    Options const& options_;
    std::map<std::string, session::Kernel> kernels_;
    std::size_t solid_ = 0;
    std::size_t flaky_ = 0;
};

}  // namespace

ExitCode replay(Options const& options) {
    Corpus const corpus = read_corpus(options);
    Replayer replayer(options);
    std::size_t done = 0;
    ExitCode const ended = for_each_program(corpus, options, [&](CorpusFile const& file) -> std::optional<ExitCode> {
        auto const outcome = replayer.diverges(file);
        if (!outcome) return give_up(outcome.error());
        ++done;
        return std::nullopt;
    });
    std::size_t const differ = replayer.solid() + replayer.flaky();
    if (!corpus.files.empty())
        tell(stdout, "{} of {} programs replayed · {} pass · {} fail\n", done, corpus.files.size(), done - differ,
             differ);
    if (replayer.solid() > 0) return ExitCode::divergence;
    return ended == ExitCode::nothing_found && replayer.flaky() > 0 ? ExitCode::not_reproducible : ended;
}

// Prints the smallest program that fails as the given one does, ready to be put into a file.
ExitCode shrink(Options const& options) {
    return for_each_program(read_corpus(options), options, [&](CorpusFile const& file) -> std::optional<ExitCode> {
        auto kernel = start(kernel_for(file.program, options.kernel), options.jobs, options);
        if (!kernel) return give_up(kernel.error());
        auto run = session::run_once(*kernel, file.program, file.path.string());
        if (!run) return give_up(stop_for(run.error(), options));
        if (!run->divergence) {
            auto const advice = advice_at_the_end(*run, file.program);
            return give_up(
                {Stop::Cause::usage,
                 fmt::format("{}: does not fail on this kernel, so there is nothing to shrink.{}", file.path.string(),
                             advice ? fmt::format(" It gives cause for advice: {}.", *advice) : "")});
        }
        std::size_t const before = run->program.steps.size();
        auto finding = session::make_finding(*kernel, {.run = std::move(*run)},
                                             {.stop = options.stop, .last_call = options.last_call});
        if (!finding) return give_up(stop_for(finding.error(), options));
        tell(stderr, "{}: {} steps before, {} now; {} programs tried\n", file.path.string(), before,
             finding->program.steps.size(), finding->shrink_executions);
        tell(stderr, "{}", report::finding_text(*finding, 1, 1, std::nullopt, {options.colour}));
        tell(stdout, "{}", spec::print(finding->program));
        if (finding->attempts > 0 && finding->reproduced == 0) return ExitCode::not_reproducible;
        return std::nullopt;
    });
}

// What a correct kernel does at each step of a program. The reference kernel is booted for its memory layout only.
ExitCode show(Options const& options) {
    return for_each_program(read_corpus(options), options, [&](CorpusFile const& file) -> std::optional<ExitCode> {
        auto target = boot(kernel_for(file.program, options.kernel), options);
        if (!target) return give_up(target.error());
        tell(stdout, "{} · {}\n", file.path.string(), spec::print(file.program.profile));
        if (!file.program.about.empty()) tell(stdout, "  {}\n", file.program.about);
        tell(stdout, "{}", report::walk_text(file.program, (*target)->setting()));
        return std::nullopt;
    });
}

}  // namespace vmcheck::cli
