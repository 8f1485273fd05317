// Nights of fuzzing that follow one another on one corpus, and are killed at any moment.

#include "checker/e2e/command.h"
#include "checker/report/night.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <thread>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using report::Night;
using State = Night::State;
using std::chrono::milliseconds;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

class Nights : public testing::Test {
  protected:
    Result night(int seed, std::string const& corpus = "corpus") const {
        return vmcheck(words(seed, corpus), scratch_.path());
    }
    static std::vector<std::string> words(int seed, std::string const& corpus) {
        return {"fuzz", "--kernel", "kernel.elf",         "--corpus", corpus, "--runs",
                "100",  "--seed",   std::to_string(seed), "--jobs",   "1"};
    }
    // What is fuzzed from now on, under the same name.
    void be(std::string const& kernel) const { scratch_.copy(VMCHECK_KERNELS "/" + kernel + "/kernel", "kernel.elf"); }
    fs::path at(std::string const& name) const { return scratch_.path() / name; }

    // Each file with what is in it. Every program and every line must be whole.
    std::map<std::string, std::string> files(std::string const& corpus = "corpus") const {
        std::map<std::string, std::string> files;
        if (!fs::exists(at(corpus))) return files;
        for (auto const& entry : fs::recursive_directory_iterator(at(corpus))) {
            if (!entry.is_regular_file() || entry.path().extension() == ".part") continue;
            std::string const name = entry.path().lexically_relative(at(corpus)).string();
            std::string const& text = files[name] = read(entry.path());
            if (entry.path().extension() == ".vmc") {
                auto const program = spec::parse(text);
                EXPECT_TRUE(program && spec::print(*program) == text) << name;
            }
        }
        return files;
    }
    std::vector<Night> ledger(std::string const& corpus = "corpus") const {
        std::vector<Night> nights;
        std::string const text = read(at(corpus) / "nightly.jsonl");
        for (std::size_t begin = 0; begin < text.size();) {
            std::size_t const end = text.find('\n', begin);
            auto const each = report::parse_night(text.substr(begin, end - begin));
            EXPECT_TRUE(each && end != std::string::npos) << text;
            if (!each || end == std::string::npos) break;
            nights.push_back(*each);
            begin = end + 1;
        }
        return nights;
    }

    Scratch scratch_;
};

TEST_F(Nights, AFindingIsNewThenKnownThenGoneAndWrittenOnce) {
    be("mutants/16-parent-keeps-w");
    Result const first = night(1);
    EXPECT_EQ(first.exit_code, 1) << first.err;
    EXPECT_THAT(first.out, HasSubstr("findings: 1 new, 0 known, 0 gone"));
    auto const after_first = files();
    EXPECT_TRUE(
        std::ranges::any_of(after_first, [](auto const& each) { return each.first.starts_with("kept/plain-"); }));

    Result const second = night(2);
    EXPECT_EQ(second.exit_code, 1);
    EXPECT_THAT(second.out, HasSubstr("findings: 0 new, 1 known, 0 gone"));
    std::size_t found = 0;
    for (auto const& [name, text] : files())
        if (name.starts_with("found/")) {
            EXPECT_EQ(after_first.at(name), text) << "as it was";
            ++found;
        }
    EXPECT_EQ(found, 3U) << "the program, its user program, and a text for an issue tracker";

    be("cow-eager");
    Result const third = night(3);
    EXPECT_EQ(third.exit_code, 0);
    EXPECT_THAT(third.out, HasSubstr("findings: 0 new, 0 known, 1 gone"));
    be("mutants/16-parent-keeps-w");
    EXPECT_THAT(night(4).out, HasSubstr("findings: 0 new, 1 known, 0 gone")) << "it is back";
    fs::path const stored = at("corpus/found/" + ledger()[0].findings[0].name + ".vmc");
    std::string const failing = read(stored);
    scratch_.file(fs::relative(stored, scratch_.path()).string(),
                  failing.substr(0, failing.find("\np0 ")) + "\np0 sbrk 0\n");
    EXPECT_THAT(night(4).out, HasSubstr("findings: 0 new, 1 known, 0 gone")) << "by another program";
    EXPECT_NE(read(stored).find("fork"), std::string::npos) << "which is kept in place of the one that passes";
    auto const nights = ledger();
    ASSERT_EQ(nights.size(), 5U);
    EXPECT_EQ(nights[0].findings[0].name, nights[2].findings[0].name);
    EXPECT_EQ(nights[2].findings[0].state, State::gone);
    EXPECT_GT(nights[2].reached, 200U);
    EXPECT_EQ(read(at("corpus/nightly.html")), report::night_page(nights)) << "of the ledger alone";
}

