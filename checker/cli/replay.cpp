#include "checker/cli/builtin.h"
#include "checker/cli/commands.h"
#include "checker/cli/files.h"
#include "checker/cli/session.h"
#include "checker/report/text.h"
#include "checker/run/runner.h"
#include "spec/text.h"

#include <fmt/format.h>

#include <map>

namespace vmcheck::cli {

namespace {

// Programs are run on the kernel that was asked for, or on the reference kernel with the program's own profile.
class Replayer {
  public:
    explicit Replayer(Options const& options) : options_(options) {}

    tl::expected<bool, Stop> diverges(CorpusFile const& file) {
        auto bench = bench_for(file.program.profile);
        if (!bench) return tl::unexpected(bench.error());
        run::Counts counts;
        run::RunOptions const how{.close = true, .records = false};
        run::Run run = run::run_program((*bench)->pool.first(), (*bench)->look.reference, file.program, how, counts);
        if (auto well = check_engines((*bench)->pool); !well) return tl::unexpected(well.error());
        if (run.cannot_start)
            return tl::unexpected(Stop{ExitCode::kernel_unusable,
                                       fmt::format("{} cannot be run on this kernel, since it asks for {}: {}",
                                                   file.path.string(), machine_of(file.program), *run.cannot_start)});
        if (!run.divergence) {
            fmt::print("ok        {}{}\n", file.path.string(), remarks_on(run));
            return false;
        }
        Options as_it_is = options_;
        as_it_is.shrink = false;
        auto finding = make_finding(**bench, {.run = std::move(run)}, as_it_is);
        if (!finding) return tl::unexpected(finding.error());
        fmt::print("DIFFERS   {}\n\n{}", file.path.string(),
                   report::finding_text(*finding, 1, 1, std::nullopt, {options_.colour}));
        ++(finding->reproduced > 0 ? solid_ : flaky_);
        return true;
    }

    std::size_t solid() const { return solid_; }
    std::size_t flaky() const { return flaky_; }

  private:
    static std::string machine_of(spec::Program const& program) {
        return program.memory ? fmt::format("`memory {}`", *program.memory)
                              : fmt::format("{} harts", spec::harts_of(program));
    }

    static std::string remarks_on(run::Run const& run) {
        std::string text;
        if (run.left_out > 0)
            text += fmt::format("   ({} steps cannot be asked in the state reached and were left out)", run.left_out);
        if (run.serialised > 0)
            text +=
                fmt::format("   ({} steps may not overlap with the one before and were run after it)", run.serialised);
        if (run.undecided) text += "   (ended early: nobody can say in which order its last two steps came)";
        return text;
    }

    tl::expected<Bench*, Stop> bench_for(spec::Profile profile) {
        KernelChoice choice = options_.kernel;
        if (!choice.kernel && !choice.profile) choice.profile = profile;
        std::string const key = choice.kernel ? std::string() : spec::print(*choice.profile);
        auto at = benches_.find(key);
        if (at == benches_.end()) {
            auto bench = set_up(choice, 1);
            if (!bench) return tl::unexpected(bench.error());
            fmt::print("{}", report::kernel_lines(bench->target->summary(), {options_.colour}));
            at = benches_.emplace(key, std::move(*bench)).first;
        }
        return &at->second;
    }

    Options const& options_;
    std::map<std::string, Bench> benches_;
    std::size_t solid_ = 0;
    std::size_t flaky_ = 0;
};

}  // namespace

ExitCode replay(Options const& options) {
    auto const corpus = read_corpus(options.programs);
    if (!corpus) return give_up({ExitCode::usage, corpus.error().message});
    if (corpus->empty())
        return give_up({ExitCode::usage, "no program found: give *.vmc files, or a directory that holds some."});
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

}  // namespace vmcheck::cli
