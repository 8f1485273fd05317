// verify and fuzz: a session with each kernel.

#include "checker/class/discover.h"
#include "checker/cli/commands.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/output.h"
#include "checker/cli/progress.h"

#include <limits>
#include <vector>

namespace vmcheck::cli {

namespace {

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

tl::expected<SessionResult, Stop> check(KernelChoice const& choice, Options const& options, std::uint64_t programs) {
    auto kernel = find_kernel(choice);
    if (!kernel) return tl::unexpected(kernel.error());
    TerminalObserver observer(options.text, options.colour);
    session::Options const how{.seed = options.seed,
                               .jobs = options.jobs,
                               .effort = effort_of(options, programs),
                               .shrink = options.shrink,
                               .confirm = options.confirm,
                               .stop = options.stop};
    return session::check(booter(std::move(*kernel)), how, observer).map_error(stop_for);
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
    for (ExitCode code : {ExitCode::divergence, ExitCode::not_reproducible})
        if (a == code || b == code) return code;
    return ExitCode::nothing_found;
}

}  // namespace

ExitCode verify(Options const& options) {
    if (options.kernel.kernel && classes::is_class(*options.kernel.kernel)) return verify_class(options);
    std::vector<SessionResult> sessions;
    ExitCode code = ExitCode::nothing_found;
    for (KernelChoice const& choice : choices(options.kernel)) {
        auto session = check(choice, options, run::programs_of(options.level));
        if (!session) return give_up(session.error(), sessions, options);
        auto const concluded = conclude(*session, options.findings, options);
        if (!concluded) return give_up(concluded.error(), sessions, options);
        code = worse(code, *concluded);
        sessions.push_back(std::move(*session));
        if (options.stop.stop_requested()) break;
    }
    if (auto written = write_html(sessions, options.findings, options); !written)
        return give_up(written.error(), sessions, options);
    if (auto written = write_report(sessions, options); !written) return give_up(written.error());
    return code;
}

// The nightly job: as verify, but it goes on for as long as it is told to, and files what it finds in the corpus.
ExitCode fuzz(Options const& options) {
    auto session = check(options.kernel, options, std::numeric_limits<std::uint64_t>::max());
    if (!session) return give_up(session.error(), {}, options);
    auto const concluded = conclude(*session, options.corpus / "found", options);
    if (!concluded) return give_up(concluded.error(), {*session}, options);
    if (auto written = write_report({*session}, options); !written) return give_up(written.error());
    return *concluded;
}

}  // namespace vmcheck::cli
