#pragma once
// The findings of several corpora of fuzz (corpus.h): which of them are one, which of its programs is kept, and what it
// is called. Values alone; nothing is read or written.
//
// Findings are one where they are of one mistake, break the same invariant, and come to memory by the same way. What
// number each has is another thing in each corpus. Where a corpus has several that are alike in this, only those with
// one program are one: more than their programs nobody knows of them.

#include "checker/report/night.h"
#include "checker/run/result.h"
#include "spec/program.h"
#include "spec/step_kinds.h"
#include "spec/violation.h"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vmcheck::cli {

// What a finding is, as far as its name and its program tell.
struct FoundKind {
    std::string mistake;  // its name without its number
    std::optional<spec::Invariant> invariant{};
    spec::Way way = spec::Way::none;  // of the step at which it fails
    friend auto operator<=>(FoundKind const&, FoundKind const&) = default;
};
FoundKind kind_of(std::string const& name, spec::Program const& program);

// In which way a program of a corpus fails. Nothing where it does not say so.
std::optional<run::Signature> signature_in(spec::Program const& program);

// "fork-panics-0123abcd" of that and of "fork-panics-0123abcd-2".
std::string mistake_in(std::string const& name);
// The other way; from 1.
std::string numbered(std::string const& mistake, std::size_t number);

// A program, and all that lies beside it under its name: what a finding consists of.
struct CorpusEntry {
    spec::Program program;
    std::string text;                              // of the program
    std::map<std::string, std::string> beside{};   // by the endings of their names
    std::map<std::string, std::string> players{};  // what scripts for GDB play with, by their names
};
// The shorter program first.
bool operator<(CorpusEntry const& a, CorpusEntry const& b);

struct FoundIn {
    std::map<std::string, CorpusEntry> entries{};  // by their names
    std::set<std::string> unread{};                // names of programs that are left out
    std::vector<report::Night> nights{};           // of the ledger
};
struct FoundInAll {
    std::map<std::string, CorpusEntry> entries{};
    // Of each corpus, what its findings are called now.
    std::vector<std::map<std::string, std::string>> names{};
};
// Of programs for one finding that which the newest night has seen fail; of those of one night the shortest. `corpora`:
// the first is the one that all go into, in which names stay; the order of the others makes no difference.
FoundInAll merge_found(std::vector<FoundIn> const& corpora);

}  // namespace vmcheck::cli