// One that could not be run tonight, of which nobody knows whether it is the same.
TEST_F(Nights, AFindingOfTheSameMistakeDoesNotTakeThePlaceOfAnother) {
    be("mutants/16-parent-keeps-w");
    night(1, "before");
    std::string const name = ledger("before")[0].findings[0].name;
    std::string const other =
        "# I9 liveness at step 1: so.\nvmcheck 1\nprofile cow eager\nmemory 4000000\nfound on kernel.elf\np0 exec\n";
    scratch_.file("corpus/found/" + name + ".vmc", other);
    for (char const* state : {"1 new, 0 known, 0 gone", "0 new, 1 known, 0 gone"}) {
        EXPECT_THAT(night(1).out, HasSubstr(state));
        auto const found = files();
        EXPECT_EQ(found.at("found/" + name + ".vmc"), other);
        ASSERT_TRUE(found.contains("found/" + name + "-2.vmc"));
        EXPECT_EQ(found.at("found/" + name + "-2.vmc"), files("before").at("found/" + name + ".vmc"));
        EXPECT_EQ(ledger().back().findings[0].name, name + "-2");
    }
}

// The path of open may bring the page in, or not, and fork then shares it, or not: a kernel that did both needs a
// frame.
TEST_F(Nights, AdviceThatWasWrongIsGone) {
    be("cow-lazy");
    scratch_.file("corpus/found/store-takes-a-frame-too-many-1.vmc",
                  "vmcheck 1\nprofile cow lazy\nfound on kernel.elf\np0 sbrk +2p\np0 open brk-1p\np0 fork p1\n"
                  "p1 load heap+1p 1\np1 store brk-8 1 = 1 !oom 1\n");
    Result const result = night(1);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("findings: 0 new, 0 known, 1 gone"));
}

TEST_F(Nights, WhatIsKeptIsSoonAllAndNoNightNeedsToFindItAgain) {
    be("cow-eager");
    night(1);
    auto kept = files();
    std::erase_if(kept, [](auto const& each) { return !each.first.starts_with("kept/"); });
    EXPECT_GT(kept.size(), 5U);
    EXPECT_LT(kept.size(), 60U);
    // The same programs once more: each reached something, and all else does not.
    night(1);
    auto again = files();
    std::erase_if(again, [](auto const& each) { return !each.first.starts_with("kept/"); });
    for (auto const& [name, text] : again) EXPECT_TRUE(kept.contains(name)) << name;
    ASSERT_EQ(ledger().size(), 2U);
    EXPECT_EQ(ledger()[1].corpus, again.size());
    EXPECT_EQ(ledger()[1].reached, ledger()[0].reached);

    scratch_.file("corpus/kept/plain-1.vmc", "vmcheck 1\nprofile");
    scratch_.file("corpus/kept/notes.vmc", again.begin()->second);
    Result const odd = night(1);
    EXPECT_EQ(odd.exit_code, 0);
    EXPECT_THAT(odd.err, testing::AllOf(HasSubstr("plain-1.vmc: "), HasSubstr("notes.vmc: its name")));
    EXPECT_TRUE(fs::exists(at("corpus/kept/plain-1.vmc"))) << "not ours to remove";
}

