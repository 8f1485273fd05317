#include "checker/cli/commands.h"
#include "checker/cli/files.h"
#include "checker/cli/session.h"
#include "checker/report/text.h"
#include "checker/run/runner.h"
#include "spec/text.h"

#include <fmt/format.h>

namespace vmcheck::cli {

// Prints the smallest program that fails as the given one does, ready to be put into a file.
ExitCode shrink(Options const& options) {
    auto const corpus = read_corpus(options.programs);
    if (!corpus) return give_up({ExitCode::usage, corpus.error().message});
    for (CorpusFile const& file : *corpus) {
        KernelChoice choice = options.kernel;
        if (!choice.kernel && !choice.profile) choice.profile = file.program.profile;
        auto bench = set_up(choice, options.jobs);
        if (!bench) return give_up(bench.error());
        run::Counts counts;
        run::Run run = run::run_program(bench->pool.first(), bench->look.reference, file.program, {}, counts);
        if (auto well = check_engines(bench->pool); !well) return give_up(well.error());
        if (!run.divergence)
            return give_up(
                {ExitCode::usage,
                 fmt::format("{}: does not fail on this kernel, so there is nothing to shrink.", file.path.string())});
        std::size_t const before = run.program.steps.size();
        auto finding = make_finding(*bench, {.run = std::move(run)}, options);
        if (!finding) return give_up(finding.error());
        fmt::print(stderr, "{}: {} steps before, {} now; {} programs tried\n", file.path.string(), before,
                   finding->program.steps.size(), finding->shrink_executions);
        fmt::print(stderr, "{}", report::finding_text(*finding, 1, 1, std::nullopt, {options.colour}));
        fmt::print("{}", spec::print(finding->program));
        if (finding->reproduced == 0) return ExitCode::not_reproducible;
    }
    return ExitCode::nothing_found;
}

}  // namespace vmcheck::cli
