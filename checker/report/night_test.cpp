#include "checker/report/night.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck::report {
namespace {

using State = Night::State;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Night night(std::string began, std::vector<Night::Finding> findings) {
    Night night{.began = std::move(began),
                .seconds = 600,
                .kernel = "a <kernel>",
                .profile = "cow fork",
                .kernel_commit = "0123456789abcdef",
                .vmcheck = "0.1.0",
                .machine = "toy",
                .seed = UINT64_MAX,
                .programs = 60'000,
                .steps = 2,
                .reached = 90,
                .lines = 100,
                .corpus = 19};
    night.findings = std::move(findings);
    return night;
}

TEST(Night, IsReadAsItIsWritten) {
    Night const written = night(
        "2026-11-26T21:04:03Z",
        {{"a-1", "it \"leaks\"\n", State::fresh}, {"b-2", "it dies", State::known}, {"c-3", "it did", State::gone}});
    std::string const line = print(written);
    EXPECT_EQ(line.find('\n'), line.size() - 1) << "a line";
    auto const read = parse_night(line);
    ASSERT_TRUE(read);
    EXPECT_EQ(print(*read), line);
    EXPECT_EQ(read->seed, UINT64_MAX);
    EXPECT_EQ(read->findings[2].state, State::gone);
    for (std::string_view torn : {"", "{}", "{\"vmcheck_night\":2}"}) EXPECT_FALSE(parse_night(torn));
    EXPECT_FALSE(parse_night(line.substr(0, line.size() / 2)));
}

TEST(NightPage, SaysWhatIsNewKnownAndGoneAndSinceWhen) {
    Night first = night("2026-11-24T01:00:00Z", {});
    Night second = night("2026-11-25T01:00:00Z", {{"a-1", "it leaks", State::fresh}, {"b-2", "it dies", State::fresh}});
    Night third = night("2026-11-26T01:00:00Z", {{"a-1", "it leaks", State::known}, {"b-2", "it dies", State::gone}});
    first.kernel_commit = "aaaaaaaaaaaaaaaa";
    third.kernel_commit = "cccccccccccccccc";
    third.reached = 95;
    std::string const page = night_page({first, second, third});
    EXPECT_THAT(page, AllOf(HasSubstr("<title>vmcheck: 0 new, 1 known, 1 gone</title>"),
                            HasSubstr("a &lt;kernel&gt; (cow fork)"), Not(HasSubstr("<kernel>")),
                            HasSubstr("<a href=\"found/a-1.vmc\">it leaks</a>"),
                            HasSubstr("2026-11-25 at 0123456789, not 2026-11-24 at aaaaaaaaaa</td><td "
                                      "data-head=\"last seen\">2026-11-26 at cccccccccc</td>"),
                            HasSubstr(">gone</td>"), HasSubstr("gone since\">2026-11-26 at cccccccccc</td>")));
    // From 90 % to 95 %: the least below, the most on top, of three nights in equal distances.
    EXPECT_THAT(page, HasSubstr("<path class=\"s0\" d=\"M48.0 108.0 L180.0 108.0 L312.0 12.0\"/>"));
    EXPECT_THAT(page, HasSubstr("data-head=\"a second\">100</td><td data-head=\"lines\">95 of 100</td>"));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    // 19 programs in each night: in the middle between 18 and 20.
    EXPECT_THAT(page,
                AllOf(HasSubstr("from 18 to 20 programs"), HasSubstr("d=\"M48.0 60.0 L180.0 60.0 L312.0 60.0\"")));
    EXPECT_THAT(night_page({first}), HasSubstr("findings that are not gone, from 0 to 1"));
}

TEST(NightPage, SaysWhatOfTheCorpusWasNotRun) {
    Night short_one = night("2026-11-24T01:00:00Z", {});
    EXPECT_THAT(night_page({short_one}), Not(HasSubstr("not run")));
    short_one.left_out = 7;
    auto const read = parse_night(print(short_one));
    ASSERT_TRUE(read);
    EXPECT_THAT(night_page({*read}), HasSubstr("data-head=\"corpus\">19, 7 not run</td>"));
}

TEST(NightPage, SaysWhichCommitItWasOrWhyNobodyKnows) {
    using Change = Night::Change;
    using Search = Change::Search;
    std::string const id(40, 'b');
    Night const first = night("2026-11-24T01:00:00Z", {});
    Night second =
        night("2026-11-25T01:00:00Z", {{"a-1", "it leaks", State::fresh, Change{Search::found, id, "lazy <sbrk>\n"}},
                                       {"b-2", "it dies", State::fresh, Change{Search::no_time}}});
    second.kernel_changed = true;
    Night third = night(
        "2026-11-26T01:00:00Z",
        {{"a-1", "it leaks", State::gone, Change{Search::one_of, id, "mend", 3}}, {"b-2", "it dies", State::known}});
    Night const fourth = night("2026-11-27T01:00:00Z", {{"a-1", "it leaks", State::gone}});
    for (Night* each : {&second, &third}) {
        auto const read = parse_night(print(*each));
        ASSERT_TRUE(read);
        EXPECT_EQ(print(*read), print(*each));
        *each = *read;
    }
    std::string const page = night_page({first, second, third, fourth});
    EXPECT_THAT(page,
                AllOf(HasSubstr("2026-11-25 at 0123456789, changed, not 2026-11-24 at 0123456789; new since commit "
                                "bbbbbbbbbb &quot;lazy &lt;sbrk&gt;"),
                      HasSubstr("; commit not found: no time was left"),
                      HasSubstr("gone since\">2026-11-26 at 0123456789; gone since one of 3 commits, of which "
                                "the newest is bbbbbbbbbb &quot;mend&quot;</td>")));
    // A ledger of before, and one of a vmcheck to come.
    std::string line = print(first);
    EXPECT_TRUE(parse_night(line.replace(line.find(",\"kernel_changed\":false"), 23, "")));
    line = print(second);
    auto const unknown = parse_night(line.replace(line.find("no time"), 7, "a guess"));
    ASSERT_TRUE(unknown);
    EXPECT_FALSE(unknown->findings[1].change);
}

TEST(NightPage, SaysWhatALaterNightFoundOutOfAnEarlierOne) {
    using Change = Night::Change;
    using Search = Change::Search;
    std::string const id(40, 'b');
    Change const no_time{Search::no_time}, found{Search::found, id, "lazy sbrk"};
    std::vector<Night> nights{night("2026-11-24T01:00:00Z", {}),
                              night("2026-11-25T01:00:00Z", {{"a-1", "it leaks", State::fresh, no_time}}),
                              night("2026-11-26T01:00:00Z", {{"a-1", "it leaks", State::known, found}})};
    EXPECT_THAT(night_page(nights),
                HasSubstr("first seen\">2026-11-25 at 0123456789, not 2026-11-24 at 0123456789; new "
                          "since commit bbbbbbbbbb"));
    nights.push_back(night("2026-11-27T01:00:00Z", {{"a-1", "it leaks", State::gone, no_time}}));
    nights.push_back(night("2026-11-28T01:00:00Z", {{"a-1", "it leaks", State::gone, found}}));
    nights.push_back(night("2026-11-29T01:00:00Z", {{"a-1", "it leaks", State::gone}}));
    EXPECT_THAT(night_page(nights), HasSubstr("gone since\">2026-11-27 at 0123456789; gone since commit bbbbbbbbbb"));
}

TEST(Night, EachEndOfASearchIsReadAsItWasWritten) {
    using Search = Night::Change::Search;
    std::set<std::string> words;
    for (int i = 0; i <= static_cast<int>(Search::no_tree); ++i) {
        auto const search = static_cast<Search>(i);
        auto const read = parse_night(print(night("", {{"a-1", "", State::fresh, Night::Change{search}}})));
        ASSERT_TRUE(read);
        EXPECT_EQ(read->findings[0].change->search, search);
        EXPECT_TRUE(words.insert(change_words(read->findings[0])).second) << i;
    }
}

TEST(Night, ShardsThatStandBesideOneAnotherAreOne) {
    auto const shard = [](unsigned number, std::string began, std::vector<Night::Finding> findings) {
        Night part = night(std::move(began), std::move(findings));
        part.shard = run::Shard{number, 3};
        part.programs = std::uint64_t{10} * number;
        part.reached = 90 + number;
        part.machine = "machine " + std::to_string(number % 2);
        auto const read = parse_night(print(part));
        EXPECT_TRUE(read && read->shard == part.shard);
        return part;
    };
    Night const before = night("2026-11-23T01:00:00Z", {});
    Night other = shard(1, "2026-11-24T01:00:30Z", {});
    other.kernel = "another";
    std::vector<Night> const all = together(
        {before, shard(2, "2026-11-24T01:00:00Z", {{"a-1", "it leaks", State::fresh}}), other,
         shard(1, "2026-11-24T01:01:00Z", {{"b-2", "it dies", State::gone}, {"a-1", "it leaks", State::known}}),
         shard(1, "2026-11-25T01:00:00Z", {}), shard(3, "2026-11-25T01:01:00Z", {{"b-2", "it dies", State::gone}})});
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(print(all[0]), print(before));
    EXPECT_EQ(all[1].programs, 30U);
    EXPECT_EQ(all[1].reached, 92U) << "at least";
    EXPECT_EQ(all[1].machine, "machine 0; machine 1");
    EXPECT_EQ(all[1].shards, 2U);
    ASSERT_EQ(all[1].findings.size(), 2U);
    EXPECT_EQ(all[1].findings[0].state, State::known) << "one of the ledgers knew it";
    EXPECT_EQ(all[1].findings[1].state, State::gone);
    EXPECT_EQ(all[2].kernel, "another");
    EXPECT_EQ(all[3].programs, 40U) << "the first shard once more: another night";
    EXPECT_THAT(night_page({shard(1, "2026-11-25T01:00:00Z", {}), shard(3, "2026-11-25T01:01:00Z", {})}),
                AllOf(HasSubstr("; 2 of 3 shards</td>"), HasSubstr("1 night since")));
    std::string line = print(shard(1, "2026-11-25T01:00:00Z", {}));
    EXPECT_FALSE(parse_night(line.replace(line.find("1/3"), 3, "4/3")));
}

TEST(NightPage, IsThereBeforeTheFirstNight) {
    EXPECT_THAT(night_page({}), HasSubstr("no night yet"));
    EXPECT_THAT(night_page({night("2026-11-24T01:00:00Z", {})}), HasSubstr("Nothing was found in any night"));
}

}  // namespace
}  // namespace vmcheck::report