// A short night does not spend all of its time on what is known.
TEST_F(Nights, HaveTimeForNewProgramsHoweverLargeTheCorpusIs) {
    be("cow-eager");
    for (int number = 0; number < 3000; ++number)
        scratch_.file("corpus/kept/sweep-" + std::to_string(number) + ".vmc",
                      "vmcheck 1\nprofile cow eager\np0 fork p1\np0 fork p2\np0 sbrk +" + std::to_string(number + 1) +
                          "\np1 exit 1\np0 wait\n");
    Result const result = vmcheck(
        {"fuzz", "--kernel", "kernel.elf", "--corpus", "corpus", "--time", "2s", "--jobs", "1"}, scratch_.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    ASSERT_EQ(ledger().size(), 1U);
    Night const night = ledger()[0];
    EXPECT_GT(night.programs, 0U);
    EXPECT_GT(night.left_out, 0U);
    EXPECT_GE(night.corpus, 3000U) << "what did not run is still there";
    EXPECT_THAT(result.out, HasSubstr(fmt::format("left out  {} programs of the corpus", night.left_out)));
}

// Three machines share a night; what they found and kept becomes one corpus, from which the next night goes on.
TEST_F(Nights, OfSeveralMachinesAreOneWhenTheyAreMerged) {
    be("mutants/16-parent-keeps-w");
    std::vector<std::string> shards;
    for (std::string const number : {"1", "2", "3"}) {
        auto words = this->words(1, "part-" + number);
        words.insert(words.end(), {"--shard", number + "/3"});
        Result const part = vmcheck(words, scratch_.path());
        EXPECT_EQ(part.exit_code, 1) << part.err;
        shards.push_back("part-" + number);
    }
    // As if it had a script for GDB as well.
    for (auto const& [name, text] : files("part-1"))
        if (name.starts_with("found/") && name.ends_with(".vmc"))
            scratch_.file("part-1/" + fs::path(name).replace_extension(".gdb").string(), "a script");
    scratch_.file("part-1/found/vmcheck.py", "what it plays with");
    auto const merge = [&](std::vector<std::string> words, std::string const& into) {
        words.insert(words.begin(), "merge");
        words.insert(words.end(), {"--out", into});
        Result const result = vmcheck(words, scratch_.path());
        EXPECT_EQ(result.exit_code, 0) << result.err;
        auto merged = files(into);
        // A text for an issue tracker says where the program lies.
        for (auto& [name, text] : merged)
            for (std::size_t place; (place = text.find(into + "/found/")) != std::string::npos;)
                text.replace(place, into.size(), "there");
        return merged;
    };
    auto const merged = merge(shards, "corpus");
    EXPECT_EQ(merge({shards[2], shards[0], shards[0], shards[1]}, "otherwise"), merged) << "in any order, and twice";
    EXPECT_EQ(merge({"corpus", shards[1]}, "again"), merged);
    EXPECT_EQ(merge(shards, "corpus"), merged);
    std::map<std::string, std::string> kept;
    std::size_t found = 0;
    for (std::string const& shard : shards)
        for (auto const& [name, text] : files(shard))
            if (name.starts_with("kept/")) kept[name] = text;
    for (auto const& [name, text] : merged) {
        if (name.starts_with("kept/")) {
            EXPECT_EQ(kept[name], text);
        }
        if (name.starts_with("found/")) ++found;
        kept.erase(name);
    }
    EXPECT_TRUE(kept.empty());
    EXPECT_EQ(found, 5U) << "one finding, with what belongs to it";
    EXPECT_EQ(merged.at("found/vmcheck.py"), "what it plays with");
    for (auto const& [name, text] : merged) EXPECT_EQ(text.find("part-"), std::string::npos) << name;

    auto const nights = ledger();
    ASSERT_EQ(nights.size(), 3U);
    std::uint64_t programs = 0;
    for (Night const& each : nights) programs += each.programs;
    night(1, "whole");
    EXPECT_EQ(programs, ledger("whole")[0].programs) << "each program on one of them";
    EXPECT_EQ(read(at("corpus/nightly.html")), report::night_page(nights));
    EXPECT_THAT(read(at("corpus/nightly.html")), HasSubstr("; 3 of 3 shards"));
    EXPECT_THAT(night(2).out, HasSubstr("findings: 0 new, 1 known, 0 gone"));

    scratch_.file("nothing/kept/plain-1.vmc", "");
    Result const refused = vmcheck({"merge", "part-1", "nothing", "--out", "elsewhere"}, scratch_.path());
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr("nothing: is no corpus"));
    EXPECT_FALSE(fs::exists(at("elsewhere/nightly.jsonl")));
}

