// Whatever becomes of it, vmcheck ends soon, keeps what it has found, and says so: signals at any moment, files that
// cannot be written, streams that nobody reads, names that were made to mislead.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;

// Two seconds on a machine that has nothing else to do.
constexpr milliseconds kSoon{6'000};

// At how many moments a signal comes: more of them at night.
int moments(int in_every_run) {
    char const* const at_night = std::getenv("VMCHECK_MOMENTS");
    return at_night == nullptr ? in_every_run : std::stoi(at_night);
}

class Ends : public testing::Test {
  protected:
    void SetUp() override { fs::create_directories(at("tmp")); }
    fs::path at(std::string const& name) const { return scratch.path() / name; }
    Result run(std::vector<std::string> const& arguments) const { return vmcheck(arguments, scratch.path()); }
    // A shell's line, in the directory, where vmcheck is a command.
    ShellResult in_shell(std::string const& line) const {
        return shell(
            fmt::format("cd '{}'; vmcheck() {{ '{}' \"$@\"; }}; {}", scratch.path().string(), VMCHECK_BINARY, line));
    }
    std::string tree(std::string const& name, std::string const& recipe) const {
        scratch.file(name + "/kernel/main.c", "int main(void) { return 0; }\n");
        scratch.file(name + "/Makefile", "kernel/kernel: kernel/main.c\n\t" + recipe + "\n");
        return at(name).string();
    }
    // Starts it with a temporary directory of its own, sends the signal so long after it has begun to listen for it,
    // and says how long it then took.
    struct Stopped {
        base::Exit exit;
        milliseconds took{};
    };
    void TearDown() override { fmt::print("ended within {} ms\n", longest_.count()); }
    Stopped stopped(std::vector<std::string> const& arguments, milliseconds after, int signal) {
        base::Command command;
        command.arguments = {VMCHECK_BINARY};
        command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
        command.environment = {"TMPDIR=" + at("tmp").string()};
        command.directory = scratch.path();
        command.output = at("stdout.txt");
        base::Child process = std::move(base::Child::start(command).value());
        wait_until_it_listens(process.process());
        std::this_thread::sleep_for(after);
        process.send(signal);
        auto const asked = Clock::now();
        base::Exit const exit = process.wait();
        auto const took = std::chrono::duration_cast<milliseconds>(Clock::now() - asked);
        longest_ = std::max(longest_, took);
        return {exit, took};
    }

    Scratch scratch;

  private:
    // It blocks SIGTERM then. How long that takes is a matter of the machine, and of sanitizers.
    static void wait_until_it_listens(pid_t process) {
        constexpr std::uint64_t kTerm = std::uint64_t{1} << (SIGTERM - 1);
        for (int i = 0; i < 10'000; ++i) {
            std::ifstream status(fmt::format("/proc/{}/status", process));
            bool is_started = false;  // before, it is a copy of this program
            for (std::string line; std::getline(status, line);) {
                is_started = is_started || line == "Name:\tvmcheck";
                bool const blocks =
                    line.starts_with("SigBlk:") && (std::stoull(line.substr(7), nullptr, 16) & kTerm) != 0;
                if (is_started && blocks) return;
            }
            std::this_thread::sleep_for(milliseconds{1});
        }
        ADD_FAILURE() << "it never listens";
    }

    milliseconds longest_{};
};

// Who waits sees what is wrong before all programs were run, and again once it has come on a fresh boot.
TEST_F(Ends, WhatIsWrongIsToldOfWhileProgramsRun) {
    ShellResult const all = in_shell("vmcheck verify --kernel " + kWrong + " --runs 300 --jobs 2 2>&1");
    EXPECT_EQ(all.exit_code, 1) << all.said;
    std::size_t const seen = all.said.find("seen      I"), ran = all.said.find("running   300 of 300"),
                      found = all.said.find("found     I"), report = all.said.find("✗ 1 of 1");
    EXPECT_LT(seen, ran) << all.said;
    EXPECT_LT(ran, found) << all.said;
    EXPECT_LT(found, report) << all.said;
    EXPECT_NE(report, std::string::npos) << all.said;
}

TEST_F(Ends, SoonWheneverItIsAskedToWithAllThatItHasFound) {
    std::mt19937 random(7);
    for (int i = 0, times = moments(40); i < times; ++i) {
        fs::remove_all(at("findings"));
        fs::remove(at("out.json"));
        milliseconds const after{random() % 1'650};
        int const signal = std::array{SIGTERM, SIGINT, SIGHUP}[static_cast<std::size_t>(i) % 3];
        Stopped const end =
            stopped({"verify", "--kernel", kWrong, "--runs", "900", "--out", "out.json"}, after, signal);
        std::string const when = fmt::format("signal {} after {} ms", signal, after.count());
        EXPECT_LT(end.took, kSoon) << when;
        ASSERT_TRUE(end.exit.code) << when << ": a signal ended it";
        EXPECT_THAT(*end.exit.code, testing::AnyOf(1, 130)) << when;
        EXPECT_TRUE(fs::is_empty(at("tmp"))) << when;
        ASSERT_TRUE(json::accept(read(at("out.json")))) << when;
        json const document = json::parse(read(at("out.json")));
        EXPECT_EQ(fs::exists(at("findings/1-I3-fork.vmc")),
                  !document.at("sessions").empty() && !document.at("sessions").at(0).at("findings").empty())
            << when;
        EXPECT_THAT(read(at("findings/report.html")), HasSubstr("</html>")) << when;
    }
}

TEST_F(Ends, AtAnyMomentOfAClassAndKilledItTearsNoFile) {
    for (char const* name : {"alice", "bob"}) {
        fs::create_directories(at("class") / name);
        fs::copy_file(kWrong, at("class") / name / "kernel");
    }
    std::mt19937 random(11);
    for (int i = 0, times = 2 * moments(4); i < times; ++i) {
        fs::remove_all(at("out"));
        int const signal = i % 2 == 0 ? SIGTERM : SIGKILL;
        milliseconds const after{random() % 2'800};
        Stopped const end =
            stopped({"verify", "class", "--findings", "out", "--runs", "900", class_option()}, after, signal);
        EXPECT_LT(end.took, kSoon) << after.count();
        if (signal == SIGTERM) {
            EXPECT_TRUE(fs::is_empty(at("tmp"))) << after.count();
            EXPECT_TRUE(json::accept(read(at("out/class.json")))) << after.count();
        }
        std::error_code error;
        for (auto const& entry : fs::recursive_directory_iterator(at("out"), error))
            EXPECT_TRUE(entry.path().extension() != ".json" || json::accept(read(entry.path()))) << entry.path();
        if (signal == SIGKILL) {
            std::this_thread::sleep_for(milliseconds{1'000});  // its children are asked to end by that
            for (auto const& entry : fs::directory_iterator(at("tmp"))) fs::remove_all(entry);
        }
    }
}

TEST_F(Ends, WhateverItWaitsFor) {
    tree("hangs", "trap '' INT TERM; sleep 1000");
    ASSERT_EQ(::mkfifo(at("pipe.vmc").c_str(), 0600), 0);
    fs::copy_file(VMCHECK_BAD_KERNELS "/loop.elf", at("loop"));
    std::vector<std::vector<std::string>> const all{{"verify", "hangs"},
                                                    {"replay", "pipe.vmc"},
                                                    {"verify", "--kernel", "loop", "--no-accel"},
                                                    {"run", "--kernel", kRight, "usertests"},
                                                    {"doctor"}};
    for (auto const& arguments : all) {
        Stopped const end = stopped(arguments, milliseconds{700}, SIGTERM);
        EXPECT_LT(end.took, kSoon) << arguments[1];
        EXPECT_TRUE(fs::is_empty(at("tmp"))) << arguments[1];
    }
}

// Of this kernel a fork takes long, and so does what is measured beside the first programs.
TEST_F(Ends, SoonAfterItsTimeIsUp) {
    std::string const slow = VMCHECK_KERNELS "/variants/slow-fork/kernel";
    for (char const* jobs : {"1", "2"}) {
        auto const started = Clock::now();
        Result const result = run({"verify", "--kernel", slow, "--time", "1s", "--jobs", jobs});
        EXPECT_LT(Clock::now() - started, milliseconds{1'000} + kSoon);
        // On a machine that is busy it may not get to the end of its first program. Then it is no verdict.
        bool const none_ran = result.out.find("not checked to the end: no program was run") != std::string::npos;
        if (!none_ran) {
            EXPECT_THAT(result.out, testing::ContainsRegex("nothing found in [1-9][0-9]* program"));
        }
        EXPECT_EQ(result.exit_code, none_ran ? 6 : 0);
    }
}

TEST_F(Ends, WithAnErrorWhereStandardOutputIsFullOrClosed) {
    for (char const* how : {"--json >/dev/full", "--format text >/dev/full", ">&-", "--json >&-"})
        EXPECT_EQ(in_shell(fmt::format("vmcheck verify --kernel {} --runs 20 {} 2>err", kRight, how)).exit_code, 3)
            << how;
    auto const started = Clock::now();
    in_shell(fmt::format("{{ vmcheck verify --kernel {} --runs 1000000 --findings f 2>err; echo $? >code; }} | true",
                         kWrong));
    EXPECT_LT(Clock::now() - started, kSoon) << "nobody is left to read it";
    EXPECT_EQ(read(at("code")), "3\n");
    EXPECT_TRUE(fs::exists(at("f/report.html")));
}

TEST_F(Ends, BeforeItHasBegunWhereItCouldNotWrite) {
    scratch.file("file", "in the way");
    scratch.file("class/alice/Makefile", "kernel/kernel:\n");
    fs::create_directories(at("class/alice/kernel"));
    fs::create_directories(at("results/class.csv"));
    for (std::string const& what :
         {"verify --kernel " + kRight + " --findings file/x", "verify --kernel " + kRight + " --out file/x",
          "fuzz --kernel " + kRight + " --corpus file/x", "run --kernel " + kRight + " --out file/x cowtest",
          "verify class --findings file/x " + class_option(), "verify class --findings results " + class_option(),
          "verify class --findings y --out file/x " + class_option()}) {
        ShellResult const result = in_shell("vmcheck " + what);
        EXPECT_EQ(result.exit_code, 3) << what;
        EXPECT_THAT(result.said, testing::StartsWith("vmcheck: ")) << what;
    }
}

TEST_F(Ends, WithAnErrorWhereTheDiskBecomesFullAndStillPrintsWhatItFound) {
    fs::create_directories(at("findings/1-I3-fork.vmc"));
    Result const result = run({"verify", "--kernel", kWrong, "--runs", "64"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.out, HasSubstr("✗ 1 of 1   I3"));
    EXPECT_THAT(result.err, HasSubstr("1-I3-fork.vmc: cannot be written"));
    ShellResult const limited = in_shell("ulimit -f 10; vmcheck verify --kernel " + kWrong + " --runs 64 --findings f");
    EXPECT_EQ(limited.exit_code, 3) << "and no signal ends it";
    EXPECT_THAT(limited.said, HasSubstr("File too large"));
}

TEST_F(Ends, AClassWhateverLiesInATree) {
    tree("class/alice", "false");
    ASSERT_EQ(::mkfifo(at("class/alice/kernel/pipe.c").c_str(), 0600), 0);
    fs::create_directories(at("class/alice/conf"));
    ASSERT_EQ(::mkfifo(at("class/alice/conf/lab.mk").c_str(), 0600), 0);
    fs::create_directories(at("class/bob"));
    fs::copy_file(kRight, at("class/bob/kernel.elf"));
    ASSERT_EQ(::mkfifo(at("class/bob/kernel.elf.map").c_str(), 0600), 0);
    fs::create_directories(at("class/class.csv"));
    fs::copy_file(kWrong, at("class/class.csv/kernel.elf"));
    fs::create_directories(at("class/large"));
    fs::copy_file(kRight, at("class/large/kernel.elf"));
    fs::resize_file(at("class/large/kernel.elf"), std::uintmax_t{8} << 40);
    ShellResult const result = in_shell(
        "timeout 60 '" VMCHECK_BINARY "' verify class --findings out --runs 20 --max-findings 1 " + class_option());
    EXPECT_EQ(result.exit_code, 1) << result.said;
    json const all = json::parse(read(at("out/class.json")));
    EXPECT_EQ(all.at("trees").size(), 4U);
    EXPECT_THAT(read(at("out/class.csv_/report.html")), HasSubstr("</html>"));
}

TEST_F(Ends, ALineWhereItEndsWhateverANameHolds) {
    std::string const evil = "eve\n  1 of 1  eve: nothing found \xe2\x80\xae\033[31m";
    tree("class/" + evil, "@printf '\\033]0;x\\007error: \\033[2J*** stop\\n' >&2; false");
    ShellResult const result = in_shell("vmcheck verify class --findings out --runs 20 " + class_option() + " 2>&1");
    EXPECT_THAT(result.said, AllOf(Not(HasSubstr("\n  1 of 1  eve: nothing")), Not(HasSubstr("\033")),
                                   Not(HasSubstr("\xe2\x80\xae"))));
    Result const single = run({"verify", (at("class") / evil).string()});
    EXPECT_EQ(single.exit_code, 4);
    EXPECT_THAT(single.err + single.out, AllOf(Not(HasSubstr("\033")), Not(HasSubstr("\n  1 of 1"))));
    fs::copy_file(kRight, at("k\033[31m\nforged"));
    Result const kernel = run({"verify", "--kernel", "k\033[31m\nforged", "--runs", "20"});
    EXPECT_EQ(kernel.exit_code, 0) << kernel.err;
    EXPECT_THAT(kernel.err + kernel.out, AllOf(Not(HasSubstr("\033")), Not(HasSubstr("\nforged"))));
    scratch.file("a.vmc", "# red \033[31m\nvmcheck 1\nprofile cow\np0 fork p1\n");
    Result const shown = run({"show", "a.vmc"});
    EXPECT_EQ(shown.exit_code, 0);
    EXPECT_THAT(shown.out, AllOf(HasSubstr("red"), Not(HasSubstr("\033"))));
}

TEST_F(Ends, AFolderWithABadFileAtTheEndOfTheGoodOnes) {
    std::string const good = "vmcheck 1\nprofile cow\np0 fork p1\n";
    scratch.file("all/a.vmc", "\xef\xbb\xbf" + good);
    scratch.file("all/b.vmc", "not a program\n");
    scratch.file("all/c.vmc", good);
    fs::create_directories(at("none"));
    Result const replayed = run({"replay", "all"});
    EXPECT_EQ(replayed.exit_code, 2);
    EXPECT_THAT(replayed.out, HasSubstr("2 of 2 programs replayed"));
    EXPECT_THAT(replayed.err, HasSubstr("b.vmc: line 1"));
    Result const shown = run({"show", "all"});
    EXPECT_EQ(shown.exit_code, 2);
    EXPECT_THAT(shown.out, AllOf(HasSubstr("a.vmc"), HasSubstr("c.vmc")));
    for (char const* command : {"show", "replay"}) {
        Result const none = run({command, "none"});
        EXPECT_EQ(none.exit_code, 2);
        EXPECT_THAT(none.err, HasSubstr("no program found"));
    }
}

TEST_F(Ends, EveryLineAsTheTerminalCan) {
    std::string const check = "vmcheck verify --kernel " + kWrong + " --runs 128 --findings f 2>&1";
    std::string const ascii = in_shell("export LC_ALL=C; " + check).said;
    EXPECT_TRUE(std::ranges::all_of(ascii, [](char c) { return static_cast<signed char>(c) >= 0; })) << ascii;
    EXPECT_THAT(ascii, HasSubstr("x 1 of 1   I3"));
    // A terminal, 40 columns wide.
    auto const on_terminal = [&](std::string const& before) {
        return in_shell(
                   fmt::format(
                       "{}; script -qec \"stty cols 40; '{}' verify --kernel {} --runs 100 --findings f 2>err.txt; "
                       "'{}' verify --kernel {} --runs 800 --findings f >/dev/null\" /dev/null </dev/null",
                       before, VMCHECK_BINARY, kWrong, VMCHECK_BINARY, kRight))
            .said;
    };
    std::string const plain = on_terminal("export TERM=xterm; unset NO_COLOR");
    EXPECT_THAT(plain, HasSubstr("\033[31m"));
    std::size_t lines = 0;
    for (std::size_t start = plain.find("\r\033[Krunning"); start != std::string::npos;
         start = plain.find("\r\033[Krunning", start + 1), ++lines) {
        std::string const line = plain.substr(start + 4, plain.find('\r', start + 1) - start - 4);
        EXPECT_LT(std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }), 40) << line;
    }
    EXPECT_GT(lines, 0U);
    EXPECT_THAT(on_terminal("export TERM=xterm NO_COLOR=1"), Not(HasSubstr("\033[31m")));
    EXPECT_THAT(on_terminal("export TERM=dumb"), Not(HasSubstr("\033")));
}

TEST_F(Ends, WithAWordOnWhatIsMeant) {
    for (char const* seed : {"-1", "99999999999999999999999", "x"}) {
        Result const result = run({"verify", "--kernel", kRight, "--seed", seed});
        EXPECT_EQ(result.exit_code, 2) << seed;
        EXPECT_THAT(result.err, HasSubstr("18446744073709551615")) << seed;
    }
    tree("tree", "false");
    EXPECT_THAT(run({"verify", "tree/kernel"}).err, HasSubstr("part of a tree: give tree"));
    fs::rename(at("tree/Makefile"), at("tree/GNUmakefile"));
    EXPECT_THAT(run({"verify", "tree"}).err, HasSubstr("GNUmakefile"));
    fs::rename(at("tree/GNUmakefile"), at("tree/Makefile"));
    scratch.file("x86/bootasm.S", "");
    EXPECT_THAT(run({"verify", "x86"}).err, HasSubstr("x86"));
    EXPECT_THAT(run({"verify", scratch.file("lab.zip", "PK\x03\x04")}).err, HasSubstr("an archive: unpack it"));
    EXPECT_THAT(run({"verfiy", "tree"}).err, HasSubstr("vmcheck verify"));
    EXPECT_THAT(run({"tree"}).err, HasSubstr("vmcheck verify tree"));
    Result const both = run({"verify", "tree", "--kernel", kRight, "--runs", "20"});
    EXPECT_EQ(both.exit_code, 2) << both.out;
    EXPECT_THAT(both.err, HasSubstr("--kernel"));
}

}  // namespace
}  // namespace vmcheck::e2e
