#pragma once
// The corpus of fuzz, which grows from night to night:
//
//     kept/MODE-HASH.vmc    programs that reached code which none before had, or failed in a way of their own; the next
//                           night begins with them
//     found/NAME.vmc, .c    findings, one for each mistake of a kernel; what one is called depends on the mistake alone
//     nightly.jsonl         a line for each night, of which nightly.html is made
//
// Each file is written whole and for good, and what depends on another after it: ended at any moment, it goes on from
// what is there. It is one machine's: several may fuzz into it one after the other, each machine into its own at a
// time, and merge_corpora() makes one of them.

#include "checker/cli/output.h"
#include "checker/cli/tree_history.h"
#include "checker/finding/finding.h"
#include "checker/report/night.h"
#include "checker/run/campaign.h"

#include <tl/expected.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck::cli {

class FuzzCorpus {
  public:
    // Reads what there is; what is no program is told of and left alone. Fails where the ledger cannot be read.
    static tl::expected<FuzzCorpus, Stop> open(std::filesystem::path directory);

    // What the campaign begins with, and where it leaves what it keeps. Refers to this value.
    run::Corpus for_campaign();
    // To be told before the first program is kept.
    void set_kernel(std::string name) { kernel_ = std::move(name); }
    // Where a session's findings go. Refers to this value.
    Filing filing(SessionResult const& session);
    // After they were written: removes what this kernel does not need any more, adds a line to the ledger, and makes
    // the page. What came or went with another commit of the tree is searched for in its history. Fails where something
    // could not be written, also while programs ran.
    tl::expected<report::Night, Stop> end(SessionResult const& session, std::chrono::system_clock::time_point began,
                                          std::optional<run::Shard> shard, TreeHistory& tree);

  private:
    struct File {
        std::filesystem::path path;
        bool is_found = false;  // else kept
        bool ran = false, failed = false, fresh = false;
        bool left_out = false;  // there was no time for it
    };
    explicit FuzzCorpus(std::filesystem::path directory) : directory_(std::move(directory)) {}
    void read(std::filesystem::path const& folder, bool is_found);
    void arrange();
    void keep(run::Mode mode, spec::Program program);
    std::string name_of(Finding const& finding, SessionResult const& session);
    std::string number_of(std::string const& mistake, Finding const& finding) const;
    void forget_what_passes(std::string const& name) const;
    // Two nights of this kernel, between which a finding came or went.
    struct Turn {
        report::Night const* before = nullptr;
        report::Night const* after = nullptr;
        bool is_gone = false;
        bool is_answered = false;  // which commit it was has been searched for, or there is none
    };
    // `night`: this one, with its findings.
    Turn turn_of(std::string const& name, report::Night const& night) const;
    std::optional<report::Night::Change> change_of(std::string const& name, Turn const& turn,
                                                   SessionResult const& session, TreeHistory& tree) const;
    // Into the ledger, in place of the old one where there is one.
    tl::expected<void, Stop> put_line(std::string const& old, std::string const& line);
    std::vector<report::Night::Finding> findings_of(SessionResult const& session, report::Night const& night) const;

    std::filesystem::path directory_;
    std::string kernel_{};
    std::vector<run::Corpus::Entry> entries_{};
    std::vector<File> files_{};             // of each entry
    std::vector<report::Night> nights_{};   // of the ledger
    std::set<std::string> names_{};         // of findings of this session
    std::vector<std::string> filed_{};      // the same, in their order
    std::optional<base::Error> trouble_{};  // the first
    std::uint64_t kept_ = 0;                // of this kernel's profile
};

}  // namespace vmcheck::cli
