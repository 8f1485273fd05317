#include "checker/cli/commit_judge.h"

#include "checker/cli/kernel_choice.h"
#include "checker/report/escape.h"

#include <utility>

namespace vmcheck::cli {

using bisect::Judgement;
using bisect::Verdict;

tl::expected<bool, Stop> CommitJudge::learn() {
    auto const run = run_here();
    if (!run) return tl::unexpected(run.error());
    if (!run->divergence) return false;
    failure_ = run->divergence->signature;
    return true;
}

tl::expected<Judgement, base::Error> CommitJudge::operator()(bisect::Commit const&) const {
    auto const run = run_here();
    if (!run) {
        Stop const& stop = run.error();
        using Kind = base::Error::Kind;
        if (stop.cause == Stop::Cause::interrupted) return tl::unexpected(base::Error{stop.message, Kind::interrupted});
        if (stop.cause == Stop::Cause::machine) return tl::unexpected(base::Error{stop.message, Kind::machine});
        return Judgement{Verdict::unknown,
                         stop.cause == Stop::Cause::build ? "does not build" : report::one_line(stop.message)};
    }
    if (!run->divergence)
        return run->unfinished || run->undecided ? Judgement{Verdict::unknown, "was not run to its end"}
                                                 : Judgement{Verdict::good};
    if (run->divergence->signature == failure_) return Judgement{Verdict::bad};
    return Judgement{Verdict::unknown, "fails in another way: " + to_string(run->divergence->signature)};
}

std::string CommitJudge::tree_at_commit() const {
    return options_.kernel.kernel->string() + ", as committed";
}

tl::expected<run::Run, Stop> CommitJudge::run_here() const {
    if (options_.stop.stop_requested()) return tl::unexpected(Stop{Stop::Cause::interrupted, "interrupted."});
    KernelChoice choice = options_.kernel;
    choice.kernel = history_.tree();
    choice.rebuild = true;
    if (!is_source_tree(*choice.kernel))
        return tl::unexpected(Stop{Stop::Cause::unsupported, "has no kernel's sources.", tree_at_commit()});
    auto kernel = start(kernel_for(program_, choice), 1, options_);
    if (!kernel) {
        // It lies in a clone, of which nobody knows.
        Stop stop = std::move(kernel.error());
        if (!stop.about.empty()) stop.about = tree_at_commit();
        return tl::unexpected(std::move(stop));
    }
    auto run = session::run_once(*kernel, program_, "the finding");
    if (!run) return tl::unexpected(cli::stop_for(run.error(), options_));
    return std::move(*run);
}

}  // namespace vmcheck::cli
