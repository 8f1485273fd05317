// What a user sees who gives vmcheck something that it cannot use: one paragraph, and the documented exit code.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

namespace vmcheck::e2e {
namespace {

using testing::HasSubstr;

class BadInput : public testing::Test {
  protected:
    Result run(std::vector<std::string> const& arguments) const { return vmcheck(arguments, scratch.path()); }
    // One paragraph on standard error, from vmcheck.
    static void expect_paragraph(Result const& result) {
        EXPECT_THAT(result.err, testing::StartsWith("vmcheck: "));
        EXPECT_THAT(result.err, testing::Not(HasSubstr("\n\n")));
        EXPECT_EQ(result.err.back(), '\n');
    }
    static std::string built_in() { return VMCHECK_KERNELS "/cow-lazy/kernel"; }

    Scratch scratch;
};

TEST_F(BadInput, AKernelThatDoesNotExistIsAUsageError) {
    Result const result = run({"verify", "--kernel", "no/such/kernel"});
    EXPECT_EQ(result.exit_code, 2);
    expect_paragraph(result);
}

TEST_F(BadInput, ANameWithBracketsIsAName) {
    for (std::string const directory : {"[a,b]", "[a]"}) {
        scratch.file(directory + "/one.vmc", "vmcheck 1\nprofile cow lazy\np0 fork p1\n");
        Result const shown = run({"show", directory});
        EXPECT_EQ(shown.exit_code, 0) << shown.err;
        EXPECT_THAT(shown.out, HasSubstr(directory + "/one.vmc"));
        Result const refused = run({"merge", directory, "--out=" + directory + "x"});
        EXPECT_EQ(refused.exit_code, 2);
        EXPECT_THAT(refused.err, HasSubstr("vmcheck: " + directory + ": holds no results"));
    }
    // Each may be given several times, so this is the same.
    Result const merged = run({"verify", "--from-shard=[a,b]"});
    EXPECT_THAT(merged.err, HasSubstr("vmcheck: [a,b]: holds no results"));
}

TEST_F(BadInput, ATextFileIsNoKernel) {
    Result const result = run({"verify", "--kernel", scratch.file("kernel", "int main() { return 0; }\n")});
    EXPECT_EQ(result.exit_code, 4);
    expect_paragraph(result);
    EXPECT_THAT(result.err, HasSubstr("ELF"));
}

TEST_F(BadInput, ATruncatedKernelIsSaidToBeCutShort) {
    std::string const whole = read(built_in());
    ASSERT_GT(whole.size(), 5000U);
    Result const result = run({"verify", "--kernel", scratch.file("kernel", whole.substr(0, 5000))});
    EXPECT_EQ(result.exit_code, 4);
    expect_paragraph(result);
    EXPECT_THAT(result.err, HasSubstr("cut short"));
}

TEST_F(BadInput, AProgramForTheHostIsNoRiscvKernel) {
    Result const result = run({"verify", "--kernel", VMCHECK_BINARY});
    EXPECT_EQ(result.exit_code, 4);
    expect_paragraph(result);
    EXPECT_THAT(result.err, HasSubstr("RISC-V"));
}

TEST_F(BadInput, AKernelThatLoopsBeforeUserModeEndsWithAReason) {
    Result const result = run({"verify", "--kernel", VMCHECK_BAD_KERNELS "/loop.elf"});
    EXPECT_EQ(result.exit_code, 4);
    expect_paragraph(result);
    EXPECT_THAT(result.err, HasSubstr("did not reach user mode"));
}

TEST_F(BadInput, AKernelThatWritesWhereThereIsNoMemoryIsToldSo) {
    Result const result = run({"verify", "--kernel", VMCHECK_BAD_KERNELS "/wild.elf"});
    EXPECT_EQ(result.exit_code, 4);
    expect_paragraph(result);
    EXPECT_THAT(result.err, HasSubstr("0x40000000"));
}

// Tried with either kind of disk, it panics of itself twice: what it says of the disk that it does not want is no news.
TEST_F(BadInput, AKernelForALegacyDiskIsToldWhatItDiedOfWhereItCameFurther) {
    Result const result = run({"verify", "--kernel", VMCHECK_BAD_KERNELS "/late.elf"});
    EXPECT_EQ(result.exit_code, 4);
    expect_paragraph(result);
    EXPECT_THAT(result.err, HasSubstr("it panicked: kvmmap of the trampoline"));
    EXPECT_THAT(result.err, testing::Not(HasSubstr("virtio")));
}

TEST_F(BadInput, AnUnreadableProgramFileIsAUsageError) {
    Result const result = run({"replay", "no-such-file.vmc"});
    EXPECT_EQ(result.exit_code, 2);
    expect_paragraph(result);
    EXPECT_THAT(result.err, HasSubstr("no-such-file.vmc"));
}

TEST_F(BadInput, AnUnknownStepIsShownWithItsPlace) {
    Result const result =
        run({"replay", scratch.file("typo.vmc", "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 stroe heap 8 = 1\n")});
    EXPECT_EQ(result.exit_code, 2);
    expect_paragraph(result);
    EXPECT_THAT(result.err, HasSubstr("typo.vmc: line 4, column 4"));
    EXPECT_THAT(result.err, HasSubstr("stroe"));
}

TEST_F(BadInput, AReportThatCannotBeWrittenIsAnEnvironmentError) {
    Result const result = run({"verify", "--kernel", built_in(), "--runs", "10", "--out", "/dev/full"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.err, HasSubstr("/dev/full"));
}

// Under the shell's limit (KiB) there is no room for the RAM, the engine, or a second machine: no fault of the kernel.
TEST_F(BadInput, AMachineWithoutMemoryIsAnEnvironmentError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers need all of the address space";
#endif
    for (int const limit : {100'000, 200'000, 300'000}) {
        ShellResult const result = shell(fmt::format(
            "ulimit -v {}; exec '" VMCHECK_BINARY "' verify --jobs 2 --runs 1 --kernel '{}'", limit, built_in()));
        EXPECT_EQ(result.exit_code, 3) << limit << result.said;
        EXPECT_THAT(result.said, HasSubstr("vmcheck: Could not "));
    }
}

TEST_F(BadInput, AnUnknownOptionIsAUsageError) {
    EXPECT_EQ(run({"verify", "--no-such-option"}).exit_code, 2);
}

TEST_F(BadInput, AnUnknownProfileIsAUsageErrorThatNamesTheKnownOnes) {
    Result const result = run({"verify", "--profile", "lazy"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("cow+lazy"));
}

TEST_F(BadInput, NoCommandIsAUsageError) {
    EXPECT_EQ(run({}).exit_code, 2);
}

}  // namespace
}  // namespace vmcheck::e2e
