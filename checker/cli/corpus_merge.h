#pragma once
// Several corpora of fuzz (corpus.h) into one: those of the shards of a night, or of nights that had nothing to do with
// one another.
//
//     kept/            each program once: its name is made of what is in it
//     found/           each finding once, by what it is (corpus_found.h), with one of its programs and what belongs to
//                      that
//     nightly.jsonl    each line once, by the time at which the night began, with findings by the names that they have
//                      here; the page puts a night's shards together
//
// Nothing is run. In which order the corpora are given, and how often, makes no difference; what lies in the directory
// that they go into takes part as one of them.

#include "checker/finding/finding.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <filesystem>
#include <vector>

namespace vmcheck::cli {

// Whether a night of fuzz has ended there.
bool is_corpus(std::filesystem::path const& directory);

struct MergedCorpus {
    std::size_t kept = 0;
    std::size_t found = 0;
    std::size_t lines = 0;  // of the ledger
};
// Written as fuzz writes it: ended at any moment it has lost nothing, and goes on when it is done again. What is no
// program is told of and left out. REQUIRES: all of `from` are corpora.
tl::expected<MergedCorpus, Stop> merge_corpora(std::vector<std::filesystem::path> const& from,
                                               std::filesystem::path const& into);

}  // namespace vmcheck::cli
