#include "spec/grammar/text_words.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace vmcheck::spec {

namespace {

constexpr std::array<std::string_view, kAnchors> kAnchorWords = {"",          "text",       "rodata", "data",  "bss",
                                                                 "guard",     "stack",      "heap",   "brk",   "top",
                                                                 "trapframe", "trampoline", "maxva",  "kernel"};

constexpr std::size_t kWordMax = 16;  // longer than any word of the grammar by more than a slip of the pen
constexpr std::size_t kSlips = 2;

// Levenshtein distance: insertions, deletions and replacements between two words.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t const replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

template <class Words>
std::optional<std::string_view> nearest(std::string_view misspelt, Words const& words) {
    if (misspelt.empty() || misspelt.size() > kWordMax) return std::nullopt;
    std::optional<std::string_view> best;
    std::size_t best_distance = kSlips + 1;
    for (std::string_view word : words) {
        std::size_t const slips = distance(misspelt, word);
        if (slips < best_distance && slips < word.size()) {
            best = word;
            best_distance = slips;
        }
    }
    return best;
}

}  // namespace

std::string_view word_of(Anchor anchor) {
    return kAnchorWords[static_cast<std::size_t>(anchor)];
}

std::string_view word_of(Executable program) {
    constexpr std::array<std::string_view, 3> kWords = {"init", "large", "broken"};
    return kWords[static_cast<std::size_t>(program)];
}

std::optional<Anchor> anchor_of(std::string_view word) {
    for (std::size_t i = 1; i < kAnchors; ++i)
        if (kAnchorWords[i] == word) return static_cast<Anchor>(i);
    return std::nullopt;
}

std::optional<std::string_view> nearest_step_word(std::string_view misspelt) {
    std::array<std::string_view, kActionKinds> words;
    for (std::size_t i = 0; i < kActionKinds; ++i) words[i] = kind_name(i);
    return nearest(misspelt, words);
}

std::optional<std::string_view> nearest_anchor_word(std::string_view misspelt) {
    return nearest(misspelt, kAnchorWords);
}

}  // namespace vmcheck::spec
