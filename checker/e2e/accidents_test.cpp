// No accident earns or costs a point: what was cut short, could not be checked or failed for this machine's sake is no
// verdict, and every document that was asked for says so.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Accident : public testing::Test {
  protected:
    double score() const {
        double sum = 0;
        json const all = document();
        for (auto const& test : all.at("tests")) sum += test.at("score").get<double>();
        return sum;
    }
    json document() const { return json::parse(read(scratch.path() / "results.json")); }
    Result graded(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "verify");
        arguments.insert(arguments.end(), {"--format", "gradescope", "--out", "results.json"});
        return vmcheck(arguments, scratch.path());
    }
    // A tree whose rule for the kernel is `recipe`.
    std::string tree_with(std::string const& recipe) const {
        fs::create_directories(scratch.path() / "tree" / "kernel");
        scratch.file("tree/Makefile", "kernel/kernel: kernel/main.c\n\t" + recipe + "\n");
        scratch.file("tree/kernel/main.c", "int main(void) { return sorry; }\n");
        return (scratch.path() / "tree").string();
    }

    Scratch scratch;
};

TEST_F(Accident, AnInterruptedRunIsNoVerdictAndASecondSignalLosesNothing) {
    base::Child process = start_vmcheck({"verify", "--kernel", kRight, "--runs", "1000000", "--seed", "1", "--format",
                                         "gradescope", "--out", "results.json"},
                                        scratch.path());
    std::this_thread::sleep_for(std::chrono::seconds{3});
    process.send(SIGINT);
    process.send(SIGINT);  // as from `timeout`, to the group as well
    Result const result = finish_vmcheck(process, scratch.path());
    EXPECT_EQ(result.exit_code, 130) << result.out << result.err;
    EXPECT_EQ(score(), 0.0);
    EXPECT_THAT(result.out, Not(HasSubstr("✓")));
    EXPECT_THAT(result.out, HasSubstr("no verdict"));
}

TEST_F(Accident, WhatAStrippedImageCannotShowEarnsNothingUnlessStaffSaySo) {
    fs::copy_file(kRight, scratch.path() / "kernel");
    ASSERT_EQ(shell(std::string(RISCV_STRIP " ") + (scratch.path() / "kernel").string()).exit_code, 0);
    EXPECT_EQ(graded({"--kernel", "kernel", "--runs", "100"}).exit_code, 0);
    EXPECT_LT(score(), 100.0);
    EXPECT_EQ(graded({"--kernel", "kernel", "--runs", "100", "--grant-unchecked"}).exit_code, 0);
    EXPECT_NEAR(score(), 100.0, 1e-6);
}

TEST_F(Accident, ATreeThatDoesNotBuildWritesEveryDocumentInPlaceOfOlderOnes) {
    std::string const tree = tree_with("riscv64-unknown-elf-gcc -c -o kernel/kernel kernel/main.c");
    for (std::string const format : {"gradescope", "junit", "json", "html", "github", "text"}) {
        scratch.file("out", "score 100");
        Result const result = vmcheck({"verify", tree, "--format", format, "--out", "out"}, scratch.path());
        EXPECT_EQ(result.exit_code, 4) << format;
        EXPECT_THAT(read(scratch.path() / "out"), HasSubstr("undeclared")) << format;
        EXPECT_THAT(read(scratch.path() / "out"), Not(HasSubstr("score 100"))) << format;
    }
}

TEST_F(Accident, OldFindingsDoNotLieBesideANewVerdict) {
    fs::create_directories(scratch.path() / "findings");
    scratch.file("findings/1-I9-store.vmc", "old");
    scratch.file("findings/report.html", "old");
    scratch.file("findings/1-notes.txt", "the user's own");
    EXPECT_EQ(vmcheck({"verify", "--kernel", kRight, "--runs", "64"}, scratch.path()).exit_code, 0);
    EXPECT_FALSE(fs::exists(scratch.path() / "findings/1-I9-store.vmc"));
    EXPECT_THAT(read(scratch.path() / "findings/report.html"), HasSubstr("Nothing found"));
    EXPECT_EQ(read(scratch.path() / "findings/1-notes.txt"), "the user's own");
}

