// On repositories made here, where a commit is bad if its file kernel/state says so.

#include "checker/bisect/bisect.h"

#include "impl/base/child.h"

#include <gtest/gtest.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

namespace vmcheck::bisect {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Bisect : public testing::Test {
  protected:
    void SetUp() override {
        if (!base::find_program("git")) GTEST_SKIP() << "SKIP: no git here";
        run("git init --quiet --initial-branch=main tree");
    }

    void run(std::string const& line) const {
        auto const ran = base::run(
            {.arguments = {"sh", "-c", line},
             .environment = {"GIT_AUTHOR_NAME=A Student", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=A Student",
                             "GIT_COMMITTER_EMAIL=a@b", "GIT_CONFIG_GLOBAL=/dev/null"},
             .directory = scratch.path()},
            {});
        ASSERT_TRUE(ran && ran->exit_code == 0) << line << ": " << ran->output;
    }
    // "good", "bad" or "broken" for each commit, in their order; its subject is its number.
    void commits(std::vector<std::string> const& states) {
        std::string line = "cd tree && mkdir -p kernel";
        for (std::string const& state : states) {
            std::string const number = std::to_string(++made);
            line +=
                fmt::format(" && echo {0} > kernel/state && echo {1} > notes && git add . && git commit --quiet -m {1}",
                            state, number);
        }
        run(line);
    }
    History history() const {
        auto cloned = History::clone(scratch.path() / "tree", base::Confinement::none, {});
        EXPECT_TRUE(cloned) << cloned.error().message;
        return std::move(*cloned);
    }
    // The subjects of what is found, and what kind of answer that is.
    std::pair<Answer::Kind, std::vector<std::string>> find(std::optional<std::string> const& good = {}) {
        History const from = history();
        auto const judge = [&](Commit const& commit) -> tl::expected<Judgement, base::Error> {
            EXPECT_TRUE(judged.insert(commit.id).second) << commit.subject << " is judged twice";
            std::string const state = base::read_file(from.tree() / "kernel/state").value();
            return Judgement{state == "good\n" ? Verdict::good : state == "bad\n" ? Verdict::bad : Verdict::unknown};
        };
        auto const answer = find_first_bad(from, from.commit("HEAD").value(),
                                           good ? std::optional(from.commit(*good).value()) : std::nullopt, judge,
                                           [](Commit const&, Judgement const&, std::size_t) {});
        std::vector<std::string> subjects;
        for (Commit const& each : answer.value().suspects) subjects.push_back(each.subject);
        return {answer->kind, subjects};
    }

    base::ScratchDirectory scratch = std::move(base::ScratchDirectory::make("test").value());
    int made = 0;
    std::set<std::string> judged;
};

using Kind = Answer::Kind;
using Found = std::pair<Answer::Kind, std::vector<std::string>>;

// By their numbers, and not by what is in them.
TEST_F(Bisect, NamesTheCommitForEveryPlaceThatItMayHave) {
    commits(std::vector<std::string>(10, "same"));
    History const from = history();
    Commit const newest = from.commit("HEAD").value(), oldest = from.commit("HEAD~9").value();
    for (int bad = 2; bad <= 10; ++bad)
        for (bool const named : {true, false}) {
            std::size_t asked = 0;
            auto const judge = [&](Commit const& commit) -> tl::expected<Judgement, base::Error> {
                ++asked;
                return Judgement{std::stoi(commit.subject) < bad ? Verdict::good : Verdict::bad};
            };
            auto const answer = find_first_bad(from, newest, named ? std::optional(oldest) : std::nullopt, judge,
                                               [](Commit const&, Judgement const&, std::size_t) {});
            EXPECT_EQ(answer.value().kind, Kind::first_bad);
            EXPECT_EQ(answer->suspects.front().subject, std::to_string(bad));
            EXPECT_LE(asked, named ? 4U : 7U);
        }
}

TEST_F(Bisect, PassesOverWhatCannotBeJudged) {
    commits({"good", "broken", "good", "broken", "bad", "broken", "bad"});
    EXPECT_EQ(find("HEAD~6"), (Found{Kind::one_of, {"5", "4"}}));
    judged.clear();
    commits({"broken", "bad"});
    EXPECT_EQ(find().first, Kind::one_of);
}

TEST_F(Bisect, SaysThatThereWasNeverAGoodOne) {
    commits({"bad", "bad", "bad", "bad"});
    EXPECT_EQ(find(), (Found{Kind::always, {"1"}}));
    judged.clear();
    run("cd tree && git checkout --quiet --orphan other");
    commits({"broken", "bad", "bad", "bad"});
    EXPECT_EQ(find().first, Kind::no_good_found);
}

TEST_F(Bisect, FollowsAMergeToTheSideThatBroughtIt) {
    commits({"good", "good"});
    run("cd tree && git checkout --quiet -b side");
    commits({"bad", "bad"});
    run("cd tree && git checkout --quiet main");
    run("cd tree && echo x > other && git add . && git commit --quiet -m apart");
    run("cd tree && git merge --quiet -m merge side");
    EXPECT_EQ(find(), (Found{Kind::first_bad, {"3"}}));
}

TEST_F(Bisect, ShowsWhatTheCommitChangedInTheKernel) {
    commits({"good", "bad"});
    History const from = history();
    std::string const diff = from.changes(from.commit("HEAD").value()).value();
    EXPECT_THAT(diff, HasSubstr("-good\n+bad\n"));
    EXPECT_THAT(diff, testing::Not(HasSubstr("notes")));
    EXPECT_EQ(from.uncommitted().value(), "");
    run("cd tree && echo good > kernel/state");
    EXPECT_THAT(from.uncommitted().value(), HasSubstr("kernel/state"));
}

TEST_F(Bisect, KnowsAHistoryThatWasCutShort) {
    commits({"good", "bad", "bad"});
    EXPECT_EQ(history().is_shallow(), false);
    run("mv tree whole && git clone --quiet --depth 2 \"file://$PWD/whole\" tree");
    EXPECT_EQ(history().is_shallow(), true);
    EXPECT_EQ(find(), (Found{Kind::always, {"2"}}));
}

TEST_F(Bisect, OnlyReadsTheTree) {
    commits({"good", "bad", "bad"});
    auto const listing =
        "cd tree && find . -type f -newer ../mark | grep -v '^./.git/index$' > ../changed; test ! -s ../changed";
    run("touch mark && sleep 0.02");
    find();
    run(listing);
}

TEST_F(Bisect, TellsWhatIsNoHistoryOrNoCommit) {
    commits({"good"});
    EXPECT_FALSE(history().commit("nobody"));
    for (char const* odd : {"--output=/tmp/x", "HEAD..HEAD", "^HEAD", "HEAD:kernel", "HEAD^{tree}", ""})
        EXPECT_FALSE(history().commit(odd)) << odd;
    fs::create_directories(scratch.path() / "bare");
    auto const none = History::clone(scratch.path() / "bare", base::Confinement::none, {});
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message, HasSubstr("in no git repository"));
    run("git init --quiet empty");
    auto const empty = History::clone(scratch.path() / "empty", base::Confinement::none, {});
    ASSERT_FALSE(empty);
    EXPECT_THAT(empty.error().message, HasSubstr("has no commit yet"));
    EXPECT_THAT(History::clone(scratch.path() / "nowhere", base::Confinement::none, {}).error().message,
                HasSubstr("is no directory"));
}

}  // namespace
}  // namespace vmcheck::bisect
