// A kernel without a single symbol is still checked from outside: what its programs see, and what its page tables say.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <cstdlib>

namespace vmcheck::e2e {
namespace {

using testing::HasSubstr;

class StrippedKernel : public testing::Test {
  protected:
    // A copy of one of our kernels, alone in a directory: no symbols, no debug information, no map file.
    std::string stripped(std::string const& name) const {
        std::string copy = (scratch.path() / "kernel").string();
        std::string const command = RISCV_STRIP " -o " + copy + " " VMCHECK_KERNELS "/" + name + "/kernel";
        EXPECT_EQ(shell(command).exit_code, 0) << command;
        return copy;
    }
    Scratch scratch;
};

struct Counting {
    char const* vintage;
    char const* counts;
};
void PrintTo(Counting const& counting, std::ostream* out) {
    *out << counting.vintage;
}
class StrippedVintage : public StrippedKernel, public testing::WithParamInterface<Counting> {};

TEST_P(StrippedVintage, PassesAndSaysWhatWasNotChecked) {
    Result const result =
        vmcheck({"verify", "--kernel", stripped(GetParam().vintage), "--runs", "200"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("I5 and I6 are not checked"));
    EXPECT_THAT(result.out, HasSubstr(GetParam().counts));
}

// The oldest needs the disk's legacy registers, which only its panic tells. Counts need no name.
INSTANTIATE_TEST_SUITE_P(Every, StrippedVintage,
                         testing::Values(Counting{"vintage-2020", "recognised by its use"},
                                         Counting{"vintage-2022", "fork copies: nothing is counted"},
                                         Counting{"vintage-2025", "recognised by its use"}),
                         [](auto const& parameter) { return std::string(parameter.param.vintage).substr(8); });

TEST_F(StrippedKernel, HasItsFunctionsCountedWhereItHasSymbols) {
    std::string const kernel = VMCHECK_KERNELS "/vintage-2024/kernel", copy = (scratch.path() / "kernel").string();
    EXPECT_EQ(shell(RISCV_STRIP " -g -o " + copy + " " + kernel).exit_code, 0);
    Result const result = vmcheck(
        {"verify", "--kernel", copy, "--map", kernel + ".map", "--runs", "1", "--coverage", "c.info"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("functions (no debug information) of "));
    EXPECT_THAT(result.out, HasSubstr("kernel::fork_process"));
    std::string const traced = read(scratch.path() / "c.info");
    EXPECT_THAT(traced, HasSubstr("SF:" + copy + "\nFN:1,"));
    EXPECT_THAT(traced, HasSubstr("\nFNDA:1,kernel::fork_process\n"));
}

TEST_F(StrippedKernel, WithADefectThatProgramsCanSeeIsFound) {
    Result const result =
        vmcheck({"verify", "--kernel", stripped("mutants/16-parent-keeps-w"), "--runs", "200"}, scratch.path());
    EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("I3 isolation"));
}

TEST_F(StrippedKernel, ThatPanicsIsReportedWithTheMessage) {
    Result const result = vmcheck(
        {"verify", "--kernel", stripped("mutants/08-unmap-panics-at-missing-table"), "--runs", "2000"}, scratch.path());
    EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("panic: "));
}

// Without a process table an end and a long system call look alike from outside, while another process runs.
TEST_F(StrippedKernel, InAStepThatIsInterruptedOftenHasNotEndedItsProcess) {
    scratch.file("a.vmc", "vmcheck 1\nprofile cow\np0 fork p1\np0 sbrk +500p\np0 fork p2\n");
    Result const result = vmcheck({"replay", "--kernel", stripped("variants/slow-fork"), "a.vmc"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

}  // namespace
}  // namespace vmcheck::e2e