TEST_F(Accident, WithoutACompilerItIsNotTheTreeThatFails) {
    std::string const tree = tree_with("false");
    std::string const here = scratch.path().string();
    fs::create_directories(scratch.path() / "bin");
    for (char const* tool : {"make", "sh"})
        fs::create_symlink(shell(std::string("printf %s $(command -v ") + tool + ")").said,
                           scratch.path() / "bin" / tool);
    ShellResult const result = shell("cd " + here + " && PATH=" + here + "/bin " VMCHECK_BINARY " verify " + tree +
                                     " --format gradescope --out results.json");
    EXPECT_EQ(result.exit_code, 3) << result.said;
    EXPECT_THAT(result.said, HasSubstr("riscv64-unknown-elf-gcc"));
    EXPECT_EQ(score(), 0.0);
}

TEST_F(Accident, WhatTheBuildSaysIsWhatTheCompilerSaid) {
    for (auto const& [recipe, said] :
         {std::pair{"riscv64-unknown-elf-gcc -include absent.h -c -o kernel/kernel kernel/main.c",
                    "fatal error: absent.h"},
          std::pair{"printf 'nonsense\\n' | riscv64-unknown-elf-as -o kernel/kernel -", "Error: unrecognized opcode"},
          std::pair{"$(error the lab needs this)", "*** the lab needs this"}}) {
        Result const result = vmcheck({"verify", tree_with(recipe)}, scratch.path());
        EXPECT_EQ(result.exit_code, 4);
        EXPECT_THAT(result.err, HasSubstr(said));
        EXPECT_THAT(result.err, Not(HasSubstr("/build-"))) << "a scratch path";
    }
}

TEST_F(Accident, AKernelThatLiesInTheTreeIsSaidToAndOfAClassNeverUsed) {
    std::string const tree = tree_with("cp given/kernel kernel/kernel");
    scratch.copy(VMCHECK_KERNELS "/mutants/16-parent-keeps-w/kernel", "tree/given/kernel");
    fs::copy_file(kRight, fs::path(tree) / "kernel/kernel");
    fs::last_write_time(fs::path(tree) / "kernel/kernel", fs::file_time_type::clock::now() + std::chrono::seconds{5});
    Result const as_it_lies = vmcheck({"verify", tree, "--runs", "64"}, scratch.path());
    EXPECT_EQ(as_it_lies.exit_code, 0);
    EXPECT_THAT(as_it_lies.out, HasSubstr("not rebuilt"));
    EXPECT_EQ(vmcheck({"verify", tree, "--runs", "64", "--rebuild"}, scratch.path()).exit_code, 1);
    fs::create_directories(scratch.path() / "class");
    fs::rename(tree, scratch.path() / "class/alice");
    EXPECT_EQ(vmcheck({"verify", "class", "--runs", "64", class_option()}, scratch.path()).exit_code, 1);
}

TEST_F(Accident, AUserWhoMayNotBuildInACloneRunsTheProgramThatIsThere) {
    scratch.file("clone/build/release/checker/vmcheck", "#!/bin/sh\necho ran \"$@\"\n");
    scratch.file("clone/ci/build", "#!/bin/sh\necho built\n");
    fs::copy_file(VMCHECK_CORPUS "/../ci/vmcheck", scratch.path() / "clone/ci/vmcheck");
    std::string const here = scratch.path().string();
    std::string const user = without_rights(scratch.path());
    shell("cd " + here + " && chmod -R a+rx clone");
    EXPECT_EQ(shell(user + here + "/clone/ci/vmcheck show x").said, "built\nran show x\n");
    shell("chmod a-w " + here + "/clone");
    EXPECT_EQ(shell(user + here + "/clone/ci/vmcheck show x").said, "ran show x\n");
    shell("chmod u+w " + here + "/clone");
}

}  // namespace
}  // namespace vmcheck::e2e
