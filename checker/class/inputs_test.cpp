#include "checker/class/inputs.h"

#include "checker/class/files_testing.h"
#include "checker/class/results.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <chrono>
#include <filesystem>

namespace vmcheck::classes {
namespace {

namespace fs = std::filesystem;

class Inputs : public ::testing::Test {
  protected:
    void SetUp() override { class_.tree("tree"); }
    std::string digest() const { return digest_of({"tree", class_.path() / "tree", Member::Kind::tree}, {}); }
    testing::Directory class_;
};

TEST_F(Inputs, AreTheSameForTheSameTreeWhereverItLies) {
    class_.tree("copy");
    EXPECT_EQ(digest(), digest_of({"x", class_.path() / "copy", Member::Kind::tree}, {}));
    EXPECT_EQ(digest().size(), 32U);
}

TEST_F(Inputs, ChangeWithContentsNamesAndLinks) {
    std::string const before = digest();
    class_.file("tree/kernel/main.c", "int main(void) { return 1; }\n");
    std::string const edited = digest();
    EXPECT_NE(edited, before);
    class_.file("tree/kernel/more.h", "");
    std::string const added = digest();
    EXPECT_NE(added, edited);
    fs::rename(class_.path() / "tree/kernel/more.h", class_.path() / "tree/kernel/less.h");
    std::string const renamed = digest();
    EXPECT_NE(renamed, added);
    fs::create_symlink("main.c", class_.path() / "tree/kernel/link.c");
    EXPECT_NE(digest(), renamed);
}

TEST_F(Inputs, AreNotChangedByWhatABuildDoesNotRead) {
    std::string const before = digest();
    class_.file("tree/kernel/main.o", "object");
    class_.file("tree/kernel/main.d", "rules");
    class_.file("tree/.git/HEAD", "ref");
    EXPECT_EQ(digest(), before);
}

// The kernel is used as it is where it is younger than its sources, else it is built.
TEST_F(Inputs, TellAKernelThatIsUsedFromOneThatIsBuilt) {
    fs::path const kernel = class_.kernel("tree/kernel/kernel");
    auto const now = fs::file_time_type::clock::now();
    fs::last_write_time(kernel, now + std::chrono::hours{1});
    std::string const used = digest();
    fs::last_write_time(kernel, now - std::chrono::hours{1});
    EXPECT_NE(digest(), used);
}

TEST_F(Inputs, OfAnImageAreItAndItsMap) {
    Member const member{"k", class_.kernel("k/kernel"), Member::Kind::kernel};
    std::string const before = digest_of(member, {});
    class_.file("k/kernel.map", "vmcheck-map 1\n");
    std::string const mapped = digest_of(member, {});
    EXPECT_NE(mapped, before);
    EXPECT_NE(digest_of(member, {class_.file("other.map", "x")}), mapped);
}

TEST_F(Inputs, AreNotWaitedForAndNotReadForEver) {
    Member const member{"k", class_.kernel("k/kernel.elf"), Member::Kind::kernel};
    ASSERT_EQ(::mkfifo((class_.path() / "k/kernel.elf.map").c_str(), 0600), 0);
    std::string const before = digest_of(member, {});
    fs::resize_file(member.path, std::uintmax_t{8} << 40);
    EXPECT_NE(digest_of(member, {}), before) << "eight terabytes, none of which is there";
}

TEST_F(Inputs, OfATreeThatHasTooManyAreNoOthers) {
    fs::path const some = class_.path() / "tree" / "some";
    fs::create_directories(some);
    for (int i = 0; i <= 20'000; ++i) fs::create_symlink("nowhere", some / std::to_string(i));
    EXPECT_EQ(digest(), "");
    Stamp const stamp{"program", {}, "", {}, {}};
    EXPECT_FALSE(answers(stamp, stamp)) << "it is checked again";
}

}  // namespace
}  // namespace vmcheck::classes
