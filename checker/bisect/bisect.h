#pragma once
// Which commit brought a defect: the search, whatever it is that tells a bad commit from a good one.

#include "checker/bisect/history.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::bisect {

enum class Verdict : std::uint8_t {
    good,
    bad,
    unknown,  // it cannot be said: it does not build, or it fails in another way
};
struct Judgement {
    Verdict verdict = Verdict::unknown;
    std::string why{};  // of what is unknown: a part of a sentence
};
// Of the commit that is checked out. Fails where this machine is at fault, or the user asks for an end.
using Judge = std::function<tl::expected<Judgement, base::Error>(Commit const& commit)>;
// Is told of each commit that was judged, and how many are left that may be the first bad one.
using OnJudged = std::function<void(Commit const& commit, Judgement const& judgement, std::size_t left)>;

struct Answer {
    enum class Kind : std::uint8_t {
        first_bad,      // the one in `suspects`
        one_of,         // of `suspects`, since all but the last could not be judged
        always,         // the first commit of all, in `suspects`, is bad already
        no_good_found,  // nobody named a good one, and among those that were tried there is none
    };
    Kind kind = Kind::first_bad;
    std::vector<Commit> suspects;  // the newest first
};

// REQUIRES: `bad` is bad. Without `good` it goes back along the first parents, in steps twice as long each time, until
// one is. Of the commits in between that are left, git says which one tells most.
tl::expected<Answer, base::Error> find_first_bad(History const& history, Commit bad, std::optional<Commit> good,
                                                 Judge const& judge, OnJudged const& on_judged);

}  // namespace vmcheck::bisect
