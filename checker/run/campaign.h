#pragma once
// A campaign: many random programs against one kernel, until something is found or the effort is spent.
//
// Programs are numbered; they are run in batches, and only whole batches count. What is reported of a batch is, for
// each family, the failure with the shortest program, of equal ones the first: so the result depends on seed and effort
// alone, not on threads. A batch holds programs of every mode (effort.h). Several may be run together, and come to the
// same.

#include "checker/run/effort.h"
#include "checker/run/machine_pool.h"
#include "checker/run/result.h"
#include "checker/run/shard.h"
#include "checker/run/stepper.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <vector>

namespace vmcheck::run {

struct Failure {
    Mode mode = Mode::plain;
    std::uint64_t index = 0;     // of the case, among those of its mode
    Run run;                     // ends with the divergence
    std::uint64_t seen = 1;      // programs of the campaign that came to a failure of this family
    std::set<Signature> also{};  // other signatures of the family
};

struct Progress {
    Counts counts;
    std::uint64_t programs_wanted = 0;
    std::chrono::milliseconds elapsed{0};
    std::optional<std::chrono::milliseconds> left{};  // an estimate
    std::size_t families = 0;
};

struct CampaignResult {
    std::vector<Failure> failures;  // one for each family, by mode and index
    Counts counts;
    std::size_t batches = 0;  // in which nothing was avoided
    bool interrupted = false;
    // Why no program could be started with little memory, if none could.
    std::optional<std::string> no_pressure{};
    // Why none could be run on two harts, or on three, where that is so.
    std::set<std::string> no_harts{};
    // Why the emulator failed, if it did: the campaign ended there.
    std::optional<std::string> engine_failure{};
};

// What a campaign begins with, and what it leaves for the next.
struct Corpus {
    struct Entry {
        Mode mode = Mode::plain;  // in which it is run
        spec::Program program;
        bool as_it_is = false;  // a shrunk failure: the mode's variations say no more
    };
    // Run before all others and not counted, but for those of other profiles than the kernel's; in half of Effort::time
    // at the most, in this order.
    std::vector<Entry> first{};
    // Told of each of these by its number: whether it failed, and whether code ran that none before had reached.
    std::function<void(std::size_t index, bool failed, bool fresh)> ran{};
    // Told of each of these that there was no time for.
    std::function<void(std::size_t index)> left_out{};
    // After each batch, of each program in it that reached such code, or was the first to fail in its way. Which of two
    // was the first depends on threads.
    std::function<void(Mode mode, spec::Program const& program)> keep{};
};

// A campaign that is divided among machines, to be put together from what each of them notes. What a case comes to
// depends on seed and index alone until something is to be avoided, and from there on on all that was seen
// (steering.h): so a shard ends there at the latest, and whoever puts the shards together runs what fails, and all that
// comes later, by himself.
struct CaseRecord {
    Counts counts{};
    std::optional<std::string> cannot_start{};
};
struct Division {
    // Only the cases that this shard takes, by their index in their mode. `programs` are then those of all shards.
    std::optional<Shard> shard{};
    // What this shard sees is all that it goes by: nobody puts the shards together case by case, so it goes on after
    // something is to be avoided.
    bool alone = false;
    // Told of each of them that did not fail.
    std::function<void(Mode mode, std::uint64_t index, CaseRecord record)> clean{};
    // What was told of it; null: it is to be run. On any thread.
    std::function<CaseRecord const*(Mode mode, std::uint64_t index)> known{};
    // After each batch in which nothing was avoided.
    std::function<void()> batch_done{};
};

// `report`: told, after so many programs as a batch has, how far it is; on any thread, one at a time.
// `first_seen`: told, while programs run, of a defect of a family that was not seen before and has come again since; on
// the thread that ran it, one at a time. Which program shows it there, and what comes first, depends on threads: it is
// for somebody who waits.
CampaignResult run_campaign(MachinePool& pool, Reference const& reference, std::uint64_t seed, Effort const& effort,
                            std::stop_token const& stop, std::function<void(Progress const&)> const& report,
                            std::function<void(Run const&)> const& first_seen = {}, Corpus const& corpus = {},
                            Division const& division = {});

}  // namespace vmcheck::run
