#include "checker/cli/commit_judge.h"

#include "checker/report/escape.h"

#include <fmt/core.h>

#include <utility>

namespace vmcheck::cli {

using bisect::Judgement;
using bisect::Verdict;

namespace {

constexpr char const* kNotToItsEnd = "was not run to its end";

bool is_cut_short(run::Run const& run) {
    return run.unfinished || run.undecided;
}

}  // namespace

tl::expected<KernelOptions, Stop> CommitKernels::find(bisect::Commit const& commit, KernelChoice const& choice) {
    std::pair const key(commit.id, choice.of_lab);
    if (auto const known = known_.find(key); known != known_.end()) return known->second;
    auto found = find_kernel(choice);
    // What this machine, or the user, was the cause of is none of the commit's.
    if (found || found.error().cause == Stop::Cause::build) known_.emplace(key, found);
    return found;
}

tl::expected<bool, Stop> CommitJudge::learn(bisect::Commit const& commit) {
    auto const run = run_here(commit);
    if (!run) return tl::unexpected(run.error());
    if (!run->divergence && is_cut_short(*run))
        return tl::unexpected(
            Stop{Stop::Cause::unsupported, fmt::format("the program {}.", kNotToItsEnd), tree_at_commit()});
    if (!run->divergence) return false;
    failure_ = run->divergence->signature;
    return true;
}

tl::expected<Judgement, base::Error> CommitJudge::operator()(bisect::Commit const& commit) const {
    auto const run = run_here(commit);
    if (!run) {
        Stop const& stop = run.error();
        using Kind = base::Error::Kind;
        if (stop.cause == Stop::Cause::interrupted) return tl::unexpected(base::Error{stop.message, Kind::interrupted});
        if (stop.cause == Stop::Cause::machine) return tl::unexpected(base::Error{stop.message, Kind::machine});
        return Judgement{Verdict::unknown,
                         stop.cause == Stop::Cause::build ? "does not build" : report::one_line(stop.message)};
    }
    if (!run->divergence)
        return is_cut_short(*run) ? Judgement{Verdict::unknown, kNotToItsEnd} : Judgement{Verdict::good};
    if (run->divergence->signature == failure_) return Judgement{Verdict::bad};
    return Judgement{Verdict::unknown, "fails in another way: " + to_string(run->divergence->signature)};
}

std::string CommitJudge::tree_at_commit() const {
    return options_.kernel.kernel->string() + ", as committed";
}

tl::expected<run::Run, Stop> CommitJudge::run_here(bisect::Commit const& commit) const {
    if (options_.stop.stop_requested()) return tl::unexpected(Stop{Stop::Cause::interrupted, "interrupted."});
    KernelChoice choice = options_.kernel;
    choice.kernel = history_.tree();
    choice.rebuild = true;
    if (!is_source_tree(*choice.kernel))
        return tl::unexpected(Stop{Stop::Cause::unsupported, "has no kernel's sources.", tree_at_commit()});
    auto const found = kernels_.find(commit, kernel_for(program_, choice));
    auto kernel = found ? start(*found, 1, options_) : tl::unexpected(found.error());
    if (!kernel) {
        // It lies in a clone, of which nobody knows.
        Stop stop = std::move(kernel.error());
        if (!stop.about.empty()) stop.about = tree_at_commit();
        return tl::unexpected(std::move(stop));
    }
    auto run = session::run_once(*kernel, program_, "the finding");
    if (!run) return tl::unexpected(cli::stop_for(run.error(), options_));
    // It may have been cut short, which says nothing.
    if (options_.stop.stop_requested()) return tl::unexpected(Stop{Stop::Cause::interrupted, "interrupted."});
    return std::move(*run);
}

}  // namespace vmcheck::cli
