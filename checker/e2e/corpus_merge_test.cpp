// Corpora of fuzz that are put together: written here by hand, so that they differ in what a night would seldom bring.

#include "checker/e2e/command.h"
#include "checker/report/night.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using report::Night;
using State = Night::State;
using Files = std::map<std::string, std::string>;
using testing::HasSubstr;

constexpr char const* kName = "copy-panics-0123abcd";

class CorpusMerge : public testing::Test {
  protected:
    fs::path at(std::string const& name) const { return scratch_.path() / name; }

    static Night night(std::string const& began, std::vector<std::pair<std::string, State>> const& findings) {
        Night night;
        night.began = began;
        night.kernel = "kernel.elf";
        night.profile = "cow fork, eager sbrk";
        for (auto const& [name, state] : findings) night.findings.push_back({name, "a copy panics", state});
        return night;
    }
    void ledger(std::string const& corpus, std::vector<Night> const& nights) const {
        std::string text;
        for (Night const& each : nights) text += report::print(each);
        scratch_.file(corpus + "/nightly.jsonl", text);
    }
    // A finding with what belongs to it, as fuzz writes it. `steps`: lines of a program; it fails at the last.
    void finding(std::string const& corpus, std::string const& name, std::string const& invariant,
                 std::string const& steps) const {
        std::string const stem = corpus + "/found/" + name;
        std::string const text = fmt::format("# {} at step 1: so.\nvmcheck 1\nprofile cow eager\n{}", invariant, steps);
        EXPECT_EQ(spec::print(spec::parse(text).value()), text);
        scratch_.file(stem + ".c", "shows " + steps);
        scratch_.file(stem + ".md", "vmcheck replay " + stem + ".vmc shows " + steps);
        scratch_.file(stem + ".vmc", text);
    }

    // What lies there then, but for the page, which is made of the ledger.
    Files merge(std::vector<std::string> words, std::string const& into) const {
        words.insert(words.begin(), "merge");
        words.insert(words.end(), {"--out", into});
        Result const result = vmcheck(words, scratch_.path());
        EXPECT_EQ(result.exit_code, 0) << result.err;
        return files(into);
    }
    Files files(std::string const& into) const {
        Files files;
        for (auto const& entry : fs::recursive_directory_iterator(at(into)))
            if (entry.is_regular_file() && entry.path().extension() != ".html" && entry.path().extension() != ".part")
                files[entry.path().lexically_relative(at(into)).string()] = read(entry.path());
        for (auto& [name, text] : files)
            for (std::size_t place; (place = text.find(into + "/found/")) != std::string::npos;)
                text.replace(place, into.size(), "there");
        return files;
    }
    // The name of the finding whose program ends so. Each has with it what is its own.
    static std::string named(Files const& files, std::string const& last_step) {
        std::string found;
        for (auto const& [name, text] : files) {
            if (!name.starts_with("found/") || !name.ends_with(".vmc") || !text.ends_with(last_step + "\n")) continue;
            EXPECT_EQ(found, "") << "there twice";
            found = fs::path(name).stem().string();
            std::string const steps = text.substr(text.find("p0 "));
            EXPECT_EQ(files.at("found/" + found + ".c"), "shows " + steps);
            EXPECT_EQ(files.at("found/" + found + ".md"),
                      fmt::format("vmcheck replay there/found/{}.vmc shows {}", found, steps));
        }
        EXPECT_NE(found, "") << last_step;
        return found;
    }
    static std::vector<Night> nights(Files const& files) {
        std::vector<Night> all;
        std::string const& text = files.at("nightly.jsonl");
        for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
            all.push_back(report::parse_night(text.substr(at, text.find('\n', at) - at)).value());
        return all;
    }

    Scratch scratch_;
};

