#include "checker/cli/commands.h"
#include "checker/cli/session.h"

#include <limits>

namespace vmcheck::cli {

// The nightly job: as verify, but it goes on for as long as it is told to, and files what it finds in the corpus.
ExitCode fuzz(Options const& options) {
    run::Effort effort = effort_of(options);
    effort.programs = options.runs.value_or(std::numeric_limits<std::uint64_t>::max());
    auto bench = set_up(options.kernel, options.jobs);
    if (!bench) return give_up(bench.error());
    auto session = run_session(*bench, options, effort);
    if (!session) return give_up(session.error());
    auto const concluded = conclude(*session, options.corpus / "found", options);
    if (!concluded) return give_up(concluded.error());
    if (auto written = write_report({*session}, options); !written) return give_up(written.error());
    return *concluded;
}

}  // namespace vmcheck::cli
