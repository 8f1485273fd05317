#pragma once
// What the command line says, as plain values. Each field is one option; --help is made from the same words (main.cpp).

#include "checker/report/format.h"
#include "checker/run/effort.h"
#include "checker/run/shard.h"
#include "spec/program.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace vmcheck::cli {

// Which kernel, and how to run it.
struct KernelChoice {
    std::optional<std::filesystem::path> kernel;  // nothing: the reference kernel
    std::optional<std::filesystem::path> map_file;
    std::optional<spec::Profile> profile;
    bool of_lab = true;  // a tree that says which lab it is of is held to it
    bool accelerate = true;
    bool rebuild = false;     // a tree's kernel, even where it is newer than its sources
    bool trusted = false;     // a tree's programs run without a sandbox
    bool in_sandbox = false;  // this program runs in one, and the tree's in one within it
    unsigned jobs = 1;        // commands at a time that build a tree
    std::stop_token stop{};   // ends the build of a tree
};

// run: what to run, and on what machine.
struct RunChoice {
    std::optional<std::filesystem::path> image;  // nothing: the reference kernel's programs
    unsigned harts = 1;
    std::uint64_t seconds_max = 120;  // by the board's clock
    std::vector<std::string> words;   // the program and its arguments
};

// debug: how GDB comes to it.
struct DebugChoice {
    std::uint16_t port = 0;  // 0: any that is free
    bool gdb = false;        // start it here
};

// bisect: what to search for, and where.
struct BisectChoice {
    std::filesystem::path finding;
    std::optional<std::string> good;  // nothing: it is looked for
    std::string bad = "HEAD";
};

struct Options {
    KernelChoice kernel;
    std::uint64_t seed = 1;
    run::Level level = run::Level::normal;  // verify: how many programs, where `runs` does not say
    std::optional<std::uint64_t> runs;
    bool allocation_faults = true;
    bool memory_pressure = true;
    bool preemption = true;
    bool several_harts = true;
    std::optional<std::chrono::milliseconds> time;
    unsigned jobs = 1;
    // verify, fuzz: a file for the lines of the kernel that were reached, as LCOV.
    std::optional<std::filesystem::path> coverage{};
    bool shrink = true;
    std::uint32_t findings_max = 1'000;           // different failures to look for, shrink and show
    bool confirm = false;                         // verify, fuzz: each finding's repro.c on QEMU
    bool json = false;                            // the report as JSON on standard output
    std::optional<report::Format> format;         // the report in this format: in `out`, else on standard output
    std::optional<std::filesystem::path> out;     // the report in a file; as JSON where no format is given
    bool grant_unchecked = false;                 // Gradescope: points for what could not be checked
    std::filesystem::path findings = "findings";  // verify: directory for what is found
    std::optional<std::chrono::milliseconds> time_per_tree;  // verify, of a class: the longest that one tree may take
    bool again = false;                                      // verify, of a class: keeps nothing of an earlier run
    // verify, fuzz: only the trees, or of one kernel the programs, of this shard.
    std::optional<run::Shard> shard{};
    // merge: the directories of their results. The same for the verify that it starts, of one kernel.
    std::vector<std::filesystem::path> shards{};
    std::vector<std::string> passed_on;           // verify, of a class: the options that each tree is verified with
    std::filesystem::path corpus = "corpus";      // fuzz: where found/ is
    std::vector<std::filesystem::path> programs;  // replay, shrink, show, debug
    RunChoice run;
    DebugChoice debug;
    BisectChoice bisect;
    bool colour = false;
    std::FILE* text = stdout;  // where text for a person goes: standard error when a report takes standard output
    std::stop_token stop;
    std::stop_token last_call;  // base::Interrupt
};

}  // namespace vmcheck::cli
