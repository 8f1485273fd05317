#pragma once
// What a night of fuzzing came to, as a line of JSON in a ledger that is kept across nights; and the page that is made
// of the ledger alone.

#include "checker/run/shard.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

// One kernel's. What is not known is empty, or 0.
struct Night {
    enum class State : std::uint8_t {
        fresh,  // in no earlier line of this kernel
        known,
        gone,  // the program that was found does not fail any more
    };
    // What the history of the kernel's tree says of a finding that came, or went, between the commits of two nights.
    struct Change {
        enum class Search : std::uint8_t {
            found,            // the first commit that fails, or of what is gone the first that does not
            one_of,           // of `suspects` commits, `commit` being the newest: the others could not be judged
            earlier,          // the commit of the night before fails as well: that night did not come upon it
            earlier_changed,  // the same, but files differed from the commit then
            uncommitted,      // by what was not committed in one of the two nights
            not_repeated,     // its program does not do on the commits what it did in the nights
            not_an_ancestor,  // of one commit is the other no descendant
            not_there,        // one of the two commits, or what lies between them, is not in the repository
            not_judged,       // one of the two commits: its kernel cannot be built or run, or fails in another way
            no_time,          // was left for it
            no_history,       // git is not here, or cannot read the repository
            no_tree,          // the kernel was given as a file, so nobody knows how to make it
        };
        Search search = Search::found;
        std::string commit{};  // found and one_of: its id and first line
        std::string subject{};
        std::uint64_t suspects = 1;
    };
    struct Finding {
        std::string name;  // of its files in found/
        std::string title;
        State state = State::fresh;
        // Of what is new or gone; of others where an earlier night had no time for it. Nothing: the kernel is in no git
        // tree, or of the same commit as before.
        std::optional<Change> change{};
    };
    // Whether its history has been searched to an end.
    static bool is_answered(std::optional<Change> const& change) {
        return change && change->search != Change::Search::no_time;
    }
    std::string began;  // "2026-11-26T21:04:03Z"
    std::uint64_t seconds = 0;
    std::string kernel;
    std::string profile;          // "cow fork, lazy sbrk"
    std::string kernel_commit;    // of the git tree that it lies in, as the night began
    bool kernel_changed = false;  // files of the tree differed from it
    std::string vmcheck;          // version and commit
    std::string machine;          // processor, cores, memory
    std::uint64_t seed = 0;
    std::optional<run::Shard> shard{};  // of the programs of this seed, only those of this shard
    // Of together(), not of the ledger: how many of its shards are in it.
    unsigned shards = 1;
    std::uint64_t programs = 0;
    std::uint64_t steps = 0;
    std::uint64_t reached = 0, lines = 0;  // of the code about memory, in lines or else functions
    std::uint64_t corpus = 0;              // programs that are kept for this profile
    std::uint64_t left_out = 0;            // of these and of the findings: what there was no time to begin with
    std::vector<Finding> findings{};
};

// "new since commit 0123456789 "lazy sbrk"", "its commit was not searched for: no time was left"; in one line, of what
// is gone "gone since ...". REQUIRES: finding.change.
std::string change_words(Night::Finding const& finding);

// One line, with its end.
std::string print(Night const& night);
// Nothing where the line is none.
std::optional<Night> parse_night(std::string_view line);

// The shards of one night, which stand beside one another in a ledger, as one night: of the same kernel, seed and
// number of shards, from the first line to where a shard comes for the second time. Programs are added up. What they
// reached together is not known: it is what the best of them did, and at least that. `nights`: the oldest first.
std::vector<Night> together(std::vector<Night> const& nights);

// Whether both are shards of what may be one night: by all but their numbers.
bool are_shards_of_one(Night const& one, Night const& other);

// One file without script or network. `ledger`: the oldest first; findings' names lead to found/NAME.vmc beside it.
std::string night_page(std::vector<Night> const& ledger);

}  // namespace vmcheck::report
