#include "checker/class/results.h"

#include "checker/class/files_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace vmcheck::classes
