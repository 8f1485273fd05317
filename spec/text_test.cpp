#include "spec/text.h"

#include "spec/testing/arbitrary_program.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <fmt/core.h>

namespace vmcheck::spec {
namespace {

using namespace testing;

std::string with_header(std::string const& steps) {
    return "vmcheck 1\nprofile cow lazy\n" + steps;
}

// The printed form of a program of one step, or the error.
std::string reprinted(std::string const& step) {
    auto const program = parse(with_header(step + "\n"));
    if (!program) return to_string(program.error());
    if (program->steps.size() != 1) return fmt::format("{} steps", program->steps.size());
    return print(program->steps.front());
}

ParseError error_of(std::string const& text) {
    auto const program = parse(text);
    return program ? ParseError{0, 0, "no error", print(*program)} : program.error();
}

TEST(Text, ReadsTheExampleOfTheDesign) {
    auto const program = parse(
        "# why this program is here\n"
        "# and another line\n"
        "\n"
        "vmcheck 1\n"
        "profile cow\n"
        "p0 sbrk +2p\n"
        "p0 store heap+0x8 4 = 0x41424344\n"
        "   # a remark\n"
        "p0 fork p1\n"
        "p1 store heap+0x8 4 = 7      !oom 1      # the first kalloc in this step fails\n"
        "p0 load heap+0x8 4\n"
        "p1 exit 3                    @120        # preempt after 120 instructions\n"
        "p0 wait stack-16\n");
    ASSERT_TRUE(program) << to_string(program.error());
    EXPECT_EQ(program->about, "why this program is here\nand another line");
    EXPECT_EQ(program->profile, (Profile{ForkPolicy::cow, SbrkPolicy::eager}));
    ASSERT_EQ(program->steps.size(), 7u);
    EXPECT_EQ(program->steps[0], (Step{kInit, Sbrk{8192}}));
    EXPECT_EQ(program->steps[3], (Step{ProcId{1}, Store{Address{Anchor::heap, 8}, 4, 7}, Faults{1, {}}}));
    EXPECT_EQ(program->steps[5], (Step{ProcId{1}, Exit{3}, Faults{{}, 120}}));
    EXPECT_EQ(program->steps[6], (Step{kInit, Wait{Address{Anchor::stack, -16}}}));
}

TEST(Text, ReadsHowMuchMemoryThereIs) {
    auto const program = parse("vmcheck 1\nprofile cow\nmemory 40   # frames\np0 exec\n");
    ASSERT_TRUE(program) << to_string(program.error());
    EXPECT_EQ(program->memory, 40U);
    EXPECT_EQ(print(*program), "vmcheck 1\nprofile cow eager\nmemory 40\np0 exec\n");
    EXPECT_FALSE(parse("vmcheck 1\nprofile cow\np0 exec\n")->memory.has_value());
    EXPECT_EQ(error_of("vmcheck 1\nprofile cow\nmemory much\n").line, 3U);
    EXPECT_EQ(error_of("vmcheck 1\nprofile cow\nmemory 4 frames\n").line, 3U);
    EXPECT_EQ(error_of("vmcheck 1\nprofile cow\np0 exec\nmemory 4\n").line, 4U) << "before all steps";
    EXPECT_EQ(error_of("vmcheck 1\nprofile cow\nmemory 4\nmemory 4\n").line, 4U) << "once";
}

TEST(Text, ReadsHowManyHartsThereAre) {
    auto const program = parse("vmcheck 1\nprofile cow\nharts 3\np0 exec\n");
    ASSERT_TRUE(program) << to_string(program.error());
    EXPECT_EQ(harts_of(*program), 3U);
    EXPECT_EQ(print(*program), "vmcheck 1\nprofile cow eager\nharts 3\np0 exec\n");
    EXPECT_EQ(harts_of(*parse("vmcheck 1\nprofile cow\np0 exec\n")), 1U);
    EXPECT_EQ(harts_of(*parse("vmcheck 1\nprofile cow\np0 exec @h 4\n")), 2U);
    for (char const* wrong : {"1", "4", "three", "3 harts", ""})
        EXPECT_EQ(error_of(std::string("vmcheck 1\nprofile cow\nharts ") + wrong + "\n").line, 3U) << wrong;
    EXPECT_EQ(error_of("vmcheck 1\nprofile cow\nharts 2\nharts 2\n").line, 4U) << "once";
}

TEST(Text, KeepsTheKernelThatAFindingWasMadeOn) {
    std::string const text = "vmcheck 1\nprofile cow eager\nfound on /home/me/xv6 labs#2/found on\np0 fork p1\n";
    auto const program = parse(text);
    ASSERT_TRUE(program) << to_string(program.error());
    EXPECT_EQ(program->found_on, "/home/me/xv6 labs#2/found on");
    EXPECT_EQ(print(*program), text);
    EXPECT_EQ(error_of("vmcheck 1\nprofile cow\nfound on\n").line, 3U);
    EXPECT_EQ(error_of("vmcheck 1\nprofile cow\nfound on \r \n").line, 3U);
    EXPECT_EQ(error_of("vmcheck 1\nprofile cow\nfound in x\n").column, 7U);
}

TEST(Text, PrintsEveryKindOfStepAsItReadsIt) {
    for (char const* step : {"p0 fork p1",
                             "p1 exit -3",
                             "p0 wait",
                             "p0 wait stack-16",
                             "p0 wait 0x0",
                             "p0 kill p1",
                             "p0 sbrk -1",
                             "p0 sbrk +2p",
                             "p0 sbrk 0",
                             "p0 sbrk +1p lazy",
                             "p0 sbrk +1p eager",
                             "p0 load heap+0x8 4",
                             "p0 store data+1p 8 = 0x10",
                             "p0 touch heap+1p 3",
                             "p0 pipe_write data 16",
                             "p0 pipe_read heap-2p 16",
                             "p0 file_read 0x1000 16",
                             "p0 fstat brk-1",
                             "p0 pipe top",
                             "p0 open rodata+0x10",
                             "p0 exec",
                             "p0 exec large",
                             "p0 exec broken heap+0x8",
                             "p0 exec data+0x100",
                             "p0 sp guard+0x8",
                             "p0 fetch text+0x2 !oom 2 @7",
                             "p0 wait meanwhile",
                             "p0 wait stack-16 !oom 1 @7 meanwhile",
                             "p0 fork p1 @h 40",
                             "p0 wait !oom 1 @7 @h 0 meanwhile"})
        EXPECT_EQ(reprinted(step), step);
}

TEST(Text, ReadsOtherWaysOfSayingTheSame) {
    EXPECT_EQ(reprinted("p0\twait   0"), "p0 wait");
    EXPECT_EQ(reprinted("p0 sbrk 4096"), "p0 sbrk +1p");
    EXPECT_EQ(reprinted("p0 sbrk -0x1000"), "p0 sbrk -1p");
    EXPECT_EQ(reprinted("p0 load heap+8 1"), "p0 load heap+0x8 1");
    EXPECT_EQ(reprinted("p0 load 4096 1"), "p0 load 0x1000 1");
    EXPECT_EQ(reprinted("p0 exec @3 !oom 1\r"), "p0 exec !oom 1 @3");
    EXPECT_EQ(reprinted("p0 wait !oom 1"), "p0 wait !oom 1");
}

TEST(Text, ReadsProfiles) {
    auto const profile = [](std::string const& line) { return parse("vmcheck 1\nprofile " + line + "\n")->profile; };
    EXPECT_EQ(profile("cow"), (Profile{ForkPolicy::cow, SbrkPolicy::eager}));
    EXPECT_EQ(profile("eager"), (Profile{ForkPolicy::eager, SbrkPolicy::eager}));
    EXPECT_EQ(profile("eager lazy"), (Profile{ForkPolicy::eager, SbrkPolicy::lazy}));
    EXPECT_EQ(profile("cow eager   # both"), (Profile{ForkPolicy::cow, SbrkPolicy::eager}));
    EXPECT_EQ(parse_profile("cow+lazy"), (Profile{ForkPolicy::cow, SbrkPolicy::lazy}));
    EXPECT_EQ(parse_profile("eager"), (Profile{ForkPolicy::eager, SbrkPolicy::eager}));
    EXPECT_FALSE(parse_profile("lazy"));
    EXPECT_FALSE(parse_profile("cow+"));
    EXPECT_FALSE(parse_profile(""));
}

TEST(ParseErrors, SayWhereAndWhatWasExpected) {
    auto const error = error_of(with_header("p0 sbrk +1p\np0   stroe heap 8 = 1\n"));
    EXPECT_EQ(error.line, 4u);
    EXPECT_EQ(error.column, 6u);
    EXPECT_EQ(error.found, "stroe");
    EXPECT_NE(error.expected.find("did you mean 'store'?"), std::string::npos) << error.expected;
    EXPECT_EQ(to_string(error), "line 4, column 6: found 'stroe', expected a step (did you mean 'store'?)");
}

TEST(ParseErrors, AtTheEndOfALineSaySo) {
    auto const error = error_of(with_header("p0 load heap\n"));
    EXPECT_EQ(error.line, 3u);
    EXPECT_EQ(error.column, 13u);
    EXPECT_EQ(error.found, "");
    EXPECT_EQ(to_string(error), "line 3, column 13: the line ends, expected a size of 1, 2, 4 or 8 bytes");
}

TEST(ParseErrors, CoverEveryPart) {
    for (char const* bad : {"fork p1",
                            "p0",
                            "p0 fork 1",
                            "p0 fork p4294967296",
                            "p0 exit 2147483648",
                            "p0 exit x",
                            "p0 wait heep",
                            "p0 kill",
                            "p0 sbrk",
                            "p0 sbrk p",
                            "p0 sbrk +9223372036854775808",
                            "p0 sbrk 1p sometimes",
                            "p0 load heap 3",
                            "p0 load heap+ 4",
                            "p0 load heap+8x 4",
                            "p0 load 0x10000000000000000 4",
                            "p0 load +8 4",
                            "p0 store heap 4 7",
                            "p0 store heap 4 = ",
                            "p0 store heap 4 = 0x10000000000000000",
                            "p0 touch heap",
                            "p0 pipe_write heap 4294967296",
                            "p0 exec now",
                            "p0 exec !oom",
                            "p0 exec !oom 0",
                            "p0 exec @x",
                            "p0 exec @",
                            "p0 exec !oom 1 !oom 2",
                            "p0 exec @1 @2",
                            "p0 fetch",
                            "p-1 exec",
                            "p0 fetch text+-8"})
        EXPECT_FALSE(parse(with_header(bad))) << bad;
    for (char const* bad : {"", "# only this\n", "vmcheck 2\nprofile cow\n", "vmcheck 1\n", "vmcheck 1\nprofile\n",
                            "vmcheck 1\nprofile lazy\n", "vmcheck 1\nprofile cow quick\n", "profile cow\n",
                            "vmcheck 1\nprofile cow lazy eager\n", "vmcheck 1 1\nprofile cow\n"})
        EXPECT_FALSE(parse(bad)) << bad;
}

TEST(ParseErrors, ShowNoControlCharactersAndNoLongWords) {
    auto const error = error_of(with_header("p0 \x1b[31m" + std::string(100, 'x')));
    EXPECT_EQ(error.found.substr(0, 8), "\\x1b[31m");
    EXPECT_LT(error.found.size(), 48u);
}

TEST(Text, HasALimit) {
    std::string steps;
    for (int i = 0; i < 10'000; ++i) steps += "p0 exec\n";
    EXPECT_TRUE(parse(with_header(steps)));
    EXPECT_FALSE(parse(with_header(steps + "p0 exec\n")));
    EXPECT_FALSE(parse(with_header("#" + std::string(std::size_t{1} << 20, ' '))));
}

RC_GTEST_PROP(Text, PrintingThenParsingGivesTheSameProgram, ()) {
    Program const program = *arbitrary_program();
    auto const again = parse(print(program));
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == program);
}

RC_GTEST_PROP(Text, EveryAddressParsesBackToTheSameValue, (std::int64_t offset)) {
    auto const anchor = *rc::gen::map(rc::gen::inRange(0, static_cast<int>(Anchor::kernel) + 1),
                                      [](int value) { return static_cast<Anchor>(value); });
    for (std::int64_t each : {offset, offset / 4096 * 4096, offset % 64,
                              static_cast<std::int64_t>(static_cast<std::uint64_t>(offset) << 12)}) {
        Program const program{{}, {Step{kInit, SetSp{Address{anchor, each}}}}, {}};
        RC_ASSERT(parse(print(program)).value() == program);
    }
}

}  // namespace
}  // namespace vmcheck::spec
