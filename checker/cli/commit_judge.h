#pragma once
// What a program does on the kernel of a commit of a tree's own history: the judge that the search for a commit asks.
//
//     CommitKernels kernels;
//     CommitJudge judge(options, history, kernels, program);
//     history.check_out(bad);
//     if (auto fails = judge.learn(bad); fails && *fails) ...    // in which way, is what the others are judged by
//     auto answer = bisect::find_first_bad(history, bad, good, judge, on_judged);

#include "checker/bisect/bisect.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/options.h"
#include "checker/finding/finding.h"

#include <tl/expected.hpp>

#include <map>
#include <string>
#include <utility>

namespace vmcheck::cli {

// Of commits, each built once, however many programs are tried on it. They lie in scratch directories, which go with
// this value.
class CommitKernels {
  public:
    // Of the commit that is checked out at `choice`. Fails as find_kernel() does.
    tl::expected<KernelOptions, Stop> find(bisect::Commit const& commit, KernelChoice const& choice);

  private:
    // By the commit's id, and whether the kernel is held to its lab. What does not build is known as well.
    std::map<std::pair<std::string, bool>, tl::expected<KernelOptions, Stop>> known_{};
};

class CommitJudge {
  public:
    // All but the program must outlive it. REQUIRES: options.kernel.kernel is the tree of which this is the history.
    CommitJudge(Options const& options, bisect::History const& history, CommitKernels& kernels, spec::Program program)
        : options_(options), history_(history), kernels_(kernels), program_(std::move(program)) {}

    // Of the commit that is checked out: whether the program fails there. From then on that is the failure that is
    // looked for. Fails where it cannot be run to its end.
    tl::expected<bool, Stop> learn(bisect::Commit const& commit);
    // In place of learn(), where the failure is known.
    void look_for(run::Signature failure) { failure_ = failure; }
    // REQUIRES: learn() has said true, or look_for().
    run::Signature failure() const { return failure_; }

    // Whether it fails so on the commit that is checked out. Fails where this machine is at fault, or the user asks for
    // an end. REQUIRES: as failure().
    tl::expected<bisect::Judgement, base::Error> operator()(bisect::Commit const& commit) const;

  private:
    std::string tree_at_commit() const;
    tl::expected<run::Run, Stop> run_here(bisect::Commit const& commit) const;

    Options const& options_;
    bisect::History const& history_;
    CommitKernels& kernels_;
    spec::Program program_;
    run::Signature failure_{};
};

}  // namespace vmcheck::cli
