#include "checker/class/results.h"

#include "checker/class/files_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <chrono>
#include <optional>

namespace vmcheck::classes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Results : public ::testing::Test {
  protected:
    void SetUp() override {
        for (char const* name : {"report.html", "report.json", "stamp.json", "log.txt", "2-I6-exit.vmc", "1-I3-fork.c",
                                 "1-I3-fork.vmc", "notes.c", "-I3.c", "sub/1-I3-fork.vmc"})
            out_.file(std::string("bob/") + name, "x");
    }
    testing::Directory out_;
};

TEST_F(Results, AreShownWithThePageFirstAndTheLogLast) {
    EXPECT_THAT(
        files_for_people(out_.path() / "bob", "bob"),
        ElementsAre("bob/report.html", "bob/1-I3-fork.c", "bob/1-I3-fork.vmc", "bob/2-I6-exit.vmc", "bob/log.txt"));
    EXPECT_THAT(files_for_people(out_.path() / "no", "no"), IsEmpty());
}

TEST_F(Results, OfAnEarlierRunAreTakenAwayAndNothingElse) {
    clear_results(out_.path() / "bob");
    std::vector<std::string> left;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(out_.path() / "bob"))
        left.push_back(entry.path().lexically_relative(out_.path() / "bob").string());
    EXPECT_THAT(left, ::testing::UnorderedElementsAre("notes.c", "-I3.c", "sub", "sub/1-I3-fork.vmc"));
}

// ---- the stamp

using namespace std::chrono_literals;

Stamp sample_stamp() {
    return {"0.1.0 abc", {"--seed=7", "--runs=50"}, "00ff", 300s, {1, 0, Cut::no}};
}

TEST(DirectoryName, IsNoFileOfTheSummaryAndNoOtherTrees) {
    EXPECT_EQ(directory_name("alice"), "alice");
    EXPECT_EQ(directory_name("alice_"), "alice_");
    EXPECT_EQ(directory_name("class.csv"), "class.csv_");
    EXPECT_EQ(directory_name("class.csv_"), "class.csv__");
    EXPECT_EQ(directory_name("shard.cbor"), "shard.cbor_");
    EXPECT_EQ(directory_name("class.csv/one"), "class.csv_/one") << "where there are several they lie a level deeper";
    EXPECT_EQ(directory_name("alice/class.csv"), "alice/class.csv");
}

TEST(Stamp, ReadsBackAsItWasWritten) {
    for (Cut cut : {Cut::no, Cut::time_limit})
        for (std::optional<int> code : {std::optional<int>{5}, std::optional<int>{}}) {
            Stamp stamp = sample_stamp();
            stamp.ending = {code, code ? 0 : 9, cut};
            auto const read = parse_stamp(print(stamp));
            ASSERT_TRUE(read);
            EXPECT_EQ(read->program, stamp.program);
            EXPECT_EQ(read->options, stamp.options);
            EXPECT_EQ(read->inputs, stamp.inputs);
            EXPECT_EQ(read->limit, stamp.limit);
            EXPECT_EQ(read->ending.exit_code, stamp.ending.exit_code);
            EXPECT_EQ(read->ending.signal, stamp.ending.signal);
            EXPECT_EQ(read->ending.cut, stamp.ending.cut);
        }
}

TEST(Stamp, AnythingElseIsNone) {
    std::string const whole = print(sample_stamp());
    for (std::string const& text : {std::string(), std::string("[]"), std::string("{\"stamp\": 2}"),
                                    whole.substr(0, whole.size() / 2), std::string("\xff\xfe")})
        EXPECT_FALSE(parse_stamp(text)) << text;
}

TEST(Stamp, AnswersOnlyForTheSameProgramOptionsAndInputs) {
    EXPECT_TRUE(answers(sample_stamp(), sample_stamp()));
    for (auto change : {+[](Stamp& stamp) { stamp.program += "1"; }, +[](Stamp& stamp) { stamp.options.pop_back(); },
                        +[](Stamp& stamp) { stamp.inputs = "00fe"; }}) {
        Stamp wanted = sample_stamp();
        change(wanted);
        EXPECT_FALSE(answers(sample_stamp(), wanted));
    }
}

TEST(Stamp, ATreeThatWasCutShortIsGoneOnWithOnlyWhenItGetsMoreTime) {
    Stamp longer = sample_stamp();
    longer.limit = 600s;
    EXPECT_TRUE(answers(sample_stamp(), longer)) << "what ended by itself would end in the same way";
    Stamp cut = sample_stamp();
    cut.ending.cut = Cut::time_limit;
    EXPECT_FALSE(answers(cut, longer));
    EXPECT_TRUE(answers(cut, sample_stamp()));
}

}  // namespace
}  // namespace vmcheck::classes
