#include "checker/class/discover.h"

#include "checker/class/files_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::classes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = Member::Kind;

class Discover : public ::testing::Test {
  protected:
    tl::expected<Discovery, base::Error> found() const { return discover(class_.path(), class_.path() / "findings"); }
    // The members as "name kind path-in-class".
    std::vector<std::string> members() const {
        std::vector<std::string> all;
        auto const discovery = found();
        if (!discovery) return {discovery.error().message};
        for (Member const& member : discovery->members)
            all.push_back(member.name +
                          (member.kind == Kind::tree     ? " tree "
                           : member.kind == Kind::kernel ? " kernel "
                                                         : " - ") +
                          member.path.lexically_relative(class_.path()).string());
        return all;
    }
    testing::Directory class_;
};

TEST_F(Discover, FindsTreesAndKernelsHereAndOneLevelDeeperInOrderOfName) {
    class_.tree("zoe");
    class_.tree("bob/xv6-labs-2024");
    class_.kernel("carol/kernel.elf");
    class_.kernel("dora/kernel/kernel");
    class_.kernel("emil/build/my-kernel");
    EXPECT_THAT(members(),
                ElementsAre("bob tree bob/xv6-labs-2024", "carol kernel carol/kernel.elf",
                            "dora kernel dora/kernel/kernel", "emil kernel emil/build/my-kernel", "zoe tree zoe"));
}

TEST_F(Discover, SeveralTreesOfOneStudentAreSeveralMembers) {
    class_.tree("erin/lab1");
    class_.tree("erin/lab2");
    EXPECT_THAT(members(), ElementsAre("erin/lab1 tree erin/lab1", "erin/lab2 tree erin/lab2"));
}

TEST_F(Discover, ADirectoryWithNothingInItIsAMemberToo) {
    class_.tree("right");
    std::filesystem::create_directories(class_.path() / "empty");
    class_.file("essay/text.txt", "...");
    class_.kernel("object/vm.o", false);
    EXPECT_THAT(members(), ElementsAre("empty - empty", "essay - essay", "object - object", "right tree right"));
    EXPECT_EQ(found()->members[0].why_nothing, "the directory is empty");
    EXPECT_THAT(found()->members[1].why_nothing, HasSubstr("neither an xv6 tree"));
}

TEST_F(Discover, TwoKernelsOfWhichNoneIsCalledSoAreNotGuessedAt) {
    class_.tree("right");
    class_.kernel("two/old");
    class_.kernel("two/new");
    EXPECT_THAT(members(), ElementsAre("right tree right", "two - two"));
    class_.kernel("two/kernel");
    EXPECT_THAT(members(), ElementsAre("right tree right", "two kernel two/kernel"));
}

TEST_F(Discover, AMapThatShowsSomebodyElsesFileIsNotRead) {
    class_.kernel("alice/kernel.elf");
    class_.kernel("bob/kernel.elf");
    class_.file("bob/maps/mine", "vmcheck-map 1");
    std::filesystem::create_symlink("../bob/maps/mine", class_.path() / "alice/kernel.elf.map");
    std::filesystem::create_symlink("maps/mine", class_.path() / "bob/kernel.elf.map");
    EXPECT_THAT(members(), ElementsAre("alice - alice", "bob kernel bob/kernel.elf"));
    EXPECT_EQ(found()->members[0].why_nothing, "kernel.elf.map is a link that leads out of it");
}

TEST_F(Discover, SaysWhatItLeftOut) {
    class_.tree("right");
    class_.file("late.zip", "PK");
    class_.file("results/class.json", "{}");
    class_.file("findings/alice/report.json", "{}");
    class_.tree(".hidden");
    EXPECT_THAT(members(), ElementsAre("right tree right"));
    EXPECT_THAT(found()->left_out, ElementsAre("findings", "late.zip", "results"));
}

TEST_F(Discover, ADirectoryWithNothingToCheckIsAnErrorThatSaysWhatWouldBe) {
    class_.file("alice/notes.txt", "");
    ASSERT_FALSE(found());
    EXPECT_THAT(found().error().message, HasSubstr(class_.path().string()));
    EXPECT_THAT(found().error().message, HasSubstr("a Makefile beside kernel/"));
}

TEST_F(Discover, ADirectoryThatIsNotThereIsAnError) {
    EXPECT_FALSE(discover(class_.path() / "no", class_.path() / "findings"));
}

TEST_F(Discover, ResultsAreNeverWrittenIntoTheClassItselfOrIntoATree) {
    class_.tree("alice");
    class_.kernel("bob/kernel.elf");
    for (char const* results : {".", "alice", "alice/deep/er", "bob"}) {
        auto const refused = discover(class_.path(), class_.path() / results);
        ASSERT_FALSE(refused) << results;
        EXPECT_THAT(refused.error().message, HasSubstr("--findings"));
    }
    EXPECT_TRUE(discover(class_.path(), class_.path() / "alice2"));
}

TEST_F(Discover, ATreeIsNoClass) {
    EXPECT_FALSE(is_class(class_.tree("tree")));
    EXPECT_TRUE(is_class(class_.path()));
    EXPECT_FALSE(is_class(class_.path() / "tree" / "Makefile"));
}

}  // namespace
}  // namespace vmcheck::classes
