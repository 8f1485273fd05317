// --confirm: what QEMU says about the findings; and that it says PASS where there is nothing to find.

#include "checker/e2e/command.h"
#include "checker/qemu/script.h"
#include "checker/qemu/trial.h"
#include "checker/report/sample_testing.h"
#include "checker/repro/repro_c.h"
#include "impl/base/child.h"
#include "impl/base/files.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>

namespace vmcheck::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

std::string mutant(std::string const& name) {
    return std::string(VMCHECK_KERNELS "/mutants/") + name + "/kernel";
}

// A reference kernel runs the program; what it says.
std::string on_reference(std::string const& kernel, std::string const& source, bool legacy_disk = false) {
    auto const trials = qemu::Trials::prepare({.kernel = std::string(VMCHECK_KERNELS "/") + kernel + "/kernel",
                                               .ram_bytes = std::uint64_t{128} << 20,
                                               .legacy_disk = legacy_disk});
    return trials ? describe(trials->run(source)) : trials.error().message;
}

class Confirm : public testing::Test {
  protected:
    json findings(std::string const& kernel, std::vector<std::string> more = {"--confirm"}) {
        std::vector<std::string> arguments{"verify", "--kernel", kernel, "--runs", "600", "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        Result const result = vmcheck(arguments, scratch.path());
        EXPECT_EQ(result.exit_code, 1) << result.err;
        said = result.err;
        return session_of(result).at("findings");
    }

    // Every finding that could be tried is confirmed, and its program passes on the kernel without the defect.
    void expect_confirmed(json const& all, std::string const& reference, testing::Matcher<std::string> const& how) {
        std::size_t confirmed = 0;
        for (json const& finding : all) {
            std::string const verdict = finding.at("on_qemu").at("verdict");
            if (verdict == "could not be tried") continue;
            EXPECT_EQ(verdict, "confirmed") << finding.at("repro_c").get<std::string>();
            EXPECT_EQ(on_reference(reference, finding.at("repro_c")), "not confirmed: prints PASS")
                << finding.at("repro_c").get<std::string>();
            if (testing::Matches(how)(finding.at("on_qemu").at("how").get<std::string>())) ++confirmed;
        }
        EXPECT_GT(confirmed, 0U) << all.dump(1);
    }

    // The first finding has no program in C for that reason, but a script with `brought_about` in it.
    void expect_played(std::string const& name, std::string const& reference, std::string const& why_not_in_c,
                       std::string const& brought_about, std::string const& seed = "1") {
        if (auto const debugger = qemu::find_debugger(); !debugger) GTEST_SKIP() << debugger.error().message;
        json const all = findings(mutant(name), {"--confirm", "--max-findings", "1", "--seed", seed});
        ASSERT_FALSE(all.empty());
        json const& finding = all.at(0);
        EXPECT_THAT(finding.at("why_no_repro_c").get<std::string>(), HasSubstr(why_not_in_c));
        std::string const script = finding.at("repro_gdb");
        EXPECT_THAT(script, HasSubstr(brought_about));
        EXPECT_EQ(finding.at("on_qemu").at("verdict"), "confirmed") << finding.at("on_qemu") << script;
        EXPECT_THAT(said, HasSubstr("On QEMU   confirmed: GDB's script prints \"FAIL: "));
        EXPECT_THAT(said, HasSubstr("gdb-multiarch -nx -batch "));
        auto const disk = base::read_bytes(scratch.path() / "findings" / qemu::kPlayersDisk, {});
        ASSERT_TRUE(disk) << disk.error().message;
        auto const trials = qemu::Trials::prepare({.kernel = std::string(VMCHECK_KERNELS "/") + reference + "/kernel",
                                                   .ram_bytes = std::uint64_t{128} << 20,
                                                   .disk = std::make_shared<std::vector<std::byte> const>(*disk)});
        ASSERT_TRUE(trials) << trials.error().message;
        // Where the defect is a place that the correct kernel does not have, nothing can be stopped there.
        std::string const there = describe(trials->run_script(script));
        if (script.find(", at=") == std::string::npos)
            EXPECT_EQ(there, "not confirmed: GDB's script prints PASS") << script;
        else
            EXPECT_THAT(there,
                        testing::AnyOf("not confirmed: GDB's script prints PASS", HasSubstr("it does not come to")));
    }

    Scratch scratch;
    std::string said;  // on standard error: the report for a person
};

TEST_F(Confirm, BrokenIsolationFailsThereAndPassesOnACorrectKernel) {
    json const all = findings(mutant("16-parent-keeps-w"));
    expect_confirmed(all, "cow-eager", StartsWith("prints \"FAIL: "));
    EXPECT_THAT(said, HasSubstr("On QEMU   confirmed: prints \"FAIL: "));
}

TEST_F(Confirm, APanicIsOneThereAsWell) {
    expect_confirmed(findings(mutant("04-maxva-panics")), "eager-eager", StartsWith("the kernel panics: "));
}

TEST_F(Confirm, AnSbrkBelowZeroGivesNothingBackAndIsShownAsWell) {
    expect_confirmed(findings(mutant("14-sbrk-below-zero")), "eager-eager",
                     HasSubstr("must be where sbrk has moved it"));
}

TEST_F(Confirm, WhatDependsOnAddressesIsDoneAtTheSameOnes) {
    expect_confirmed(findings(mutant("09-copies-need-a-last-level-table")), "eager-lazy", HasSubstr("must give 1"));
}

TEST_F(Confirm, WhoWasKilledIsNotTakenFromWaitWhichMayBeWrongItself) {
    json const all = findings(VMCHECK_KERNELS "/hostile/hides-who-was-killed/kernel");
    expect_confirmed(all, "cow-lazy", HasSubstr("p0 must survive"));
}

// What no user program can show, GDB does, and its script passes on the kernel without the defect.
TEST_F(Confirm, AnAllocationThatFailsIsBroughtAboutByGdb) {
    expect_played("64-failed-fork-forgets-its-pages", "cow-lazy", "it needs a kalloc that fails", "oom=");
}

TEST_F(Confirm, AnInterruptAtAPlaceInTheKernelIsBroughtAboutByGdb) {
    expect_played("06-scrubbed-after-unlock", "cow-eager", "it needs a timer interrupt", "interrupt=True");
}

TEST_F(Confirm, AnotherHartAtAPlaceInTheKernelIsBroughtAboutByGdb) {
    expect_played("132-frame-taken-without-the-lock", "cow-eager", "it needs two harts", "m.side_by_side(", "2");
}

TEST_F(Confirm, WhatCannotBeSaidInCIsDoneByTheAgentUnderGdb) {
    expect_played("76-failed-pipe-stays-open", "eager-eager", "a pipe that failed may only have been left open",
                  "len(m.free()) >= free");
}

TEST_F(Confirm, WithoutGdbWhatTakesItIsNotTriedAndSaysSo) {
    for (char const* tool : {"qemu-system-riscv64", "riscv64-unknown-elf-gcc"})
        std::filesystem::create_symlink(*base::find_program(tool), scratch.path() / tool);
    std::string const path = std::getenv("PATH");
    ASSERT_EQ(::setenv("PATH", scratch.path().c_str(), 1), 0);
    json const all = findings(mutant("64-failed-fork-forgets-its-pages"));
    ASSERT_EQ(::setenv("PATH", path.c_str(), 1), 0);
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.at(0).at("on_qemu").at("verdict"), "could not be tried");
    EXPECT_THAT(all.at(0).at("why_no_repro_c").get<std::string>(), HasSubstr("it needs a kalloc that fails"));
    EXPECT_THAT(said, HasSubstr("On QEMU   could not be tried: there is no GDB for RISC-V"));
}

