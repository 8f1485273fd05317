// A class: a directory of trees, as course staff verify it. The trees are faked around our own kernels: their only rule
// puts one in place.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

std::string const kRightTree = VMCHECK_KERNELS "/vintage-2024";
std::string const kWrongTree = VMCHECK_KERNELS "/mutants/16-parent-keeps-w";

class ClassOfTrees : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(tmp());
        char const* const outer = std::getenv("TMPDIR");
        outer_tmp_ = outer == nullptr ? "" : outer;
        ::setenv("TMPDIR", tmp().c_str(), 1);
    }
    // Whatever happened: no scratch copy stays.
    void TearDown() override {
        EXPECT_TRUE(fs::is_empty(tmp()));
        if (outer_tmp_.empty())
            ::unsetenv("TMPDIR");
        else
            ::setenv("TMPDIR", outer_tmp_.c_str(), 1);
    }

    fs::path tmp() const { return scratch_.path() / "tmp"; }
    fs::path at(std::string const& name) const { return scratch_.path() / name; }

    void tree(std::string const& name, std::string const& recipe) const {
        fs::create_directories(at("class/" + name + "/kernel"));
        scratch_.file("class/" + name + "/Makefile", "kernel/kernel: kernel/main.c\n\t" + recipe + "\n");
        scratch_.file("class/" + name + "/kernel/main.c", "int main(void) { return 0; }\n");
    }
    void tree_with_kernel(std::string const& name, std::string const& kernel) const {
        tree(name, "cp given/kernel given/kernel.map kernel");
        scratch_.copy(kernel + "/kernel", "class/" + name + "/given/kernel");
    }

    static std::vector<std::string> words(std::vector<std::string> const& more) {
        std::vector<std::string> all{"verify", "class", "--findings", "out", class_option()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    Result run(std::vector<std::string> const& more) const { return vmcheck(words(more), scratch_.path()); }
    base::Child start(std::vector<std::string> const& more) const {
        return start_vmcheck(words(more), scratch_.path());
    }
    Result finish(base::Child& process) const { return finish_vmcheck(process, scratch_.path()); }

    json summary(std::string const& out = "out") const { return json::parse(read(at(out + "/class.json"))); }
    std::map<std::string, std::string> verdicts() const {
        std::map<std::string, std::string> all;
        json const whole = summary();
        for (json const& each : whole.at("trees")) all[each.at("name")] = each.at("verdict");
        return all;
    }
    // Trees that were checked in that run: those that have a line of their own.
    static int checked(Result const& result) {
        int count = 0;
        for (std::size_t line = 0; line != std::string::npos; line = result.out.find('\n', line + 1)) {
            std::string const rest = result.out.substr(line, result.out.find('\n', line + 1) - line);
            if (rest.find(" of ") != std::string::npos && rest.ends_with(")") && rest.find(": ") != std::string::npos &&
                rest.find("kept") == std::string::npos)
                ++count;
        }
        return count;
    }
    static bool comes_true(std::function<bool()> const& condition) {
        constexpr int kTries = 3000;
        for (int i = 0; i < kTries; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
        return false;
    }

    Scratch scratch_;
    std::string outer_tmp_;
};

TEST_F(ClassOfTrees, EveryTreeGetsItsVerdictAndNoneStopsAnother) {
    tree_with_kernel("alice", kRightTree);
    tree_with_kernel("bob/xv6-labs-2024", kWrongTree);
    tree("carol", "riscv64-unknown-elf-gcc -c -o kernel/kernel kernel/main.c");
    scratch_.file("class/carol/kernel/main.c", "int main(void) { return sorry; }\n");
    tree("dora", "cp given/kernel kernel/kernel");
    scratch_.copy(VMCHECK_BAD_KERNELS "/wild.elf", "class/dora/given/kernel");
    fs::create_directories(at("class/emil"));
    fs::create_directories(at("class/fritz, the \"2nd\""));
    fs::copy_file(kWrongTree + "/kernel", at("class/fritz, the \"2nd\"/kernel.elf"));
    fs::copy_file(kWrongTree + "/kernel.map", at("class/fritz, the \"2nd\"/kernel.elf.map"));
    scratch_.file("class/late.zip", "PK");

    Result const result = run({"--runs", "100"});
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_EQ(checked(result), 5) << result.out;
    EXPECT_THAT(verdicts(), ElementsAre(Pair("alice", "nothing found"), Pair("bob", "defects"),
                                        Pair("carol", "does not build"), Pair("dora", "does not boot"),
                                        Pair("emil", "no kernel found"), Pair("fritz, the \"2nd\"", "defects")));
    EXPECT_THAT(result.out,
                AllOf(HasSubstr("left out  late.zip"), HasSubstr("'sorry' undeclared"), HasSubstr("0x40000000"),
                      HasSubstr("   2 trees  fork leaves a shared page writable\n"),
                      HasSubstr("6 trees: 2 with defects, 1 does not boot, 1 does not build, "
                                "1 no kernel found, 1 nothing found\n")));
    EXPECT_LT(result.out.rfind("bob"), result.out.rfind("alice")) << "defects come first in the table";

    std::string const csv = read(at("out/class.csv"));
    EXPECT_THAT(csv, AllOf(StartsWith("tree,verdict,defects,"), HasSubstr("\r\nbob,defects,1,0,0,I3 fork,isolation,"),
                           HasSubstr("\r\n\"fritz, the \"\"2nd\"\"\",defects,1,")));
    std::string const page = read(at("out/class.html"));
    EXPECT_THAT(page, HasSubstr("href=\"bob/report.html\""));
    std::size_t files = 0;
    json const whole = summary();
    for (json const& each : whole.at("trees"))
        for (json const& file : each.at("files")) {
            EXPECT_TRUE(fs::is_regular_file(at("out") / file.get<std::string>())) << file;
            ++files;
        }
    EXPECT_EQ(files, 5U * 2 + 2 * 2U)
        << "a log and a page of all but emil, and of two defects program and user program";
    EXPECT_THAT(read(at("out/carol/log.txt")), HasSubstr("'sorry' undeclared"));
    EXPECT_FALSE(fs::exists(at("class/alice/kernel/kernel"))) << "a tree is left as it was";
    auto const cause = [&](std::string const& name) {
        return json::parse(read(at("out/" + name + "/report.json"))).at("stopped").at("cause").get<std::string>();
    };
    EXPECT_EQ(cause("carol"), "build");
    EXPECT_EQ(cause("dora"), "boot");
}

TEST_F(ClassOfTrees, ARunKeepsWhatIsThereAndChecksWhatHasChanged) {
    tree_with_kernel("alice", kRightTree);
    tree_with_kernel("bob", kWrongTree);
    tree("carol", "false");
    Result const first = run({"--runs", "60"});
    EXPECT_EQ(checked(first), 3);
    std::string const before = read(at("out/class.json")), log = read(at("out/alice/log.txt"));

    Result const second = run({"--runs", "60"});
    EXPECT_EQ(second.exit_code, 1);
    EXPECT_EQ(checked(second), 0) << second.out;
    EXPECT_THAT(second.out, HasSubstr("kept      3 of 3 trees from an earlier run"));
    EXPECT_EQ(read(at("out/class.json")), before) << "a summary does not depend on how often it took";

    tree_with_kernel("bob", kRightTree);
    scratch_.file("class/bob/kernel/main.c", "// mended\n");
    Result const third = run({"--runs", "60"});
    EXPECT_EQ(third.exit_code, 4) << "carol still does not build";
    EXPECT_EQ(checked(third), 1) << third.out;
    EXPECT_EQ(verdicts().at("bob"), "nothing found");
    EXPECT_THAT(read(at("out/bob/report.html")), HasSubstr("Nothing found"));
    for (auto const& file : fs::directory_iterator(at("out/bob")))
        EXPECT_NE(file.path().extension(), ".vmc") << "what was found earlier is not there any more";
    EXPECT_EQ(read(at("out/alice/log.txt")), log);

    fs::remove(at("out/bob/report.json"));
    EXPECT_EQ(checked(run({"--runs", "60"})), 1) << "a result that is gone is made again";
    EXPECT_EQ(checked(run({"--runs", "60", "--again"})), 3);
    EXPECT_EQ(checked(run({"--runs", "61"})), 3) << "other options, other results";
}

TEST_F(ClassOfTrees, TheSummaryDoesNotDependOnJobs) {
    tree_with_kernel("alice", kRightTree);
    tree_with_kernel("bob", kWrongTree);
    EXPECT_EQ(run({"--runs", "60", "--jobs", "1"}).exit_code, 1);
    fs::rename(at("out"), at("one"));
    EXPECT_EQ(run({"--runs", "60", "--jobs", "3"}).exit_code, 1);
    for (char const* name : {"class.csv", "class.json", "class.html", "bob/report.json", "alice/report.json"})
        EXPECT_EQ(read(at("one") / name), read(at("out") / name)) << name;
}

TEST_F(ClassOfTrees, ShardsMergeIntoWhatOneMachineWrites) {
    tree_with_kernel("alice", kRightTree);
    tree_with_kernel("bob", kWrongTree);
    tree("carol", "false");
    fs::create_directories(at("class/dora"));
    tree_with_kernel("emil", kWrongTree);
    scratch_.file("class/late.zip", "PK");
    auto const in = [&](std::vector<std::string> const& words, std::string const& environment = "") {
        std::string line = "cd " + scratch_.path().string() + " && " + environment + " " VMCHECK_BINARY;
        for (std::string const& word : words) line += " " + word;
        return shell(line + " 2>&1");
    };
    auto const check = [&](std::string const& out, std::string const& shard, std::string const& environment = "") {
        return in({"verify class --runs 60 --findings", out, class_option(), shard}, environment);
    };
    EXPECT_EQ(check("out", "").exit_code, 1);
    // As each of the schedulers says it.
    EXPECT_EQ(check("1", "--shard 1/4").exit_code, 1) << "alice and emil";
    EXPECT_EQ(check("2", "--shard auto",
                    "SLURM_ARRAY_TASK_ID=6 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_COUNT=4")
                  .exit_code,
              1)
        << "bob";
    EXPECT_EQ(check("3", "--shard auto", "JOB_COMPLETION_INDEX=2 VMCHECK_SHARDS=4").exit_code, 4) << "carol";
    EXPECT_EQ(check("4", "--shard auto", "PARALLEL_SEQ=4 VMCHECK_SHARDS=4").exit_code, 4) << "dora";
    EXPECT_EQ(check("4b", "--shard auto", "VMCHECK_JOB_INDEX=3 VMCHECK_SHARDS=4").exit_code, 4) << "the same";
    EXPECT_EQ(summary("1").at("trees").size(), 2U);

    EXPECT_EQ(in({"merge 4 2 1 3 --out merged"}).exit_code, 1);
    for (char const* name : {"class.csv", "class.json", "class.html", "bob/report.json", "bob/report.html",
                             "carol/report.json", "emil/stamp.json", "emil/1-I3-fork.vmc", "emil/1-I3-fork.c"})
        EXPECT_EQ(read(at("merged") / name), read(at("out") / name)) << name;
    EXPECT_NE(read(at("merged/emil/1-I3-fork.vmc")), "");
    EXPECT_THAT(read(at("merged/emil/log.txt")),
                testing::AllOf(HasSubstr(" merged/emil/"), testing::Not(HasSubstr(" 1/emil"))))
        << "as one machine would have called it";
    EXPECT_FALSE(fs::exists(at("merged/shard.cbor")));
    EXPECT_THAT(check("merged", "").said, HasSubstr("kept      4 of 5 trees")) << "one machine goes on from there";

    auto const refused = [&](std::string const& words, std::string const& why) {
        ShellResult const result = in({words});
        EXPECT_EQ(result.exit_code, 2) << words;
        EXPECT_THAT(result.said, HasSubstr(why)) << words;
    };
    refused("merge 1 2 4 --out more", "missing is 3/4");
    refused("merge 1 2 3 4 4b --out more", "4b: is shard 4/4, as 4 is");
    refused("merge 1 2 3 out --out more", "out: holds no results of a shard");
    refused("merge 1 2 3 4 --out 4", "4: holds a shard");
    refused("verify class --shard auto", "SLURM_ARRAY_TASK_ID");
    refused("verify class --shard 5/4", "I/N");
    EXPECT_EQ(check("4b", "--shard 4/4 --seed 2").exit_code, 4);
    refused("merge 1 2 3 4b --out more", "4b: was made with options");
    EXPECT_FALSE(fs::exists(at("more")));
    EXPECT_EQ(check("4b", "").exit_code, 1);
    EXPECT_FALSE(fs::exists(at("4b/shard.cbor"))) << "it is the whole now";
}

TEST_F(ClassOfTrees, OptionsReachEveryTree) {
    tree_with_kernel("alice", VMCHECK_KERNELS "/eager-eager");
    Result const result = run({"--runs", "60", "--seed", "7", "--profile", "cow+eager", "--no-shrink"});
    EXPECT_EQ(result.exit_code, 1) << result.out;
    json const session = json::parse(read(at("out/alice/report.json"))).at("sessions").at(0);
    EXPECT_EQ(session.at("seed"), 7);
    EXPECT_EQ(session.at("findings").at(0).at("signature"), "I8 fork");
    EXPECT_EQ(session.at("findings").at(0).at("shrink").at("executions"), 0);
    std::vector<std::string> given{"--profile=cow+eager", "--no-shrink", "--runs=60", "--seed=7"};
    if (class_option() == "--trust-trees") given.push_back(class_option());
    EXPECT_THAT(summary().at("options"), testing::UnorderedElementsAreArray(given));
}

TEST_F(ClassOfTrees, WhereNothingIsFoundTheExitCodeIsZero) {
    tree_with_kernel("alice", kRightTree);
    EXPECT_EQ(run({"--runs", "60"}).exit_code, 0);
}

TEST_F(ClassOfTrees, ATreeHasItsTimeAndKeepsWhatItHasFoundInIt) {
    tree_with_kernel("alice", kRightTree);
    tree_with_kernel("bob", kWrongTree);
    std::vector<std::string> const short_time{"--runs", "100000000", "--max-findings", "1", "--time-per-tree", "4s"};
    Result const result = run(short_time);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(verdicts(), ElementsAre(Pair("alice", "timed out"), Pair("bob", "defects")));
    json const alice = summary().at("trees").at(0);
    EXPECT_GT(alice.at("programs"), 0);
    EXPECT_TRUE(alice.at("timed_out"));
    EXPECT_THAT(alice.at("what_to_know").get<std::string>(), HasSubstr("time limit"));
    EXPECT_EQ(checked(run(short_time)), 0) << "with no more time it would not get further";
    EXPECT_EQ(checked(run({"--runs", "100000000", "--max-findings", "1", "--time-per-tree", "5s"})), 1)
        << "bob was done before";
}

TEST_F(ClassOfTrees, ABuildThatHangsIsEndedWithAllThatItStarted) {
    std::string const marker = "1000." + std::to_string(::getpid());
    tree("alice", "trap '' INT TERM; sleep " + marker);
    tree_with_kernel("bob", kRightTree);
    Result const result = run({"--runs", "60", "--time-per-tree", "8s", "--jobs", "2"});
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_THAT(verdicts(), ElementsAre(Pair("alice", "timed out"), Pair("bob", "nothing found")));
    for (auto const& process : fs::directory_iterator("/proc"))
        EXPECT_THAT(read(process.path() / "cmdline"), Not(HasSubstr(marker))) << process.path();
}

TEST_F(ClassOfTrees, AfterCtrlCTheSameCommandGoesOnAndComesToTheSame) {
    tree_with_kernel("alice", kWrongTree);
    tree_with_kernel("bob", kRightTree);
    tree_with_kernel("carol", kWrongTree);
    std::vector<std::string> const options{"--runs", "1200", "--jobs", "1"};
    base::Child process = start(options);
    ASSERT_TRUE(comes_true([&] { return fs::exists(at("out/bob/log.txt")); }));
    process.send(SIGINT);
    Result const result = finish(process);
    EXPECT_EQ(result.exit_code, 1) << "alice has a defect";
    EXPECT_THAT(verdicts(),
                ElementsAre(Pair("alice", "defects"), Pair("bob", "interrupted"), Pair("carol", "not reached")));
    std::string const trusted = class_option() == "--trust-trees" ? " --trust-trees" : "";
    EXPECT_THAT(result.out, HasSubstr("interrupted: 2 of 3 trees were not checked to their end. Go on with: vmcheck "
                                      "verify class --findings out" +
                                      trusted + " --runs=1200\n"));
    EXPECT_FALSE(fs::exists(at("out/bob/stamp.json")));

    Result const rest = run(options);
    EXPECT_EQ(checked(rest), 2) << rest.out;
    EXPECT_THAT(rest.out, HasSubstr("kept      1 of 3 trees"));
    std::string const resumed = read(at("out/class.json"));
    fs::remove_all(at("out"));
    EXPECT_EQ(run(options).exit_code, 1);
    EXPECT_EQ(read(at("out/class.json")), resumed);
}

// The processes that `process` has started.
std::vector<pid_t> children_of(pid_t process) {
    std::string const parent = "\nPPid:\t" + std::to_string(process) + "\n";
    std::vector<pid_t> children;
    for (auto const& entry : fs::directory_iterator("/proc"))
        if (read(entry.path() / "status").find(parent) != std::string::npos)
            children.push_back(std::stoi(entry.path().filename().string()));
    return children;
}

TEST_F(ClassOfTrees, ATreeOnWhichVmcheckDiesStopsNoOtherAndIsTriedAgain) {
    tree_with_kernel("alice", kRightTree);
    tree_with_kernel("bob", kWrongTree);
    base::Child process = start({"--runs", "600", "--jobs", "1"});
    ASSERT_TRUE(comes_true([&] { return fs::exists(at("out/alice/log.txt")); }));
    ASSERT_TRUE(comes_true([&] { return children_of(process.process()).size() == 1; }));
    ::kill(children_of(process.process()).front(), SIGSEGV);
    Result const result = finish(process);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(verdicts(), ElementsAre(Pair("alice", "crashed"), Pair("bob", "defects")));
    EXPECT_THAT(result.out, HasSubstr("signal 11"));
    EXPECT_EQ(checked(run({"--runs", "600", "--jobs", "1"})), 1);
    EXPECT_EQ(verdicts().at("alice"), "nothing found");
}

TEST_F(ClassOfTrees, KilledItLeavesNoTreeRunningAndLosesNoResult) {
    tree_with_kernel("alice", kWrongTree);
    tree_with_kernel("bob", kRightTree);
    std::vector<std::string> const options{"--runs", "1200", "--jobs", "1"};
    base::Child process = start(options);
    ASSERT_TRUE(comes_true([&] { return fs::exists(at("out/bob/log.txt")); }));
    std::vector<pid_t> children;
    ASSERT_TRUE(comes_true([&] { return !(children = children_of(process.process())).empty(); }));
    process.send(SIGKILL);
    EXPECT_EQ(finish(process).exit_code, -1);
    for (pid_t child : children) EXPECT_TRUE(comes_true([&] { return ::kill(child, 0) != 0; }));
    // What nobody was left to clear away.
    for (auto const& entry : fs::directory_iterator(tmp())) fs::remove_all(entry);
    Result const rest = run(options);
    EXPECT_EQ(checked(rest), 1) << rest.out;
    EXPECT_THAT(rest.out, HasSubstr("kept      1 of 2 trees"));
}

TEST_F(ClassOfTrees, TheSummaryComesInTheFormatThatIsAskedFor) {
    tree_with_kernel("alice", kWrongTree);
    Result const printed = run({"--runs", "60", "--json"});
    EXPECT_EQ(json::parse(printed.out), summary());
    EXPECT_THAT(printed.err, HasSubstr("1 defect"));
    run({"--runs", "60", "--format", "junit", "--out", "class.xml"});
    EXPECT_THAT(read(at("class.xml")), HasSubstr("<testsuite name=\"alice\" tests=\"1\" failures=\"1\""));
}

TEST_F(ClassOfTrees, WhatMakesNoSenseForAClassIsRefused) {
    tree_with_kernel("alice", kRightTree);
    for (char const* format : {"gradescope", "github"}) {
        Result const refused = run({"--format", format});
        EXPECT_EQ(refused.exit_code, 2);
        EXPECT_THAT(refused.err, AllOf(StartsWith("vmcheck: class: "), HasSubstr("gradescope")));
    }
    Result const inside = vmcheck({"verify", "class", "--findings", "class/alice"}, scratch_.path());
    EXPECT_EQ(inside.exit_code, 2);
    EXPECT_THAT(inside.err, HasSubstr("--findings"));
    EXPECT_EQ(run({"--time-per-tree", "soon"}).exit_code, 2);
    fs::create_directories(at("nothing/here"));
    Result const nothing = vmcheck({"verify", "nothing"}, scratch_.path());
    EXPECT_EQ(nothing.exit_code, 2);
    EXPECT_THAT(nothing.err, HasSubstr("nothing: there is nothing to check."));
}

TEST_F(ClassOfTrees, IsExplainedByHelp) {
    EXPECT_THAT(vmcheck({"verify", "--help"}, scratch_.path()).out,
                AllOf(HasSubstr("--time-per-tree"), HasSubstr("--again"), HasSubstr("A class is a directory")));
}

// What fails, and what comes after programs avoid it, is run by merge; all else by the shards.
TEST(ShardsOfOneKernel, MergeIntoWhatOneMachineWrites) {
    Scratch scratch;
    auto const in = [&](std::string const& words) {
        return shell("cd " + scratch.path().string() + " && " VMCHECK_BINARY " " + words + " 2>&1");
    };
    auto const refused = [&](std::string const& words, std::string const& why) {
        ShellResult const result = in(words);
        EXPECT_EQ(result.exit_code, 2) << words;
        EXPECT_THAT(result.said, HasSubstr(why)) << words;
    };
    for (auto const& [kernel, code] : {std::pair{kRightTree, 0}, {kWrongTree, 1}}) {
        fs::remove_all(scratch.path() / "1");
        scratch.copy(kernel + "/kernel", "kernel.elf");
        std::string const words = "verify kernel.elf --runs 400 --coverage lines.info --findings ";
        EXPECT_EQ(in(words + "one").exit_code, code);
        std::string const lines = read(scratch.path() / "lines.info");
        EXPECT_EQ(in(words + "1 --shard 1/2 --jobs 1").exit_code, code);
        refused("merge 1 --out whole", "missing is 2/2");
        EXPECT_EQ(in(words + "2 --shard 2/2").exit_code, code);
        fs::remove(scratch.path() / "lines.info");
        EXPECT_EQ(in("merge 2 1 --out whole").exit_code, code);
        EXPECT_EQ(read(scratch.path() / "lines.info"), lines);
        EXPECT_EQ(shell("cd " + scratch.path().string() + " && diff -r one whole").said, "");
        EXPECT_THAT(read(scratch.path() / "whole/report.html"), HasSubstr("400"));
    }
    refused("merge 1 2 1 --out whole", "1: is shard 1/2, which is there already");
    std::string const part = read(scratch.path() / "1/campaign.cbor");
    std::string flipped = part;
    flipped[flipped.size() / 2] ^= 1;
    scratch.file("1/campaign.cbor", flipped);
    refused("merge 1 2 --out whole", "1: holds no results of a shard that is done (campaign.cbor), or damaged ones");
    // As damaged as can be, though its checksum is right.
    ASSERT_TRUE(base::write_sealed(scratch.path() / "1/campaign.cbor",
                                   std::vector<std::byte>(1'000'000, static_cast<std::byte>(0x81))));
    refused("merge 1 2 --out whole", "1: holds no results of a shard that is done (campaign.cbor), or damaged ones");
    scratch.file("1/campaign.cbor", part);
    refused("verify kernel.elf --shard 1/2 --json", "makes no report");
    refused("merge 1 2 --out 2", "2: holds a shard");
    refused("verify kernel.elf --shard 1/2 --time 5s", "--time and --shard");
    EXPECT_EQ(in("verify kernel.elf --runs 400 --seed 2 --findings 2 --shard 2/2").exit_code, 1);
    refused("merge 1 2 --out whole", "2: is shard 2/2 of another run than 1");
    scratch.copy(kRightTree + "/kernel", "kernel.elf");
    fs::remove_all(scratch.path() / "2");
    EXPECT_EQ(in("verify kernel.elf --runs 400 --coverage lines.info --findings 2 --shard 2/2").exit_code, 0);
    refused("merge 1 2 --out whole", "another run");
}

}  // namespace
}  // namespace vmcheck::e2e
