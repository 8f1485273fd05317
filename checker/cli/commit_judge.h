#pragma once
// What a program does on the kernel of a commit of a tree's own history: the judge that the search for a commit asks.
//
//     CommitJudge judge(options, history, program);
//     history.check_out(bad);
//     if (auto fails = judge.learn(); fails && *fails) ...       // in which way, is what the others are judged by
//     auto answer = bisect::find_first_bad(history, bad, good, judge, on_judged);

#include "checker/bisect/bisect.h"
#include "checker/cli/options.h"
#include "checker/finding/finding.h"

#include <tl/expected.hpp>

#include <string>

namespace vmcheck::cli {

class CommitJudge {
  public:
    // Both must outlive it. REQUIRES: options.kernel.kernel is the tree of which this is the history.
    CommitJudge(Options const& options, bisect::History const& history, spec::Program program)
        : options_(options), history_(history), program_(std::move(program)) {}

    // Of the commit that is checked out: whether the program fails there. From then on that is the failure that is
    // looked for.
    tl::expected<bool, Stop> learn();
    // REQUIRES: learn() has said true.
    run::Signature failure() const { return failure_; }

    // Whether it fails so on the commit that is checked out. Fails where this machine is at fault, or the user asks for
    // an end. REQUIRES: as failure().
    tl::expected<bisect::Judgement, base::Error> operator()(bisect::Commit const& commit) const;

  private:
    std::string tree_at_commit() const;
    tl::expected<run::Run, Stop> run_here() const;

    Options const& options_;
    bisect::History const& history_;
    spec::Program program_;
    run::Signature failure_{};
};

}  // namespace vmcheck::cli
