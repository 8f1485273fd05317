#include "checker/bisect/history.h"

#include "impl/base/child.h"

#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace vmcheck::bisect {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kGitTime{60};
constexpr std::size_t kOutputMax = std::size_t{16} << 20;

// The directory that has the repository, from the tree upwards; empty where none has.
fs::path repository_of(fs::path const& tree) {
    std::error_code error;
    for (fs::path at = fs::canonical(tree, error); !error && !at.empty(); at = at.parent_path()) {
        if (fs::exists(at / ".git", error)) return at;
        if (at == at.parent_path()) break;
    }
    return {};
}

std::string first_line(std::string const& text) {
    return text.substr(0, text.find('\n'));
}

}  // namespace

std::string short_id(Commit const& commit) {
    constexpr std::size_t kLetters = 8;
    return commit.id.substr(0, kLetters);
}

History::History(base::ScratchDirectory scratch, fs::path repository, fs::path below, base::Confinement confinement,
                 std::stop_token stop)
    : scratch_(std::move(scratch)),
      repository_(std::move(repository)),
      below_(std::move(below)),
      clone_(scratch_.path() / "clone"),
      confinement_(confinement),
      stop_(std::move(stop)) {}

tl::expected<History, base::Error> History::clone(fs::path const& tree, base::Confinement confinement,
                                                  std::stop_token stop) {
    auto const failure = [&](std::string const& why, base::Error::Kind kind = base::Error::Kind::other) {
        return tl::make_unexpected(base::Error{base::sentence(tree.string(), why), kind});
    };
    std::error_code error;
    if (!fs::is_directory(tree, error)) return failure("is no directory.");
    if (!base::find_program("git")) return failure("git is not here: install it.", base::Error::Kind::machine);
    fs::path const repository = repository_of(tree);
    if (repository.empty()) return failure("is in no git repository, so it has no history to be searched.");
    fs::path const git = repository / ".git";
    if (confinement != base::Confinement::none && (fs::is_symlink(git, error) || !fs::is_directory(git, error) ||
                                                   fs::exists(git / "objects" / "info" / "alternates", error)))
        return failure(
            "a part of its repository lies elsewhere (a worktree, or git clone --shared): give the clone that has it, "
            "or --trust-trees.");
    auto scratch = base::ScratchDirectory::make("bisect");
    if (!scratch) return tl::unexpected(scratch.error());
    // It may belong to another user, as a student's does to staff: it is only read, and that in a sandbox.
    if (auto written = base::write_file(scratch->path() / "gitconfig", "[safe]\n\tdirectory = *\n"); !written)
        return tl::unexpected(written.error());
    History history(std::move(*scratch), repository, fs::relative(fs::canonical(tree, error), repository, error),
                    confinement, std::move(stop));
    auto const cloned = history.git(history.scratch_.path(), {"clone", "--quiet", "--no-hardlinks", "--no-checkout",
                                                              repository.string(), history.clone_.string()});
    if (!cloned) return tl::unexpected(cloned.error());
    // Not by the words of an error: a repository without a commit has no HEAD.
    if (!history.git(history.clone_, {"rev-parse", "--verify", "--quiet", "HEAD"}))
        return failure("its repository has no commit yet.");
    return history;
}

