#include "checker/cli/tree_history.h"

#include "checker/bisect/bisect.h"
#include "checker/cli/kernel_choice.h"
#include "impl/base/files.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;
using bisect::Commit;
using bisect::Judgement;
using bisect::Verdict;
using report::Night;
using Search = Night::Change::Search;
using std::chrono::milliseconds;

std::string first_line(fs::path const& file) {
    std::string const text = base::read_file(file).value_or(std::string());
    return text.substr(0, text.find('\n'));
}

// Of a stranger's tree, whose files may name any other for the place of one.
std::string if_commit(std::string const& id) {
    bool const is_one =
        (id.size() == 40 || id.size() == 64) && id.find_first_not_of("0123456789abcdef") == std::string::npos;
    return is_one ? id : std::string{};
}

milliseconds time_for_searches(Options const& options) {
    if (!options.time) return std::chrono::minutes{10};
    return std::max<milliseconds>(std::chrono::minutes{1}, *options.time / 10);
}

// What is looked for is the first commit that does not fail.
Judgement inverted(Judgement judgement) {
    if (judgement.verdict == Verdict::unknown) return judgement;
    judgement.verdict = judgement.verdict == Verdict::good ? Verdict::bad : Verdict::good;
    return judgement;
}

Search why_not(base::Error const& error) {
    using Kind = base::Error::Kind;
    return error.kind == Kind::interrupted ? Search::no_time
           : error.kind == Kind::machine   ? Search::not_judged
                                           : Search::no_history;
}

// Of a commit that is checked out, where the failure that is looked for may not be known yet.
tl::expected<Verdict, Search> first_judged(CommitJudge& judge, Commit const& commit,
                                           std::optional<run::Signature> const& failure) {
    if (failure) {
        judge.look_for(*failure);
        auto const judged = judge(commit);
        if (!judged) return tl::unexpected(why_not(judged.error()));
        return judged->verdict;
    }
    auto const fails = judge.learn(commit);
    if (!fails)
        return tl::unexpected(fails.error().cause == Stop::Cause::interrupted ? Search::no_time : Search::not_judged);
    return *fails ? Verdict::bad : Verdict::good;
}

}  // namespace

std::string commit_of(fs::path const& path) {
    std::error_code error;
    fs::path git;
    for (fs::path at = fs::weakly_canonical(path, error); !at.empty() && at != at.parent_path(); at = at.parent_path())
        if (fs::exists(at / ".git", error)) {
            git = at / ".git";
            break;
        }
    if (git.empty()) return {};
    constexpr std::string_view kElsewhere = "gitdir: ", kReference = "ref: ";
    if (std::string const line = first_line(git); line.starts_with(kElsewhere))
        git = git.parent_path() / line.substr(kElsewhere.size());
    std::string head = first_line(git / "HEAD");
    if (!head.starts_with(kReference)) return if_commit(head);
    std::string const name = head.substr(kReference.size());
    fs::path const common = git / first_line(git / "commondir");
    if (std::string id = first_line(common / name); !id.empty()) return if_commit(id);
    std::string const packed = base::read_file(common / "packed-refs").value_or(std::string());
    std::size_t const at = packed.find(' ' + name + '\n');
    std::size_t const begin = at == std::string::npos ? at : packed.rfind('\n', at) + 1;
    return at == std::string::npos ? "" : if_commit(packed.substr(begin, at - begin));
}

TreeHistory::TreeHistory(Options const& options, std::string commit)
    : options_(options),
      limit_(std::make_unique<base::TimeLimit>(options.stop, options.last_call)),
      commit_(std::move(commit)) {
    options_.stop = options_.kernel.stop = limit_->token();
    options_.last_call = limit_->last_call();
}

TreeHistory TreeHistory::read(Options const& options) {
    auto const& kernel = options.kernel.kernel;
    TreeHistory history(options, kernel ? commit_of(*kernel) : std::string());
    if (history.commit_.empty() || !is_source_tree(*kernel)) return history;
    history.history_ = bisect::History::clone(*kernel, confinement_of(options.kernel), options.stop);
    if (!history.history_) return history;
    auto const changed = history.history_->uncommitted();
    history.is_changed_ = changed && !changed->empty();
    return history;
}

Night::Change TreeHistory::search(Question const& asked) {
    if (!is_source_tree(*options_.kernel.kernel)) return {Search::no_tree};
    if (!history_) return {Search::no_history};
    if (!std::exchange(has_begun_, true)) limit_->begin(time_for_searches(options_));
    auto const now = history_->commit(asked.after.kernel_commit), old = history_->commit(asked.before.kernel_commit);
    for (auto const* each : {&now, &old})
        if (!*each) return {each->error().kind == base::Error::Kind::interrupted ? Search::no_time : Search::not_there};
    auto const is_ancestor = history_->is_ancestor(*old, *now);
    if (!is_ancestor) return {why_not(is_ancestor.error())};
    return *is_ancestor ? search_between(*old, *now, asked) : Night::Change{why_not_an_ancestor()};
}

// A clone that was cut short does not know what lies between two commits.
Search TreeHistory::why_not_an_ancestor() const {
    auto const is_shallow = history_->is_shallow();
    if (!is_shallow) return why_not(is_shallow.error());
    return *is_shallow ? Search::not_there : Search::not_an_ancestor;
}

Night::Change TreeHistory::search_between(Commit const& old, Commit const& now, Question const& asked) {
    bool const is_gone = asked.is_gone;
    CommitJudge judge(options_, *history_, kernels_, asked.program);
    Commit const& failing = is_gone ? old : now;
    if (auto done = history_->check_out(failing); !done) return {why_not(done.error())};
    auto const fails = first_judged(judge, failing, asked.failure);
    if (!fails) return {fails.error()};
    if (*fails == Verdict::unknown) return {Search::not_judged};
    bool const failing_changed = (is_gone ? asked.before : asked.after).kernel_changed;
    if (*fails == Verdict::good) return {failing_changed ? Search::uncommitted : Search::not_repeated};

    Commit const& passing = is_gone ? now : old;
    if (auto done = history_->check_out(passing); !done) return {why_not(done.error())};
    auto const passes = judge(passing);
    if (!passes) return {why_not(passes.error())};
    if (passes->verdict == Verdict::unknown) return {Search::not_judged};
    bool const passing_changed = (is_gone ? asked.after : asked.before).kernel_changed;
    if (passes->verdict == Verdict::bad) {
        if (is_gone) return {passing_changed ? Search::uncommitted : Search::not_repeated};
        return {passing_changed ? Search::earlier_changed : Search::earlier};
    }
    if (old.id == now.id) return {Search::not_repeated};  // it fails there once, and passes once

    auto const ask = [&](Commit const& commit) -> tl::expected<Judgement, base::Error> {
        auto judged = judge(commit);
        return judged && is_gone ? inverted(std::move(*judged)) : std::move(judged);
    };
    auto const answer =
        bisect::find_first_bad(*history_, now, old, ask, [](Commit const&, Judgement const&, std::size_t) {});
    if (!answer) return {why_not(answer.error())};
    Commit const& newest = answer->suspects.front();
    bool const is_sure = answer->kind == bisect::Answer::Kind::first_bad;
    return {is_sure ? Search::found : Search::one_of, newest.id, newest.subject, answer->suspects.size()};
}

}  // namespace vmcheck::cli
