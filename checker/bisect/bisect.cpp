#include "checker/bisect/bisect.h"

#include <algorithm>
#include <set>
#include <utility>

namespace vmcheck::bisect {

namespace {

class Search {
  public:
    Search(History const& history, Commit bad, Judge const& judge, OnJudged const& on_judged)
        : history_(history), bad_(std::move(bad)), judge_(judge), on_judged_(on_judged) {}

    // Goes back from the bad one until one is good, or no more are left.
    tl::expected<std::optional<Answer>, base::Error> look_for_good() {
        auto const line = history_.ancestors(bad_);
        if (!line) return tl::unexpected(line.error());
        if (line->empty()) return Answer{Answer::Kind::always, {bad_}};
        std::size_t const last = line->size() - 1;
        std::size_t stride = 1;
        for (std::size_t at = 0;; stride *= 2) {
            auto const judged = judge((*line)[at], line->size() - at);
            if (!judged) return tl::unexpected(judged.error());
            if (*judged == Verdict::good) return std::optional<Answer>();
            if (at == last)
                return Answer{*judged == Verdict::bad ? Answer::Kind::always : Answer::Kind::no_good_found, {bad_}};
            at = std::min(last, at + stride);
        }
    }

    void add_good(Commit commit) { good_.push_back(std::move(commit)); }

    tl::expected<Answer, base::Error> narrow_down() {
        for (;;) {
            auto left = history_.candidates(bad_, good_);
            if (!left) return tl::unexpected(left.error());
            if (left->empty()) return Answer{Answer::Kind::first_bad, {bad_}};
            auto const next = std::find_if(left->begin(), left->end(),
                                           [&](std::string const& each) { return !unknown_.contains(each); });
            if (next == left->end()) return one_of(*left);
            auto const judged = judge(*next, left->size() + 1);
            if (!judged) return tl::unexpected(judged.error());
        }
    }

  private:
    tl::expected<Verdict, base::Error> judge(std::string const& id, std::size_t left) {
        auto const commit = history_.commit(id);
        if (!commit) return tl::unexpected(commit.error());
        if (auto done = history_.check_out(*commit); !done) return tl::unexpected(done.error());
        auto const judgement = judge_(*commit);
        if (!judgement) return tl::unexpected(judgement.error());
        on_judged_(*commit, *judgement, left);
        if (judgement->verdict == Verdict::bad) bad_ = *commit;
        if (judgement->verdict == Verdict::good) good_.push_back(*commit);
        if (judgement->verdict == Verdict::unknown) unknown_.insert(id);
        return judgement->verdict;
    }

    tl::expected<Answer, base::Error> one_of(std::vector<std::string> const& left) const {
        Answer answer{Answer::Kind::one_of, {bad_}};
        for (std::string const& id : left) {
            auto commit = history_.commit(id);
            if (!commit) return tl::unexpected(commit.error());
            answer.suspects.push_back(std::move(*commit));
        }
        return answer;
    }

    History const& history_;
    Commit bad_;
    std::vector<Commit> good_{};
    std::set<std::string> unknown_{};
    Judge const& judge_;
    OnJudged const& on_judged_;
};

}  // namespace

tl::expected<Answer, base::Error> find_first_bad(History const& history, Commit bad, std::optional<Commit> good,
                                                 Judge const& judge, OnJudged const& on_judged) {
    Search search(history, std::move(bad), judge, on_judged);
    if (good) {
        search.add_good(std::move(*good));
        return search.narrow_down();
    }
    auto nothing_good = search.look_for_good();
    if (!nothing_good) return tl::unexpected(nothing_good.error());
    if (*nothing_good) return std::move(**nothing_good);
    return search.narrow_down();
}

}  // namespace vmcheck::bisect