TEST_F(CorpusMerge, PrefersTheProgramThatANewerNightHasSeenFail) {
    finding("old", kName, "I9 liveness", "p0 fork p1\n");
    ledger("old", {night("2026-11-01T21:00:00Z", {{kName, State::fresh}}),
                   night("2026-11-09T21:00:00Z", {{kName, State::gone}})});
    finding("new", kName, "I9 liveness", "p0 sbrk +1p\np0 fork p2\n");
    ledger("new", {night("2026-11-02T21:00:00Z", {{kName, State::fresh}}),
                   night("2026-11-08T21:00:00Z", {{kName, State::known}})});
    Files const merged = merge({"old", "new"}, "corpus");
    EXPECT_EQ(named(merged, "fork p2"), kName) << "the shorter one is gone";
    EXPECT_EQ(merged.size(), 4U);
    EXPECT_EQ(merge({"new", "old", "new"}, "otherwise"), merged) << "in any order";
    EXPECT_EQ(merge({"old"}, "corpus"), merged) << "what is there takes part";
    EXPECT_EQ(merge({"corpus", "old"}, "again"), merged);

    ledger("old", {night("2026-11-10T21:00:00Z", {{kName, State::known}})});
    EXPECT_EQ(named(merge({"new", "old"}, "back"), "fork p1"), kName);
}

TEST_F(CorpusMerge, PrefersTheShorterProgramOfTheShardsOfOneNight) {
    Night first = night("2026-11-01T21:00:00Z", {{kName, State::fresh}}), second = first;
    first.shard = run::Shard{1, 2};
    second.shard = run::Shard{2, 2};
    second.began = "2026-11-01T21:00:07Z";
    finding("first", kName, "I9 liveness", "p0 fork p1\n");
    ledger("first", {first});
    finding("second", kName, "I9 liveness", "p0 sbrk +1p\np0 fork p2\n");
    ledger("second", {second});
    Files const merged = merge({"first", "second"}, "corpus");
    EXPECT_EQ(named(merged, "fork p1"), kName);
    EXPECT_EQ(merge({"second", "first"}, "otherwise"), merged);
    EXPECT_EQ(merge({"second"}, "corpus"), merged);
}

// Which of two is called after the mistake alone, and which -2, is another thing in each corpus.
TEST_F(CorpusMerge, TellsFindingsApartByWhatTheyAreAndNotByTheirNumbers) {
    std::string const second = std::string(kName) + "-2";
    finding("a", kName, "I9 liveness", "p0 fork p1\n");
    finding("a", second, "I9 liveness", "p0 pipe_read heap 8\n");
    ledger("a", {night("2026-11-01T21:00:00Z", {{kName, State::fresh}, {second, State::fresh}})});
    finding("b", kName, "I9 liveness", "p0 pipe_read heap 8\n");
    finding("b", second, "I9 liveness", "p0 sbrk +1p\np0 fork p1\n");
    ledger("b", {night("2026-11-02T21:00:00Z", {{kName, State::fresh}, {second, State::gone}})});
    Files const merged = merge({"a", "b"}, "corpus");
    EXPECT_EQ(merged.size(), 7U);
    std::string const reads = named(merged, "pipe_read heap 8"), forks = named(merged, "p0 fork p1");
    EXPECT_EQ(merge({"b", "a"}, "otherwise"), merged);
    EXPECT_EQ(merge({"corpus", "b"}, "again"), merged);
    EXPECT_EQ(merge({"b", "a"}, "corpus"), merged);
    std::vector<Night> const nights = CorpusMerge::nights(merged);
    ASSERT_EQ(nights.size(), 2U);
    auto const state = [&](std::size_t at, std::string const& name) {
        for (Night::Finding const& each : nights[at].findings)
            if (each.name == name) return each.state;
        ADD_FAILURE() << name;
        return State::fresh;
    };
    EXPECT_EQ(state(0, reads), State::fresh);
    EXPECT_EQ(state(1, reads), State::fresh);
    EXPECT_EQ(state(1, forks), State::gone) << "in the ledger, too, each by its name here";
}

