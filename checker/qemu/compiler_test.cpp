#include "checker/qemu/compiler.h"

#include "checker/qemu/guest_files.h"
#include "checker/qemu/tools.h"
#include "impl/image/disk_image.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <algorithm>

namespace vmcheck::qemu {
namespace {

using testing::HasSubstr;

class Compiler : public testing::Test {
  protected:
    void SetUp() override {
        auto opened = Workshop::open(VMCHECK_RISCV_GCC);
        ASSERT_TRUE(opened) << opened.error().message;
        workshop.emplace(std::move(*opened));
    }
    std::optional<Workshop> workshop;
};

TEST_F(Compiler, MakesAProgramThatExecCanLoad) {
    auto const program = workshop->compile(
        "#include \"kernel/types.h\"\n#include \"user/user.h\"\nint main(void) { printf(\"%d\\n\", getpid()); }\n", {});
    ASSERT_TRUE(program) << program.error().message;
    EXPECT_EQ(std::string(reinterpret_cast<char const*>(program->data()) + 1, 3), "ELF");
}

TEST_F(Compiler, SaysWhatDoesNotCompile) {
    auto const program = workshop->compile("int main(void) { return sorry; }\n", {});
    ASSERT_FALSE(program);
    EXPECT_THAT(program.error().message, HasSubstr("it does not compile: error: 'sorry' undeclared"));
    auto const unlinked = workshop->compile("void nothing(void); int main(void) { nothing(); }\n", {});
    ASSERT_FALSE(unlinked);
    EXPECT_THAT(unlinked.error().message, HasSubstr("it does not compile"));
}

TEST_F(Compiler, TheFirstProcessFitsKernelsWithFewDirectBlocks) {
    for (std::string_view name : {"init.c", "echo.c"}) {
        auto const files = guest_files();
        auto const file =
            std::find_if(files.begin(), files.end(), [&](GuestFile const& each) { return each.path == name; });
        ASSERT_NE(file, files.end());
        auto const program = workshop->compile(file->text, {});
        ASSERT_TRUE(program) << program.error().message;
        EXPECT_LE(program->size(), image::kPortableFileBytesMax) << name;
    }
}

TEST_F(Compiler, LeavesNothingBehind) {
    auto const directory = workshop->directory();
    EXPECT_TRUE(std::filesystem::exists(directory / "library.c"));
    workshop.reset();
    EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST(Tools, AreFoundInPathOrNamed) {
    char const* const path = std::getenv("PATH");
    std::string const before = path == nullptr ? "" : path;
    ASSERT_EQ(::setenv("PATH", "/nowhere", 1), 0);
    EXPECT_THAT(find_tools().error().message, HasSubstr("there is no qemu-system-riscv64"));
    EXPECT_THAT(find_compiler().error().message, HasSubstr("gcc-riscv64-unknown-elf"));
    ASSERT_EQ(::setenv("PATH", before.c_str(), 1), 0);
    EXPECT_TRUE(find_tools());
}

}  // namespace
}  // namespace vmcheck::qemu
