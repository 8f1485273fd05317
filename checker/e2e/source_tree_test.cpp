// A student's tree is verified as it is: built by its own rules in a scratch copy, and never changed.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <filesystem>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class SourceTree : public testing::Test {
  protected:
    // A tree whose rule for the kernel is `recipe`.
    std::string tree_with(std::string const& recipe) const {
        fs::create_directories(scratch.path() / "tree" / "kernel");
        scratch.file("tree/Makefile", "kernel/kernel: kernel/main.c\n\t" + recipe + "\n");
        scratch.file("tree/kernel/main.c", "int main(void) { return 0; }\n");
        return (scratch.path() / "tree").string();
    }

    Scratch scratch;
};

TEST_F(SourceTree, IsBuiltInACopyAndLeftAsItWas) {
    std::string const tree = tree_with("cp " VMCHECK_KERNELS "/vintage-2024/kernel kernel/kernel && cp " VMCHECK_KERNELS
                                       "/vintage-2024/kernel.map kernel/kernel.map");
    Result const result = vmcheck({"verify", tree, "--runs", "50"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr(tree));
    EXPECT_FALSE(fs::exists(fs::path(tree) / "kernel" / "kernel"));
}

TEST_F(SourceTree, WithABuiltKernelIsNotBuiltAgain) {
    std::string const tree = tree_with("false");
    fs::copy_file(VMCHECK_KERNELS "/vintage-2024/kernel", fs::path(tree) / "kernel" / "kernel");
    fs::copy_file(VMCHECK_KERNELS "/vintage-2024/kernel.map", fs::path(tree) / "kernel" / "kernel.map");
    fs::last_write_time(fs::path(tree) / "kernel" / "kernel",
                        fs::file_time_type::clock::now() + std::chrono::seconds{5});
    EXPECT_EQ(vmcheck({"verify", tree, "--runs", "50"}, scratch.path()).exit_code, 0);
}

TEST_F(SourceTree, ThatDoesNotCompileShowsWhatTheCompilerSays) {
    std::string const tree = tree_with("riscv64-unknown-elf-gcc -c -o kernel/kernel kernel/main.c");
    scratch.file("tree/kernel/main.c", "int main(void) { return sorry; }\n");
    Result const result = vmcheck({"verify", tree}, scratch.path());
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_THAT(result.err, HasSubstr("does not build"));
    EXPECT_THAT(result.err, HasSubstr("'sorry' undeclared"));
}

TEST_F(SourceTree, IsNotFailedByWarningsThatOldTreesTurnIntoErrors) {
    std::string const tree = tree_with(
        "riscv64-unknown-elf-gcc -Wall -Werror -c -o main.o kernel/main.c && cp " VMCHECK_KERNELS
        "/vintage-2024/kernel kernel/kernel && cp " VMCHECK_KERNELS "/vintage-2024/kernel.map kernel/kernel.map");
    scratch.file("tree/kernel/main.c", "int main(void) { int unused; return 0; }\n");
    EXPECT_EQ(vmcheck({"verify", tree, "--runs", "50"}, scratch.path()).exit_code, 0);
}

}  // namespace
}  // namespace vmcheck::e2e