TEST_F(CorpusMerge, KeepsBothWhereEachHasOneOfThem) {
    finding("a", kName, "I9 liveness", "p0 fork p1\n");
    ledger("a", {night("2026-11-01T21:00:00Z", {{kName, State::fresh}})});
    finding("b", kName, "I9 liveness", "p0 pipe_read heap 8\n");
    ledger("b", {night("2026-11-02T21:00:00Z", {{kName, State::fresh}})});
    Files const merged = merge({"a", "b"}, "corpus");
    EXPECT_EQ(merge({"b", "a"}, "otherwise"), merged);
    std::string const reads = named(merged, "pipe_read heap 8"), forks = named(merged, "p0 fork p1");
    EXPECT_NE(reads, forks);

    // Where one is there already it is called so for good.
    Files const reading = merge({"b"}, "reading"), forking = merge({"a"}, "forking");
    EXPECT_EQ(named(merge({"a"}, "reading"), "pipe_read heap 8"), kName);
    EXPECT_EQ(named(merge({"b"}, "forking"), "p0 fork p1"), kName);
}

// Two that differ in nothing that can be read from their programs.
TEST_F(CorpusMerge, LosesNoneOfTwoThatOneCorpusHasFoundAlike) {
    std::string const second = std::string(kName) + "-2";
    finding("a", kName, "I9 liveness", "p0 fork p2\n");
    ledger("a", {night("2026-11-01T21:00:00Z", {{kName, State::fresh}})});
    finding("b", kName, "I9 liveness", "p0 sbrk +3p\np0 fork p1\n");
    finding("b", second, "I9 liveness", "p0 fork p2\n");
    ledger("b", {night("2026-11-02T21:00:00Z", {{kName, State::fresh}, {second, State::fresh}})});
    Files const merged = merge({"a", "b"}, "corpus");
    EXPECT_EQ(merged.size(), 7U);
    EXPECT_NE(named(merged, "fork p2"), named(merged, "fork p1"));
    EXPECT_EQ(merge({"b", "a", "b"}, "otherwise"), merged);
    EXPECT_EQ(merge({"corpus", "a"}, "again"), merged);
}

TEST_F(CorpusMerge, KilledAtAnyMomentLosesNothingAndGoesOn) {
    std::string const second = std::string(kName) + "-2";
    finding("a", kName, "I9 liveness", "p0 fork p1\n");
    finding("a", second, "I4 reference counts", "p0 fork p1\np0 exec\n");
    ledger("a", {night("2026-11-01T21:00:00Z", {{kName, State::fresh}, {second, State::fresh}})});
    finding("there", kName, "I9 liveness", "p0 pipe_read heap 8\n");
    finding("there", second, "I4 reference counts", "p0 fork p1\np0 exec\n");
    ledger("there", {night("2026-11-02T21:00:00Z", {{kName, State::fresh}, {second, State::fresh}})});
    fs::copy(at("there"), at("whole"), fs::copy_options::recursive);
    auto const began = std::chrono::steady_clock::now();
    Files const whole = merge({"a"}, "whole");
    auto const time = std::chrono::steady_clock::now() - began;
    constexpr int kMoments = 20;
    for (int moment = 0; moment < kMoments; ++moment) {
        fs::remove_all(at("corpus"));
        fs::copy(at("there"), at("corpus"), fs::copy_options::recursive);
        base::Child process = start_vmcheck({"merge", "a", "--out", "corpus"}, scratch_.path());
        std::this_thread::sleep_for(time * moment / kMoments);
        process.send(SIGKILL);
        finish_vmcheck(process, scratch_.path());
        Files const now = files("corpus");
        EXPECT_EQ(named(now, "pipe_read heap 8"), kName);
        EXPECT_EQ(named(now, "p0 exec"), second);
        if (now.contains("found/" + std::string(kName) + "-3.vmc")) named(now, "p0 fork p1");
        EXPECT_EQ(merge({"a"}, "corpus"), whole);
    }
}