// A tree whose history brings the kernel of mutant 16 with its fourth commit and mends it with its seventh; the third
// does not build. Its notes are not the kernel's.
class NightsOfATree : public Nights {
  protected:
    void SetUp() override {
        if (!base::find_program("git")) GTEST_SKIP() << "SKIP: no git here";
        git("init --quiet --initial-branch=main");
        for (int number = 1; number <= 8; ++number) {
            bool const is_wrong = number >= 4 && number < 7;
            scratch_.copy(
                std::string(VMCHECK_KERNELS) + (is_wrong ? "/mutants/16-parent-keeps-w/kernel" : "/cow-eager/kernel"),
                "tree/given/kernel");
            scratch_.file("tree/Makefile", std::string("kernel/kernel: kernel/main.c\n\t") +
                                               (number == 3 ? "false" : "cp given/kernel given/kernel.map kernel") +
                                               "\n");
            scratch_.file("tree/kernel/main.c", "int step = " + std::to_string(number) + ";\n");
            git("add .");
            git("commit --quiet -m 'step <" + std::to_string(number) + ">'");
            git("tag step-" + std::to_string(number));
        }
    }
    void git(std::string const& words) const {
        fs::create_directories(at("tree"));
        ShellResult const ran =
            shell("cd " + at("tree").string() +
                  " && GIT_CONFIG_GLOBAL=/dev/null git -c user.name=A -c user.email=a@b " + words + " 2>&1");
        ASSERT_EQ(ran.exit_code, 0) << words << ": " << ran.said;
    }
    // A night of the tree as it is at that commit.
    std::string night_at(std::string const& commit, std::vector<std::string> const& more = {}) const {
        git("checkout --quiet --force --detach " + commit);
        return night_now(more);
    }
    std::string night_now(std::vector<std::string> const& more = {}) const {
        std::vector<std::string> words{"fuzz", "tree", "--corpus", "corpus", "--runs", "100", "--jobs", "1"};
        words.insert(words.end(), more.begin(), more.end());
        Result const result = vmcheck(words, scratch_.path());
        EXPECT_LE(result.exit_code, 1) << result.err;
        return result.out;
    }
    std::string page() const { return read(at("corpus/nightly.html")); }
    // What the tree makes from now on.
    void be_now(std::string const& kernel) const {
        scratch_.copy(std::string(VMCHECK_KERNELS) + "/" + kernel + "/kernel", "tree/given/kernel");
    }
    void commit(std::string const& number) const {
        scratch_.file("tree/kernel/main.c", "int step = " + number + ";\n");
        git("add .");
        git("commit --quiet -m 'step <" + number + ">'");
        git("tag step-" + number);
    }
    void write_ledger(std::vector<Night> const& nights) const {
        std::string text;
        for (Night const& each : nights) text += report::print(each);
        scratch_.file("corpus/nightly.jsonl", text);
    }
};

TEST_F(NightsOfATree, NameTheCommitThatBroughtAFindingAndTheOneThatMendedIt) {
    EXPECT_THAT(night_at("step-1"), testing::Not(HasSubstr("commit    "))) << "nothing came or went";
    EXPECT_THAT(night_at("step-6"), HasSubstr("new since one of 2 commits, of which the newest is "));
    EXPECT_THAT(page(), HasSubstr("&quot;step &lt;4&gt;&quot;")) << "step 3 does not build";
    EXPECT_THAT(night_now(), testing::Not(HasSubstr("commit    "))) << "it is known";
    EXPECT_THAT(night_at("step-8"), testing::ContainsRegex("gone since commit [0-9a-f]{10} \"step <7>\""));
    EXPECT_THAT(night_now(), testing::Not(HasSubstr("commit    "))) << "it was gone before";
    EXPECT_THAT(page(), testing::ContainsRegex("gone since commit [0-9a-f]{10} &quot;step &lt;7&gt;&quot;"));
    auto const nights = ledger();
    ASSERT_EQ(nights.size(), 5U);
    EXPECT_EQ(nights[0].kernel_commit, shell("git -C " + at("tree").string() + " rev-parse step-1").said.substr(0, 40));
    EXPECT_FALSE(nights[0].kernel_changed);
    ASSERT_EQ(nights[1].findings.size(), 1U);
    EXPECT_EQ(nights[1].findings[0].change->suspects, 2U);
}