// What it prints on standard output. Fails with what it says on standard error.
tl::expected<std::string, base::Error> History::git(fs::path const& where, std::vector<std::string> words) const {
    fs::path const errors = scratch_.path() / "errors";
    char const* const path = std::getenv("PATH");
    base::Command command{
        .arguments = {"git", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"},
        .environment = {fmt::format("PATH={}", path == nullptr ? "/usr/bin:/bin" : path), "HOME=/",
                        "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0",
                        fmt::format("GIT_CONFIG_GLOBAL={}/gitconfig", scratch_.path().string()), "LC_ALL=C"},
        .environment_alone = true,  // GIT_DIR and the like are about somebody's work
        .directory = where,
        .errors = errors};
    command.arguments.insert(command.arguments.end(), words.begin(), words.end());
    if (confinement_ != base::Confinement::none)
        command =
            base::in_sandbox(std::move(command),
                             {.readable = {repository_}, .writable = {scratch_.path()}, .confinement = confinement_});
    auto const ran = base::run(command, {.time = kGitTime, .output_bytes = kOutputMax, .stop = stop_});
    if (!ran) return tl::unexpected(ran.error());
    using End = base::RunResult::End;
    if (ran->end == End::stopped) return tl::unexpected(base::Error{"interrupted.", base::Error::Kind::interrupted});
    if (ran->end == End::out_of_time)
        return tl::unexpected(
            base::Error{fmt::format("git {} did not end within {} seconds.", words.front(), kGitTime.count())});
    if (ran->end == End::exited && ran->exit_code == 0) return ran->output;
    std::string const said = base::read_file(errors).value_or(std::string());
    return tl::unexpected(base::Error{
        fmt::format("git {} failed: {}", words.front(), said.empty() ? "it said nothing" : first_line(said))});
}

tl::expected<Commit, base::Error> History::commit(std::string const& revision) const {
    // The clone knows other people's branches by their remote's name.
    for (std::string const& name : {revision, "origin/" + revision}) {
        auto const id = git(clone_, {"rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}"});
        if (!id && id.error().kind == base::Error::Kind::interrupted) return tl::unexpected(id.error());
        if (!id || id->starts_with('^')) continue;  // that is of commits left out
        auto const found = git(clone_, {"log", "-1", "--no-show-signature", "--date=short", "--format=%H%n%ad%n%an%n%s",
                                        first_line(*id), "--"});
        if (!found) return tl::unexpected(found.error());
        std::istringstream lines(*found);
        Commit commit;
        std::getline(lines, commit.id);
        std::getline(lines, commit.date);
        std::getline(lines, commit.author);
        std::getline(lines, commit.subject);
        return commit;
    }
    return tl::unexpected(base::Error{fmt::format("{}: is no commit of this repository.", revision)});
}

tl::expected<void, base::Error> History::check_out(Commit const& commit) const {
    auto const done = git(clone_, {"checkout", "--quiet", "--force", "--detach", commit.id});
    if (!done) return tl::unexpected(done.error());
    return {};
}

tl::expected<std::vector<std::string>, base::Error> History::revisions(std::vector<std::string> words) const {
    words.insert(words.begin(), "rev-list");
    auto const printed = git(clone_, std::move(words));
    if (!printed) return tl::unexpected(printed.error());
    std::vector<std::string> ids;
    std::istringstream lines(*printed);
    for (std::string line; std::getline(lines, line);) ids.push_back(line.substr(0, line.find(' ')));
    return ids;
}

tl::expected<std::vector<std::string>, base::Error> History::ancestors(Commit const& commit) const {
    return revisions({"--first-parent", "--skip=1", commit.id});
}

tl::expected<std::vector<std::string>, base::Error> History::candidates(Commit const& bad,
                                                                        std::vector<Commit> const& good) const {
    std::vector<std::string> words{"--bisect-all", bad.id};
    for (Commit const& each : good) words.push_back("^" + each.id);
    auto ids = revisions(std::move(words));
    if (ids) std::erase(*ids, bad.id);
    return ids;
}

tl::expected<bool, base::Error> History::is_ancestor(Commit const& one, Commit const& other) const {
    auto const missing = revisions({"--max-count=1", one.id, "^" + other.id});
    if (!missing) return tl::unexpected(missing.error());
    return missing->empty();
}

tl::expected<std::string, base::Error> History::changes(Commit const& commit) const {
    std::string const all = below_.string(), kernel = (below_ / "kernel").lexically_normal().string();
    for (std::string const& part : {kernel, all}) {
        auto diff = git(clone_, {"show", "--format=", "--no-color", "--no-ext-diff", "--no-textconv", "-m",
                                 "--first-parent", commit.id, "--", part});
        if (!diff || !diff->empty()) return diff;
    }
    return std::string();
}

tl::expected<bool, base::Error> History::is_shallow() const {
    return git(clone_, {"rev-parse", "--is-shallow-repository"}).map([](std::string const& said) {
        return first_line(said) == "true";
    });
}

tl::expected<std::string, base::Error> History::uncommitted() const {
    return git(repository_, {"status", "--short", "--untracked-files=no", "--", below_.string()});
}

}  // namespace vmcheck::bisect