TEST_F(CorpusMerge, NamesThatFuzzDoesNotGiveGrowNoNumbers) {
    finding("a", "bug", "I3 isolation", "p0 fork p1\n");
    finding("b", "bug", "I9 liveness", "p0 exec\n");
    for (char const* corpus : {"a", "b"}) ledger(corpus, {night("2026-11-01T21:00:00Z", {{"bug", State::fresh}})});
    Files const once = merge({"a", "b"}, "corpus");
    EXPECT_NE(named(once, "p0 fork p1"), named(once, "p0 exec"));
    EXPECT_EQ(merge({"a", "b"}, "corpus"), once);
}

TEST_F(CorpusMerge, WhatLiesThereStays) {
    finding("a", kName, "I3 isolation", "p0 fork p1\n");
    ledger("a", {night("2026-11-02T21:00:00Z", {{kName, State::fresh}})});
    ledger("corpus", {night("2026-11-01T21:00:00Z", {{kName, State::fresh}})});
    std::string const stem = "corpus/found/" + std::string(kName);
    scratch_.file(stem + ".vmc", "vmcheck 2\n");
    Files const now = merge({"a"}, "corpus");
    EXPECT_EQ(read(at(stem + ".vmc")), "vmcheck 2\n") << "nobody knows what it is";
    EXPECT_EQ(named(now, "p0 fork p1"), std::string(kName) + "-2");
}

TEST_F(CorpusMerge, NotesBesideAProgramStay) {
    std::string const notes = "corpus/found/" + std::string(kName) + ".txt";
    finding("corpus", kName, "I3 isolation", "p0 sbrk +1\np0 fork p1\n");
    scratch_.file(notes, "ask me");
    ledger("corpus", {night("2026-11-01T21:00:00Z", {{kName, State::fresh}})});
    finding("a", kName, "I3 isolation", "p0 fork p1\n");
    ledger("a", {night("2026-11-02T21:00:00Z", {{kName, State::fresh}})});
    EXPECT_EQ(named(merge({"./a"}, "corpus"), "p0 fork p1"), kName) << "however it is spelled";
    EXPECT_EQ(read(at(notes)), "ask me");
}

TEST_F(CorpusMerge, FollowsNoLinks) {
    finding("a", kName, "I3 isolation", "p0 fork p1\n");
    ledger("a", {night("2026-11-01T21:00:00Z", {{kName, State::fresh}})});
    fs::create_symlink(at("a/found") / (std::string(kName) + ".vmc"), at("a/found/link.vmc"));
    Result const left_out = vmcheck({"merge", "a", "--out", "corpus"}, scratch_.path());
    EXPECT_EQ(left_out.exit_code, 0);
    EXPECT_THAT(left_out.err, HasSubstr("left out  a/found/link.vmc: a link, or no plain file."));
    ledger("elsewhere", {});
    fs::create_directories(at("other"));
    fs::create_directory_symlink(at("elsewhere"), at("other/found"));
    Result const refused = vmcheck({"merge", "a", "--out", "other"}, scratch_.path());
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr("other/found is a link, and merge writes nowhere but into --out."));
    EXPECT_EQ(std::distance(fs::directory_iterator(at("elsewhere")), {}), 1) << "the ledger";
}

TEST_F(CorpusMerge, TakesThousandsOfPrograms) {
    constexpr int kPrograms = 4000;
    for (int number = 0; number < kPrograms; ++number)
        scratch_.file("a/kept/plain-" + std::to_string(number) + ".vmc",
                      "vmcheck 1\nprofile cow eager\np0 sbrk +" + std::to_string(number + 1) + "\n");
    ledger("a", {night("2026-11-01T21:00:00Z", {})});
    fs::copy(at("a"), at("corpus"), fs::copy_options::recursive);
    Result const result = vmcheck({"merge", "a", "--out", "corpus"}, scratch_.path());
    EXPECT_THAT(result.out, HasSubstr(std::to_string(kPrograms) + " programs"));
}

}  // namespace
}  // namespace vmcheck::e2e
