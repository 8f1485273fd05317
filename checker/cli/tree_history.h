#pragma once
// The git tree that a kernel is fuzzed from: which commit it is of, and which one brought, or mended, what the nights
// before did not know of. The tree itself is only read.

#include "checker/bisect/history.h"
#include "checker/cli/commit_judge.h"
#include "checker/cli/options.h"
#include "checker/report/night.h"
#include "checker/run/result.h"
#include "impl/base/interrupt.h"
#include "spec/program.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace vmcheck::cli {

// The commit that the git tree around `path` stands at, from its files: a stranger's configuration can name programs
// for git to run. Empty where there is none.
std::string commit_of(std::filesystem::path const& path);

class TreeHistory {
  public:
    // As the tree lies there now; to be called before its kernel is built. Where it is no git tree, or the kernel is
    // vmcheck's own, that is what the value says.
    static TreeHistory read(Options const& options);

    // Empty where it is in no git tree.
    std::string const& commit() const { return commit_; }
    // Whether files that git knows differ from it.
    bool is_changed() const { return is_changed_; }

    // Where between the commits of two nights the program began to fail or, of what is gone, to pass. All searches
    // together take no longer than a tenth of --time, or a minute if that is longer; ten minutes where there is no
    // --time. REQUIRES: the nights' commits differ, or files differed from one of them.
    struct Question {
        spec::Program const& program;
        std::optional<run::Signature> failure;  // nothing: any
        report::Night const& before;
        report::Night const& after;
        bool is_gone;
    };
    report::Night::Change search(Question const& asked);

  private:
    TreeHistory(Options const& options, std::string commit);
    report::Night::Change search_between(bisect::Commit const& old, bisect::Commit const& now, Question const& asked);
    report::Night::Change::Search why_not_an_ancestor() const;

    Options options_;  // with the tokens of `limit_`
    std::unique_ptr<base::TimeLimit> limit_;
    CommitKernels kernels_{};
    bool has_begun_ = false;  // to search
    std::string commit_;
    bool is_changed_ = false;
    // Fails where there is none to be had.
    tl::expected<bisect::History, base::Error> history_ = tl::unexpected(base::Error{});
};

}  // namespace vmcheck::cli
