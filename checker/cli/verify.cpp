#include "checker/class/discover.h"
#include "checker/cli/builtin.h"
#include "checker/cli/commands.h"
#include "checker/cli/session.h"

#include <vector>

namespace vmcheck::cli {

namespace {

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
    run::Effort const effort = effort_of(options);
    std::vector<report::Session> sessions;
    ExitCode code = ExitCode::nothing_found;
    for (KernelChoice const& choice : choices(options.kernel)) {
        auto bench = set_up(choice, options.jobs);
        if (!bench) return give_up(bench.error());
        auto session = run_session(*bench, options, effort);
        if (!session) return give_up(session.error());
        auto const concluded = conclude(*session, options.findings, options);
        if (!concluded) return give_up(concluded.error());
        code = worse(code, *concluded);
        sessions.push_back(std::move(*session));
        if (options.stop.stop_requested()) break;
    }
    if (auto written = write_html(sessions, options.findings, options); !written) return give_up(written.error());
    if (auto written = write_report(sessions, options); !written) return give_up(written.error());
    return code;
}

}  // namespace vmcheck::cli