TEST_F(NightsOfATree, SayWhyNoCommitIsNamed) {
    night_at("step-1");
    scratch_.copy(VMCHECK_KERNELS "/mutants/16-parent-keeps-w/kernel", "tree/given/kernel");
    EXPECT_THAT(night_now(), HasSubstr("new by what was not committed"));
    EXPECT_TRUE(ledger()[1].kernel_changed);
    fs::remove_all(at("corpus"));

    night_at("step-8");
    EXPECT_THAT(night_at("step-5"), HasSubstr("the night before was on no ancestor of this one's"));
    fs::remove_all(at("corpus"));
    night_at("step-4");
    Night unlucky = ledger()[0];
    unlucky.findings.clear();
    fs::remove_all(at("corpus/found"));
    scratch_.file("corpus/nightly.jsonl", report::print(unlucky));
    EXPECT_THAT(night_at("step-5"), HasSubstr("older: the commit of the night before fails as well"));
    fs::remove_all(at("corpus"));

    git("checkout --quiet --force step-1");
    fs::remove_all(at("tree/.git"));
    night_now();
    scratch_.copy(VMCHECK_KERNELS "/mutants/16-parent-keeps-w/kernel", "tree/given/kernel");
    EXPECT_THAT(night_now(), testing::AllOf(HasSubstr("1 new"), testing::Not(HasSubstr("commit"))));
    EXPECT_THAT(read(at("corpus/nightly.jsonl")), testing::Not(HasSubstr("kernel_changed")));
}

TEST_F(NightsOfATree, RunTheCommitBeforeTheyBlameWhatIsNotCommitted) {
    night_at("step-4");
    Night unlucky = ledger()[0];
    unlucky.findings.clear();
    for (bool const changed : {false, true}) {
        fs::remove_all(at("corpus/found"));
        unlucky.kernel_changed = changed;
        write_ledger({unlucky});
        scratch_.file("tree/kernel/main.c", "int nothing = 1;\n");
        EXPECT_THAT(night_now(), HasSubstr(changed ? "that of the night before fails as well, and files differed"
                                                   : "older: the commit of the night before fails as well"));
        EXPECT_TRUE(ledger()[1].kernel_changed);
    }
    // What mended it is not committed.
    be_now("cow-eager");
    EXPECT_THAT(night_now(), HasSubstr("gone by what was not committed"));
    fs::remove_all(at("corpus"));

    // What brought it was not committed, and is not there any more.
    night_at("step-1");
    be_now("mutants/16-parent-keeps-w");
    EXPECT_THAT(night_now(), HasSubstr("new by what was not committed"));
    EXPECT_THAT(night_at("step-1"), HasSubstr("gone by what was not committed"));
    fs::remove_all(at("corpus"));

    // The commit fails otherwise.
    night_at("step-1");
    be_now("mutants/18-fork-does-not-count");
    commit("9");
    be_now("mutants/16-parent-keeps-w");
    std::string const said = night_now();
    EXPECT_THAT(said, HasSubstr("one of the two commits could not be judged"));
    EXPECT_THAT(said, testing::Not(HasSubstr("new since"))) << "that is another defect";
}

