// vmcheck debug under Debian's GDB: whole sessions, as in debug/, and what goes wrong around them.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <regex>
#include <thread>

namespace vmcheck::e2e {
namespace {

using testing::HasSubstr;

std::string const kParentKeepsW = VMCHECK_KERNELS "/mutants/16-parent-keeps-w/kernel";
std::string const kLostReference = VMCHECK_KERNELS "/mutants/130-reference-added-without-the-lock/kernel";

// What differs from compiler to compiler: addresses, instruction counts, and the lines that our own source has today.
std::string without_numbers(std::string text) {
    for (auto const& [what, by] : {std::pair{"0x[0-9a-f]+", "0x_"},
                                   {"instruction [0-9]+ of [0-9]+", "instruction N of N"},
                                   {"value = [1-9][0-9]*", "value = V"},
                                   {":[0-9]+|, line [0-9]+\\.", ":N"},
                                   {"(^|\n)[0-9]+\t", "$1N\t"},
                                   {"warning:[^\n]*\n", ""},
                                   {"<[^>]*>:\t([^\t]*)[^\n]*", "<_>: $1"}})
        text = std::regex_replace(text, std::regex(what), by);
    return text;
}

class Debug : public testing::Test {
  protected:
    void SetUp() override {
        if (!base::find_program("gdb-multiarch")) GTEST_SKIP() << "There is no gdb-multiarch.";
    }
    // Starts it, and gives where GDB comes to it.
    std::string start(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "debug");
        server.emplace(start_vmcheck(arguments, scratch.path()));
        std::smatch found;
        for (int i = 0; i < 1200; ++i) {
            std::string const said = read(scratch.path() / "stdout.txt");
            if (std::regex_search(said, found, std::regex("target remote (127.0.0.1:[0-9]+)"))) return found[1];
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
        }
        ADD_FAILURE() << read(scratch.path() / "stderr.txt");
        return "";
    }
    static std::string gdb(std::string const& kernel, std::string const& address, std::string const& more) {
        // A mutant's sources lie beside it, and its paths are relative.
        std::filesystem::path const sources = std::filesystem::path(kernel).parent_path() / "source";
        std::string const where =
            std::filesystem::exists(sources) ? fmt::format("-iex 'directory {}'", sources.string()) : "";
        return shell(fmt::format("gdb-multiarch -q -batch -nx -iex 'set width 0' -iex 'set pagination off' {} {} -ex "
                                 "'target remote {}' {} 2>&1",
                                 where, kernel, address, more))
            .said;
    }
    // A session of debug/, held against what lies beside it.
    void session(std::string const& name, std::string const& kernel, std::string const& address,
                 std::string const& more = "") {
        std::string const script = VMCHECK_DEBUG_SESSIONS "/" + name + ".gdb";
        std::string const seen = gdb(kernel, address, more + " -x " + script);
        EXPECT_EQ(without_numbers(seen), read(VMCHECK_DEBUG_SESSIONS "/" + name + ".expected")) << seen;
        EXPECT_EQ(finish_vmcheck(*server, scratch.path()).exit_code, 0);
    }

    Scratch scratch;
    std::optional<base::Child> server;
};

TEST_F(Debug, FindsTheStoreThatSetW) {
    std::string const program = VMCHECK_DEBUG_SESSIONS "/who_set_w.vmc";
    std::string const address = start({"--kernel", kParentKeepsW, program});
    // A first client asks where the PTE lies, and goes.
    std::string const pages = gdb(kParentKeepsW, address, "-ex 'monitor pages heap'");
    std::smatch pte;
    ASSERT_TRUE(std::regex_search(pages, pte, std::regex("p0  PTE at (0x[0-9a-f]+)"))) << pages;
    session("who_set_w", kParentKeepsW, address, fmt::format("-ex 'set $pte = {}'", pte[1].str()));
}

TEST_F(Debug, ShowsHowTwoHartsLoseAnUpdate) {
    std::string const program = VMCHECK_CORPUS "/regression/130-reference-added-without-the-lock.vmc";
    session("two_harts", kLostReference, start({"--kernel", kLostReference, program}));
}

TEST_F(Debug, KnowsTheKernelOfAFindingAndStartsGdb) {
    Result const verify =
        vmcheck({"verify", "--kernel", kParentKeepsW, "--runs", "64", "--max-findings", "1"}, scratch.path());
    ASSERT_EQ(verify.exit_code, 1) << verify.err;
    // GDB has nobody to ask, and ends.
    Result const result = vmcheck({"debug", "findings/1-I3-fork.vmc", "--gdb"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("I3 isolation at step 1"));
    EXPECT_THAT(result.out, HasSubstr(kParentKeepsW));
    EXPECT_THAT(result.out, HasSubstr("user_trap ()"));
}

TEST_F(Debug, SaysWhichKernelItIsNotAndEndsSoonByCtrlC) {
    start({scratch.file("moved.vmc", "vmcheck 1\nprofile cow eager\nfound on gone/kernel\np0 fork p1\n")});
    EXPECT_THAT(read(scratch.path() / "stderr.txt"), HasSubstr("gone/kernel is not here"));
    EXPECT_THAT(read(scratch.path() / "stdout.txt"), HasSubstr("does not fail on this kernel"));
    auto const asked = std::chrono::steady_clock::now();
    server->send(SIGINT);
    EXPECT_EQ(finish_vmcheck(*server, scratch.path()).exit_code, 130);
    EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds{2});
}

TEST_F(Debug, SaysWhatIsWrongWithWhatItIsGiven) {
    EXPECT_EQ(vmcheck({"debug", "nowhere.vmc"}, scratch.path()).exit_code, 2);
    EXPECT_EQ(vmcheck({"debug", scratch.file("bad.vmc", "vmcheck 1\nrubbish\n")}, scratch.path()).exit_code, 2);
    std::string const program = VMCHECK_CORPUS "/regression/16-parent-keeps-w.vmc";
    EXPECT_EQ(vmcheck({"debug", program, "--kernel", scratch.file("kernel", "no ELF")}, scratch.path()).exit_code, 4);
    EXPECT_EQ(vmcheck({"debug", program, "--port", "99999"}, scratch.path()).exit_code, 2);
}

}  // namespace
}  // namespace vmcheck::e2e