TEST_F(Confirm, WithoutQemuNothingIsTriedAndTheReportSaysWhatIsMissing) {
    std::string const path = std::getenv("PATH");
    ASSERT_EQ(::setenv("PATH", "/nowhere", 1), 0);
    json const all = findings(mutant("16-parent-keeps-w"));
    ASSERT_EQ(::setenv("PATH", path.c_str(), 1), 0);
    EXPECT_EQ(all.at(0).at("on_qemu"),
              json({{"verdict", "could not be tried"},
                    {"how", "there is no qemu-system-riscv64 (Debian package qemu-system-misc)"}}));
}

TEST_F(Confirm, IsNotDoneUnlessAskedFor) {
    EXPECT_TRUE(findings(mutant("16-parent-keeps-w"), {}).at(0).at("on_qemu").is_null());
    EXPECT_THAT(said, testing::Not(HasSubstr("On QEMU")));
}

TEST(ConfirmDoctor, SaysWhetherItsToolsAreThere) {
    Scratch const scratch;
    Result const result = vmcheck({"doctor"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out;
    EXPECT_THAT(result.out, HasSubstr("for --confirm only"));
    EXPECT_THAT(result.out, HasSubstr("qemu-system-riscv64"));
}

// A program whose last step does not do what is expected of it; what QEMU says about its repro.c on that kernel.
std::string shown_on(std::string const& kernel, char const* steps, std::vector<spec::Outcome> const& before,
                     spec::Result const& expected, spec::Outcome const& seen) {
    Finding const finding = report::testing::finding_of(
        spec::Invariant::results, std::string("vmcheck 1\nprofile cow\n") + steps, before, {expected}, seen);
    auto const source = repro::repro_c(finding);
    return source ? on_reference(kernel, *source) : source.error();
}

TEST(ConfirmPrograms, AReadIsAsLongAsVmchecks) {
    using report::testing::gave;
    char const* const read = "p0 sbrk +2p\np0 file_read heap 9000\n";
    EXPECT_EQ(shown_on("eager-eager", read, {gave(0x7000)}, spec::Exactly{6000}, gave(1)),
              "not confirmed: prints PASS");
    EXPECT_THAT(shown_on("eager-eager", read, {gave(0x7000)}, spec::Exactly{4096}, gave(1)),
                StartsWith("confirmed: prints \"FAIL: p0's read of a file"));
}

TEST(ConfirmPrograms, WhoGivesBackItsStackLivesOnToTell) {
    using report::testing::gave;
    char const* const steps = "p0 fork p1\np1 sbrk -1p\np1 load stack-8 1\n";
    std::vector<spec::Outcome> const before{report::testing::made_child(), gave(0x7000)};
    // Whose child may give back what lies below its heap; and one that refuses it.
    EXPECT_EQ(shown_on("mutants/71-child-forgets-where-the-heap-began", steps, before, spec::Ends{}, gave(0)),
              "not confirmed: prints PASS");
    EXPECT_THAT(shown_on("cow-eager", steps, before, spec::Ends{}, gave(0)),
                StartsWith("confirmed: prints \"FAIL: p1's load from heap-8 must kill p1"));
}

// The machine is the right one for the kernels of each year, and a program is not confirmed where it passes.
TEST(ConfirmVintage, EachBootsAndRunsAProgram) {
    std::string const program =
        "#include \"kernel/types.h\"\n#include \"user/user.h\"\n"
        "int main(int argc, char *argv[]) {\n"
        "  int status = 0;\n  char *page = sbrk(4096);\n  page[7] = 1;\n"
        "  if (fork() == 0) { page[7] = 2; exit(3); }\n  wait(&status);\n"
        "  if (argc == 1 && page[7] == 1 && status == 3) printf(\"PASS\\n\");\n"
        "  else printf(\"FAIL: argc %d, status %d in %s\\n\", argc, status, argv[0]);\n  exit(0);\n}\n";
    for (auto const& [kernel, legacy] : std::map<std::string, bool>{{"vintage-2020", true},
                                                                    {"vintage-2021", true},
                                                                    {"vintage-2022", false},
                                                                    {"vintage-2023", false},
                                                                    {"vintage-2024", false},
                                                                    {"vintage-2025", false},
                                                                    {"variants/refuses-entry-zero", false}})
        EXPECT_EQ(on_reference(kernel, program, legacy), "not confirmed: prints PASS") << kernel;
}

TEST(ConfirmVintage, AKernelThatDoesNotBootSaysNothing) {
    std::string const program = "int main(void) { return 0; }\n";
    EXPECT_THAT(on_reference("vintage-2020", program, false), StartsWith("could not be tried: on QEMU the kernel "));
    EXPECT_THAT(on_reference("vintage-2024", program), HasSubstr("without the PASS of a correct kernel"));
}

}  // namespace
}  // namespace vmcheck::e2e