TEST_F(NightsOfATree, DoNotTakeAClonesEndForThatOfTheHistory) {
    night_at("step-1");
    ShellResult const cloned = shell("cd " + scratch_.path().string() + " && mv tree whole && git clone --quiet " +
                                     "--depth 1 --branch step-5 \"file://$PWD/whole\" tree 2>&1");
    ASSERT_EQ(cloned.exit_code, 0) << cloned.said;
    EXPECT_THAT(night_now(), HasSubstr("the tree's repository does not have both commits"));
}

TEST_F(NightsOfATree, SearchAgainForWhatAnEarlierNightDidNotFind) {
    night_at("step-1");
    night_at("step-6");
    auto const cut_short = [&](std::optional<Night::Change> const& change) {
        std::vector<Night> nights = ledger();
        nights.back().findings[0].change = change;
        write_ledger(nights);
    };
    cut_short(Night::Change{Night::Change::Search::no_time});
    EXPECT_THAT(night_now(), HasSubstr("new since one of 2 commits, of which the newest is "));
    EXPECT_EQ(ledger().back().findings[0].state, State::known);
    EXPECT_THAT(page(), HasSubstr("&quot;step &lt;4&gt;&quot;"));
    EXPECT_THAT(night_now(), testing::Not(HasSubstr("commit    "))) << "once is enough";

    night_at("step-8");
    for (auto const& change : {std::optional<Night::Change>(), {Night::Change{Night::Change::Search::no_time}}}) {
        cut_short(change);
        EXPECT_THAT(night_now(), testing::ContainsRegex("gone since commit [0-9a-f]{10} \"step <7>\""));
        EXPECT_THAT(page(), testing::ContainsRegex("gone since commit [0-9a-f]{10} &quot;step &lt;7&gt;&quot;"));
    }
    EXPECT_THAT(night_now(), testing::Not(HasSubstr("commit    ")));
}

TEST_F(NightsOfATree, SearchAgainAfterCtrlC) {
    night_at("step-1");
    git("checkout --quiet --force --detach step-6");
    base::Child process =
        start_vmcheck({"fuzz", "tree", "--corpus", "corpus", "--runs", "100", "--jobs", "1"}, scratch_.path());
    auto const began = Clock::now();
    while (ledger().size() < 2 && Clock::now() - began < std::chrono::minutes{2})
        std::this_thread::sleep_for(milliseconds{5});
    process.send(SIGINT);
    EXPECT_EQ(finish_vmcheck(process, scratch_.path()).exit_code, 1);
    ASSERT_EQ(ledger().size(), 2U);
    ASSERT_TRUE(ledger()[1].findings[0].change);
    EXPECT_EQ(ledger()[1].findings[0].change->search, Night::Change::Search::no_time);
    EXPECT_THAT(night_now(), HasSubstr("new since one of 2 commits, of which the newest is "));
}

TEST_F(NightsOfATree, DoNotTakeARunWithoutAnEndForOneThatPasses) {
    night_at("step-8");
    std::vector<Night> nights = ledger();
    be_now("variants/slow-fork");
    commit("9");
    nights[0].kernel_commit = shell("git -C " + at("tree").string() + " rev-parse HEAD").said.substr(0, 40);
    nights[0].findings = {{"slow-0123abcd", "it is slow", State::known}};
    be_now("cow-eager");
    commit("10");
    for (std::string const about : {"", "# I3 isolation at step 3: so.\n"}) {
        fs::remove_all(at("corpus"));
        write_ledger(nights);
        scratch_.file(
            "corpus/found/slow-0123abcd.vmc",
            about + "vmcheck 1\nprofile cow eager\nfound on tree\np0 sbrk +500p\np0 touch heap 500\n" + "p0 fork p1\n");
        EXPECT_THAT(night_now(), HasSubstr("one of the two commits could not be judged"));
    }
}

