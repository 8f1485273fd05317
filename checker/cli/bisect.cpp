// bisect: which commit of a tree's own history brought a defect.

#include "checker/bisect/bisect.h"

#include "checker/cli/commands.h"
#include "checker/cli/commit_judge.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/output.h"
#include "checker/cli/print.h"
#include "checker/report/escape.h"
#include "impl/base/files.h"
#include "spec/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace vmcheck::cli {

namespace {

using bisect::Commit;
using bisect::Judgement;
using bisect::Verdict;

std::string name_of(Commit const& commit) {
    return fmt::format("{} \"{}\"", bisect::short_id(commit), report::one_line(commit.subject));
}

Stop stop_for(base::Error const& error) {
    using Kind = base::Error::Kind;
    return {error.kind == Kind::interrupted ? Stop::Cause::interrupted
            : error.kind == Kind::machine   ? Stop::Cause::machine
                                            : Stop::Cause::usage,
            error.message};
}

void tell_judged(Commit const& commit, Judgement const& judgement, std::size_t left) {
    std::string const verdict = judgement.verdict == Verdict::good  ? "good"
                                : judgement.verdict == Verdict::bad ? "bad "
                                                                    : "skip";
    tell(stdout, "{}  {}  {}{}\n", verdict, commit.date, name_of(commit),
         judgement.why.empty() ? "" : ": " + judgement.why);
    std::fflush(stdout);
    if (left > 1) tell(stderr, "bisect: about {} more to build and run\n", std::bit_width(left - 1));
}

// The commit's diff, to a length that can be read.
std::string diff_text(bisect::History const& history, Commit const& commit) {
    constexpr std::size_t kLinesMax = 200;
    std::string diff = report::printable(history.changes(commit).value_or(std::string()));
    std::size_t end = 0, lines = 0;
    while (end < diff.size() && lines < kLinesMax) {
        end = std::min(diff.find('\n', end), diff.size() - 1) + 1;
        ++lines;
    }
    if (end == diff.size()) return diff;
    return diff.substr(0, end) +
           fmt::format("... and {} lines more: git show {}\n",
                       std::count(diff.begin() + static_cast<std::ptrdiff_t>(end), diff.end(), '\n'),
                       bisect::short_id(commit));
}

ExitCode tell_answer(bisect::Answer const& answer, bisect::History const& history) {
    using Kind = bisect::Answer::Kind;
    Commit const& oldest_bad = answer.suspects.front();
    switch (answer.kind) {
        case Kind::first_bad:
            tell(stdout, "\nfirst bad commit: {}, by {}, {}\n\n{}", name_of(oldest_bad),
                 report::one_line(oldest_bad.author), oldest_bad.date, diff_text(history, oldest_bad));
            return ExitCode::nothing_found;
        case Kind::always: {
            auto const shallow = history.is_shallow();
            if (!shallow || *shallow) {
                tell(
                    stdout,
                    "\nthe oldest commit here, {}, fails already, and those before it are not in this clone: git fetch "
                    "--unshallow\n",
                    name_of(oldest_bad));
                return ExitCode::not_reproducible;
            }
            tell(stdout, "\nno commit brought it: the first of all, {}, fails already\n", name_of(oldest_bad));
            return ExitCode::nothing_found;
        }
        case Kind::one_of:
            tell(stdout, "\nthe first bad commit is one of these, of which all but the first could not be judged:\n");
            for (Commit const& each : answer.suspects) tell(stdout, "  {}  {}\n", each.date, name_of(each));
            return ExitCode::not_reproducible;
        case Kind::no_good_found:
            break;
    }
    tell(stdout, "\nno commit was found that is good; {} fails. Name one that was: --good REV\n", name_of(oldest_bad));
    return ExitCode::not_reproducible;
}

ExitCode does_not_fail(bisect::History const& history, Commit const& bad, Options const& options) {
    std::string why = fmt::format("{} does not fail so: there is nothing to search for.", name_of(bad));
    auto const changed = history.uncommitted();
    if (options.bisect.bad == "HEAD" && changed && !changed->empty())
        why = fmt::format(
            "{} does not fail so. If the tree as it lies there does, it is by what is not committed yet (git diff).",
            name_of(bad));
    return give_up({Stop::Cause::usage, why});
}

}  // namespace

ExitCode bisect(Options const& options) {
    std::filesystem::path const& tree = *options.kernel.kernel;
    auto const text = base::read_file(options.bisect.finding, {.any_kind = true, .stop = options.stop});
    if (!text) return give_up(stop_for(text.error()));
    auto program = spec::parse(*text);
    if (!program)
        return give_up(
            {Stop::Cause::usage, fmt::format("{}: {}. Give a program that was found: findings/1-...vmc",
                                             options.bisect.finding.string(), spec::to_string(program.error()))});
    auto const history = bisect::History::clone(tree, confinement_of(options.kernel), options.stop);
    if (!history) return give_up(stop_for(history.error()));
    auto const bad = history->commit(options.bisect.bad);
    if (!bad) return give_up(stop_for(bad.error()));
    std::optional<Commit> good;
    if (options.bisect.good) {
        auto found = history->commit(*options.bisect.good);
        if (!found) return give_up(stop_for(found.error()));
        auto const before = history->is_ancestor(*found, *bad);
        if (!before) return give_up(stop_for(before.error()));
        if (found->id == bad->id)
            return give_up({Stop::Cause::usage, fmt::format("{} is both --good and --bad.", name_of(*found))});
        if (!*before)
            return give_up({Stop::Cause::usage, fmt::format("{} is not among the commits that {} was made from.",
                                                            name_of(*found), name_of(*bad))});
        good = *found;
    }

    CommitKernels kernels;
    CommitJudge judge(options, *history, kernels, std::move(*program));
    if (auto done = history->check_out(*bad); !done) return give_up(stop_for(done.error()));
    auto const fails = judge.learn(*bad);
    if (!fails) return give_up(fails.error());
    if (!*fails) return does_not_fail(*history, *bad, options);
    tell_judged(*bad, {Verdict::bad, to_string(judge.failure())}, 0);
    if (good) {
        if (auto done = history->check_out(*good); !done) return give_up(stop_for(done.error()));
        auto const judged = judge(*good);
        if (!judged) return give_up(stop_for(judged.error()));
        tell_judged(*good, *judged, 0);
        if (judged->verdict == Verdict::bad)
            return give_up(
                {Stop::Cause::usage, fmt::format("{} is bad already: name an older one, or none.", name_of(*good))});
    }
    auto const answer = bisect::find_first_bad(*history, *bad, good, judge, tell_judged);
    if (!answer) return give_up(stop_for(answer.error()));
    return tell_answer(*answer, *history);
}

}  // namespace vmcheck::cli
