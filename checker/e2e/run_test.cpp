// vmcheck run: one program on a kernel, its console as it comes, and its own verdict as the exit code.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

namespace vmcheck::e2e {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

std::string kernel(std::string const& name) {
    return std::string(VMCHECK_KERNELS "/") + name + "/kernel";
}

class Run : public testing::Test {
  protected:
    Scratch scratch;
    Result run(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "run");
        return vmcheck(arguments, scratch.path());
    }
    // What --out says of the last run; the message is that of standard error.
    std::string ending(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"--out", "run.json"});
        Result const result = run(arguments);
        auto const document = nlohmann::json::parse(read(scratch.path() / "run.json"));
        EXPECT_THAT(result.err, HasSubstr("vmcheck: " + document.at("message").get<std::string>() + "; "));
        return document.at("ending").get<std::string>() + ' ' + document.at("status").dump();
    }
};

// Kernels with each disk interface and each timer, and with several harts.
TEST_F(Run, AProgramThatPassesEndsWithZeroOnKernelsOfEveryYear) {
    for (char const* const name : {"eager-eager", "vintage-2020", "vintage-2022", "vintage-2025"}) {
        Result const result = run({"--kernel", kernel(name), "probe", "0"});
        EXPECT_EQ(result.exit_code, 0) << name << result.err;
        EXPECT_THAT(result.out, HasSubstr("probe: 0\n")) << name;
        EXPECT_THAT(result.err, HasSubstr("probe ended with status 0; ")) << name;
    }
    Result const result = run({"--kernel", kernel("cow-lazy"), "--harts", "3", "probe", "0"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(Run, ArgumentsReachTheProgramAndItsStatusIsTold) {
    Result const result = run({"--", "probe", "7", "-x", "two words", ""});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.out, HasSubstr("probe: 7 (-x) (two words) ()\n"));
    EXPECT_THAT(result.err, HasSubstr("probe ended with status 7"));
}

TEST_F(Run, AProgramThatIsKilledFails) {
    Result const result = run({"probe", "wild"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("probe was killed"));
}

TEST_F(Run, AProgramOfThisMachineAndADiskOfItsOwn) {
    std::filesystem::copy_file(VMCHECK_KERNELS "/user/probe", scratch.path() / "mine");
    EXPECT_EQ(run({"./mine", "0"}).exit_code, 0);
    // smoke.img has the smoke program as /init, and a text file.
    Result const result = run({"--image", VMCHECK_SMOKE_IMAGE, "./mine", "read", "data"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("MIT License"));
    Result const text = run({"--image", VMCHECK_SMOKE_IMAGE, "data"});
    EXPECT_EQ(text.exit_code, 1);
    EXPECT_THAT(text.err, HasSubstr("exec of the program failed"));
}

TEST_F(Run, TheTimeLimitIsOfTheBoardsClock) {
    for (char const* const how : {"loop", "sleep"}) {
        Result const result = run({"--time-limit", "2", "probe", how});
        EXPECT_EQ(result.exit_code, 1) << how;
        EXPECT_THAT(result.err, HasSubstr("probe had not ended after 2 s (by the board's clock)")) << how;
    }
}

TEST_F(Run, APanicIsTheKernelsAndFails) {
    // Its page-fault path panics at a wild access.
    Result const result = run({"--kernel", kernel("mutants/30-wild-access-panics"), "probe", "wild"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("the kernel panicked: \"panic: "));
    EXPECT_THAT(result.out, HasSubstr("panic: "));
}

TEST_F(Run, HowItEndedIsWrittenForProgramsThatAsk) {
    EXPECT_EQ(ending({"probe", "0"}), "exited 0");
    EXPECT_EQ(ending({"probe", "7"}), "exited 7");
    EXPECT_EQ(ending({"probe", "wild"}), "killed -1");
    EXPECT_EQ(ending({"--time-limit", "2", "probe", "loop"}), "time up null");
    EXPECT_EQ(ending({"--kernel", kernel("mutants/30-wild-access-panics"), "probe", "wild"}), "panicked null");
    EXPECT_EQ(ending({"--image", VMCHECK_SMOKE_IMAGE, "data"}), "not run null");
    // A suite's status is the number of its tests that failed.
    EXPECT_EQ(ending({"--kernel", kernel("mutants/16-parent-keeps-w"), "usertests", "parentstores"}), "exited 1");
    EXPECT_EQ(run({"--out", scratch.file("file", "") + "/run.json", "probe", "0"}).exit_code, 3);
}

TEST_F(Run, AKernelThatDoesNotBootIsSaidToBeSo) {
    Result const result = run({"--kernel", VMCHECK_BAD_KERNELS "/loop.elf", "--time-limit", "1", "probe", "0"});
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_THAT(result.err, HasSubstr("did not reach user mode"));
}

TEST_F(Run, WhatIsNotThereIsNamedWithWhatIs) {
    Result result = run({"cowtests"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, ContainsRegex("no program cowtests on the disk, which has .*cowtest, "));
    result = run({"./cowtests"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("./cowtests"));
    result = run({"--image", scratch.file("fs.img", "no disk"), "x"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("too small to hold a file system"));
    EXPECT_EQ(run({}).exit_code, 2);
    EXPECT_EQ(run({"--harts", "4", "probe"}).exit_code, 2);
}

TEST_F(Run, ControlCEndsItAtOnceWithWhatWasPrinted) {
    base::Child process = start_vmcheck({"run", "--time-limit", "1000000", "probe", "loop"}, scratch.path());
    for (int i = 0; i < 600 && read(scratch.path() / "stdout.txt").find("probe: loop") == std::string::npos; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    process.send(SIGINT);
    Result const result = finish_vmcheck(process, scratch.path());
    EXPECT_EQ(result.exit_code, 130);
    EXPECT_THAT(result.out, HasSubstr("probe: loop"));
    EXPECT_THAT(result.err, HasSubstr("interrupted before probe ended"));
}

TEST_F(Run, UsertestsRunByNameToo) {
    Result result = run({"usertests", "forkwait", "pipe"});
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("pass  forkwait\n"));
    EXPECT_THAT(result.out, HasSubstr("usertests: 2 passed, 0 failed"));
    result = run({"usertests", "forkwaits"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.out, HasSubstr("there is no test forkwaits"));
    // One that notices a defect says at which step, and fails.
    result = run({"--kernel", kernel("mutants/16-parent-keeps-w"), "usertests", "parentstores"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.out, HasSubstr("FAIL  parentstores\n      its status: "));
}

// The shell on the board, as a user would give it a line.
TEST_F(Run, TheShellRunsPipesRedirectionListsAndGroups) {
    auto const sh = [this](std::string const& line) { return run({"--", "sh", "-c", line}); };
    Result result = sh("echo hello 'two  words' | cat > f; cat < f | wc; (echo a; echo b) >> f; cat f; exit 3");
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.out, HasSubstr("\n1 3 17\nhello two  words\na\nb\n"));
    EXPECT_THAT(result.err, HasSubstr("sh ended with status 3"));
    result = sh("mkdir d; cd d; echo x > y; cd ..; ls d; rm d/y d; ls d");
    EXPECT_THAT(result.out, HasSubstr("\n.\n..\ny\n"));
    EXPECT_EQ(result.exit_code, 1) << "the directory is gone";
    // What runs in the background is not waited for, and what ends there is nobody else's status.
    result = sh("(cat /nothing; exit 5) & probe 0; probe wild; probe 0");
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("sh: killed: probe\n"));
    for (char const* const wrong : {"echo (", "echo a >", "| wc", "(echo a", "echo 'a"})
        EXPECT_THAT(sh(wrong).err, HasSubstr("sh ended with status 2")) << wrong;
    EXPECT_THAT(sh("nothing-like-it").err, HasSubstr("sh ended with status 127"));
}

// The suites of the labs, by their own verdict. QEMU runs them too (CMakeLists.txt).
struct Trial {
    std::string program;
    std::string kernel;
    std::string harts;
};
void PrintTo(Trial const& trial, std::ostream* out) {
    *out << trial.program << " on " << trial.kernel << ", harts: " << trial.harts;
}

std::vector<Trial> trials() {
    std::vector<Trial> all;
    for (char const* const program : {"cowtest", "lazytests", "usertests"}) {
        for (char const* const name : {"cow-lazy", "cow-eager", "eager-lazy", "eager-eager", "vintage-2025"})
            all.push_back({program, name, "1"});
        all.push_back({program, "cow-lazy", "3"});
    }
    return all;
}

class Suite : public testing::TestWithParam<Trial> {};

TEST_P(Suite, Passes) {
    Scratch const scratch;
    auto const& [program, name, harts] = GetParam();
    Result const result =
        vmcheck({"run", "--kernel", kernel(name), "--harts", harts, "--time-limit", "1000", program}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, ContainsRegex(program + ": [1-9][0-9]* passed, 0 failed"));
}

INSTANTIATE_TEST_SUITE_P(OnBoard, Suite, testing::ValuesIn(trials()), [](auto const& parameter) {
    std::string text = parameter.param.program + "_" + parameter.param.kernel + "_" + parameter.param.harts;
    std::replace(text.begin(), text.end(), '-', '_');
    return text;
});

}  // namespace
}  // namespace vmcheck::e2e