TEST_F(NightsOfATree, BuildACommitOnceForAllFindings) {
    std::string const builds = at("builds").string();
    for (int number = 9; number <= 13; ++number) {
        be_now(number < 12 ? "mutants/16-parent-keeps-w" : "cow-eager");
        scratch_.file("tree/Makefile", "kernel/kernel: kernel/main.c\n\techo " + std::to_string(number) + " >> " +
                                           builds + "\n\tcp given/kernel given/kernel.map kernel\n");
        commit(std::to_string(number));
    }
    std::vector<std::string> const trusted{"--trust-trees"};
    night_at("step-9", trusted);
    std::vector<Night> nights = ledger();
    ASSERT_EQ(nights[0].findings.size(), 1U);
    std::string const found = read(at("corpus/found/" + nights[0].findings[0].name + ".vmc"));
    nights[0].findings.push_back({"another-0123abcd", "another", State::known});
    write_ledger(nights);
    scratch_.file("corpus/found/another-0123abcd.vmc",
                  found.substr(0, found.find("\np0 ")) + "\np0 sbrk +1p\np0 fork p1\n");
    fs::remove(builds);
    std::string const said = night_at("step-13", trusted);
    EXPECT_THAT(said, HasSubstr("0 new, 0 known, 2 gone"));
    EXPECT_THAT(said, testing::ContainsRegex("another-0123abcd: gone since commit [0-9a-f]{10} \"step <12>\""));
    std::map<std::string, int> times;
    std::istringstream lines(read(builds));
    for (std::string line; std::getline(lines, line);) ++times[line];
    EXPECT_EQ(times["13"], 2) << "as it lies there, and as committed";
    EXPECT_EQ(times["9"], 1);
    EXPECT_EQ(times["12"], 1);
    for (auto const& [number, count] : times) EXPECT_LE(count, number == "13" ? 2 : 1) << number;
}

TEST_F(Nights, KilledAtAnyMomentLoseNothingAndGoOn) {
    std::array<std::string, 4> const kernels{"mutants/16-parent-keeps-w", "mutants/18-fork-does-not-count",
                                             "mutants/41-last-level-tables-leak", "cow-eager"};
    char const* const at_night = std::getenv("VMCHECK_MOMENTS");
    int const moments = at_night == nullptr ? 12 : std::stoi(at_night);
    be(kernels[0]);
    auto const began = Clock::now();
    night(1, "other");
    milliseconds const whole = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    std::mt19937 random(7);
    int killed = 0;
    std::map<std::string, std::string> before;
    for (int i = 0; i < moments; ++i) {
        be(kernels[static_cast<std::size_t>(i) % kernels.size()]);
        base::Child process = start_vmcheck(words(i, "corpus"), scratch_.path());
        std::this_thread::sleep_for(whole * std::uniform_int_distribution<int>(20, 110)(random) / 100);
        process.send(SIGKILL);
        killed += finish_vmcheck(process, scratch_.path()).exit_code == -1 ? 1 : 0;
        auto now = files();
        ledger();
        for (auto const& [name, text] : before) {
            bool const is_kept = name.starts_with("kept/");
            // What is kept for a kernel that reaches nothing with it any more is let go, and lines are added.
            if ((!is_kept && name != "nightly.html") || now.contains(name)) {
                EXPECT_EQ(now[name].substr(0, name == "nightly.jsonl" ? text.size() : std::string::npos),
                          name == "nightly.html" ? now[name] : text)
                    << name;
            }
        }
        for (auto const& [name, text] : now) {
            if (!name.starts_with("found/") || !name.ends_with(".vmc")) continue;
            std::string const stem = name.substr(0, name.size() - 4);
            EXPECT_TRUE(now.contains(stem + ".c") || now.contains(stem + ".gdb")) << name << " comes last";
        }
        before = std::move(now);
    }
    EXPECT_GT(killed, moments / 4);
    be(kernels[0]);
    EXPECT_EQ(night(1).exit_code, 1);
    auto const last = ledger().back().findings;
    EXPECT_TRUE(std::ranges::any_of(last, [](auto const& each) {
        return each.name.starts_with("fork-leaves-shared-page-writable") && each.state != State::gone;
    }));
    for (auto const& entry : fs::recursive_directory_iterator(at("corpus")))
        EXPECT_NE(entry.path().extension(), ".part") << entry.path();
}

}  // namespace
}  // namespace vmcheck::e2e
