#include "checker/class/shard.h"

#include "checker/class/documents.h"
#include "checker/class/files_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::classes {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Every field of every row has something in it, and a name that is no UTF-8.
Class whole() {
    Class all{"class", {"--seed=7"}, {"late.zip"}, {}};
    for (char const* name : {"alice", "b\xffob", "carol", "dora"}) {
        TreeResult result{TreeVerdict::defects, true,  {},    "why", "cow fork", "2024 tree",
                          {"a -> b"},           {"c"}, {"d"}, 7,     70};
        result.found.push_back({"I3 fork", "defect", "isolation", "heading", name, true, "cause"});
        all.rows.push_back({name, std::string("class/") + name, result, {}});
    }
    return all;
}

PartAt part(unsigned number, unsigned of) {
    PartAt at{"out" + std::to_string(number), {{number, of}, "0.1.0 abc", std::chrono::seconds{300}, "out", whole()}};
    for (std::size_t i = 0; i < at.part.all.rows.size(); ++i)
        if (!at.part.shard.takes(i)) at.part.all.rows[i].result = {};
    return at;
}

std::string why_not(std::vector<PartAt> const& parts) {
    auto const all = merged(parts);
    return all ? "" : all.error().message;
}

TEST(PartOfAClass, ReadsBackAsItWasWritten) {
    PartAt const written = part(2, 3);
    auto const read = parse_part(print(written.part));
    ASSERT_TRUE(read);
    EXPECT_EQ(print(*read), print(written.part));
    auto cut = print(written.part);
    cut.pop_back();
    EXPECT_FALSE(parse_part(cut));
    EXPECT_FALSE(parse_part({}));
}

TEST(PartsOfAClass, AreTheWholeInAnyOrder) {
    for (std::vector<PartAt> const& parts : {std::vector{part(2, 2), part(1, 2)}, std::vector{part(1, 1)},
                                             std::vector{part(5, 5), part(1, 5), part(3, 5), part(2, 5), part(4, 5)}}) {
        std::vector<PartAt> read;
        read.reserve(parts.size());
        for (PartAt const& each : parts) read.push_back({each.directory, parse_part(print(each.part)).value()});
        auto const all = merged(read);
        ASSERT_TRUE(all) << all.error().message;
        EXPECT_EQ(json_document(*all), json_document(whole()));
        EXPECT_EQ(all->rows[1].name, "b\xffob");
        EXPECT_EQ(all->rows[1].result.message, "why");
    }
}

TEST(PartsOfAClass, ThatAreNotAllOrNotOfOneAreRefused) {
    EXPECT_EQ(why_not({part(1, 4), part(3, 4)}), "not all shards are there: missing is 2/4, 4/4.");
    EXPECT_EQ(why_not({part(1, 2), part(2, 2), part(1, 2)}), "out1: is shard 1/2, as out1 is.");
    EXPECT_THAT(why_not({part(1, 2), part(2, 3)}), AllOf(StartsWith("out2: "), HasSubstr("2/3"), HasSubstr("1/2")));
    PartAt other = part(2, 2);
    other.part.program = "0.2.0 def";
    EXPECT_THAT(why_not({part(1, 2), other}), AllOf(StartsWith("out2: "), HasSubstr("0.2.0 def")));
    other = part(2, 2);
    other.part.all.options = {"--seed=8"};
    EXPECT_THAT(why_not({part(1, 2), other}), AllOf(HasSubstr("--seed=8"), HasSubstr("--seed=7")));
    other = part(2, 2);
    other.part.limit /= 2;
    EXPECT_THAT(why_not({part(1, 2), other}), HasSubstr("150000 ms"));
    other = part(2, 2);
    other.part.all.rows.pop_back();
    EXPECT_THAT(why_not({part(1, 2), other}), HasSubstr("other trees"));
    other = part(2, 2);
    other.part.all.directory = "klasse";
    EXPECT_THAT(why_not({part(1, 2), other}), HasSubstr("klasse"));
}

TEST(CopiedResults, AreTheOnlyOnes) {
    testing::Directory files;
    files.file("from/report.json", "new");
    files.file("from/2-I6-exit.vmc", "new");
    files.file("from/log.txt",
               "report    out-2/alice/report.html --findings=out-2/alice, not out-2/alicent or an-out-2/alice\n");
    files.file("to/1-I3-fork.vmc", "old");
    files.file("to/report.json", "old");
    files.file("to/notes", "mine");
    ASSERT_TRUE(copy_results(files.path() / "from", "out-2/alice", files.path() / "to"));
    EXPECT_EQ(testing::contents_of(files.path() / "to/report.json"), "new");
    std::string const to = (files.path() / "to").string();
    EXPECT_EQ(testing::contents_of(files.path() / "to/log.txt"),
              "report    " + to + "/report.html --findings=" + to + ", not out-2/alicent or an-out-2/alice\n");
    EXPECT_TRUE(std::filesystem::exists(files.path() / "to/2-I6-exit.vmc"));
    EXPECT_FALSE(std::filesystem::exists(files.path() / "to/1-I3-fork.vmc"));
    EXPECT_TRUE(std::filesystem::exists(files.path() / "to/notes"));
    EXPECT_TRUE(copy_results(files.path() / "none", "", files.path() / "to"))
        << "a tree that could not be run has none";
}

}  // namespace
}  // namespace vmcheck::classes
