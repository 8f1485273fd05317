// replay, shrink and show: for programs that come from files.

#include "checker/cli/commands.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/output.h"
#include "checker/report/text.h"
#include "impl/base/files.h"
#include "spec/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
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
// The programs in `paths`: files as they are, directories searched for *.vmc, in order of name. Fails at the first file
// that cannot be read or parsed, with file, line and column.
tl::expected<std::vector<CorpusFile>, base::Error> read_corpus(std::vector<fs::path> const& paths) {
    std::vector<fs::path> files;
    for (fs::path const& path : paths) {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            files.push_back(path);
            continue;
        }
        std::vector<fs::path> found;
        for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error))
            if (at->path().extension() == ".vmc") found.push_back(at->path());
        if (error)
            return tl::unexpected(
                base::Error{fmt::format("{}: cannot be searched: {}.", path.string(), error.message())});
        std::sort(found.begin(), found.end());
        files.insert(files.end(), found.begin(), found.end());
    }
    std::vector<CorpusFile> corpus;
    for (fs::path const& file : files) {
        auto const text = base::read_file(file);
        if (!text) return tl::unexpected(text.error());
        auto program = spec::parse(*text);
        if (!program)
            return tl::unexpected(base::Error{fmt::format("{}: {}.", file.string(), spec::to_string(program.error()))});
        corpus.push_back({file, std::move(*program)});
    }
    return corpus;
}

// Programs are run on the kernel that was asked for, or on the reference kernel with the program's own profile.
class Replayer {
  public:
    explicit Replayer(Options const& options) : options_(options) {}

    tl::expected<bool, Stop> diverges(CorpusFile const& file) {
        auto kernel = kernel_for(file.program);
        if (!kernel) return tl::unexpected(kernel.error());
        auto ran = session::run_once(**kernel, file.program, file.path.string());
        if (!ran) return tl::unexpected(stop_for(ran.error()));
        run::Run& run = *ran;
        if (!run.divergence) {
            fmt::print("ok        {}{}\n", file.path.string(), remarks_on(run));
            return false;
        }
        auto finding = session::make_finding(**kernel, {.run = std::move(run)}, {.shrink = false});
        if (!finding) return tl::unexpected(stop_for(finding.error()));
        fmt::print("DIFFERS   {}\n\n{}", file.path.string(),
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
            auto kernel = start(choice, 1);
            if (!kernel) return tl::unexpected(kernel.error());
            fmt::print("{}", report::kernel_lines(kernel->target->summary(), {options_.colour}));
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
    auto const corpus = read_corpus(options.programs);
    if (!corpus) return give_up({Stop::Cause::usage, corpus.error().message});
    if (corpus->empty())
        return give_up({Stop::Cause::usage, "no program found: give *.vmc files, or a directory that holds some."});
    Replayer replayer(options);
    std::size_t done = 0;
    for (CorpusFile const& file : *corpus) {
        if (options.stop.stop_requested()) break;
        if (auto outcome = replayer.diverges(file); !outcome) return give_up(outcome.error());
        ++done;
    }
    std::size_t const differ = replayer.solid() + replayer.flaky();
    fmt::print("{} of {} programs replayed · {} as they should be · {} differ\n", done, corpus->size(), done - differ,
               differ);
    if (replayer.solid() > 0) return ExitCode::divergence;
    return replayer.flaky() > 0 ? ExitCode::not_reproducible : ExitCode::nothing_found;
}

// Prints the smallest program that fails as the given one does, ready to be put into a file.
ExitCode shrink(Options const& options) {
    auto const corpus = read_corpus(options.programs);
    if (!corpus) return give_up({Stop::Cause::usage, corpus.error().message});
    for (CorpusFile const& file : *corpus) {
        auto kernel = start(kernel_for(file.program, options.kernel), options.jobs);
        if (!kernel) return give_up(kernel.error());
        auto run = session::run_once(*kernel, file.program, file.path.string());
        if (!run) return give_up(stop_for(run.error()));
        if (!run->divergence)
            return give_up(
                {Stop::Cause::usage,
                 fmt::format("{}: does not fail on this kernel, so there is nothing to shrink.", file.path.string())});
        std::size_t const before = run->program.steps.size();
        auto finding = session::make_finding(*kernel, {.run = std::move(*run)}, {.stop = options.stop});
        if (!finding) return give_up(stop_for(finding.error()));
        fmt::print(stderr, "{}: {} steps before, {} now; {} programs tried\n", file.path.string(), before,
                   finding->program.steps.size(), finding->shrink_executions);
        fmt::print(stderr, "{}", report::finding_text(*finding, 1, 1, std::nullopt, {options.colour}));
        fmt::print("{}", spec::print(finding->program));
        if (finding->reproduced == 0) return ExitCode::not_reproducible;
    }
    return ExitCode::nothing_found;
}

// What a correct kernel does at each step of a program. The reference kernel is booted for its memory layout only.
ExitCode show(Options const& options) {
    auto const corpus = read_corpus(options.programs);
    if (!corpus) return give_up({Stop::Cause::usage, corpus.error().message});
    for (CorpusFile const& file : *corpus) {
        auto target = boot(kernel_for(file.program, options.kernel));
        if (!target) return give_up(target.error());
        fmt::print("{} · {}\n", file.path.string(), spec::print(file.program.profile));
        if (!file.program.about.empty()) fmt::print("  {}\n", file.program.about);
        fmt::print("{}", report::walk_text(file.program, (*target)->setting()));
    }
    return ExitCode::nothing_found;
}

}  // namespace vmcheck::cli
