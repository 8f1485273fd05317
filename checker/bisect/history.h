#pragma once
// The git history of a student's tree, in a clone of its own: the tree itself is only read.
//
//     auto history = bisect::History::clone(tree, confinement, stop);
//     auto const head = history->commit("HEAD");
//     history->check_out(*head);                    // now it lies in history->tree()
//     auto const left = history->candidates(*bad, {*good});
//
// Everything is git's own: which commits lie between two, and which of them tells most, is its rev-list --bisect-all.
// git runs in a sandbox, since a repository's configuration can name programs.

#include "impl/base/error.h"
#include "impl/base/files.h"
#include "impl/base/sandbox.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace vmcheck::bisect {

struct Commit {
    std::string id;       // whole
    std::string subject;  // as its author wrote it
    std::string author;
    std::string date;  // 2026-11-26
};
// The first letters of the id, as git prints them.
std::string short_id(Commit const& commit);

class History {
  public:
    // Fails where the tree is not in a git repository, or git is not here or cannot read it.
    static tl::expected<History, base::Error> clone(std::filesystem::path const& tree, base::Confinement confinement,
                                                    std::stop_token stop);

    // Where check_out() puts the tree of a commit.
    std::filesystem::path tree() const { return clone_ / below_; }

    // What somebody calls a commit: HEAD, HEAD~3, a branch, a tag, the beginning of an id.
    tl::expected<Commit, base::Error> commit(std::string const& revision) const;
    tl::expected<void, base::Error> check_out(Commit const& commit) const;

    // The commit's own line of first parents, from its parent back to the first of all.
    tl::expected<std::vector<std::string>, base::Error> ancestors(Commit const& commit) const;
    // Those that `bad` has and none of `good`, but for `bad` itself; first those that halve what is left best.
    tl::expected<std::vector<std::string>, base::Error> candidates(Commit const& bad,
                                                                   std::vector<Commit> const& good) const;
    // Whether one is an ancestor of the other, or the same.
    tl::expected<bool, base::Error> is_ancestor(Commit const& one, Commit const& other) const;

    // What a commit changed in the kernel's sources or, where it changed none, in the tree: a unified diff against its
    // first parent.
    tl::expected<std::string, base::Error> changes(Commit const& commit) const;
    // Whether commits before its first one have been left out of it (git clone --depth).
    tl::expected<bool, base::Error> is_shallow() const;
    // Files of the tree that differ from HEAD, as `git status --short` has them: not committed.
    tl::expected<std::string, base::Error> uncommitted() const;

  private:
    History(base::ScratchDirectory scratch, std::filesystem::path repository, std::filesystem::path below,
            base::Confinement confinement, std::stop_token stop);
    tl::expected<std::string, base::Error> git(std::filesystem::path const& where,
                                               std::vector<std::string> words) const;
    tl::expected<std::vector<std::string>, base::Error> revisions(std::vector<std::string> words) const;

    base::ScratchDirectory scratch_;
    std::filesystem::path repository_;  // the student's, only to be read
    std::filesystem::path below_;       // where the tree lies in it
    std::filesystem::path clone_;
    base::Confinement confinement_;
    std::stop_token stop_;
};

}  // namespace vmcheck::bisect
