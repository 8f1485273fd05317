#pragma once
// The words of the corpus grammar that stand for values. Internal to spec/.

#include "spec/program.h"

#include <optional>
#include <string_view>

namespace vmcheck::spec {

inline constexpr std::size_t kAnchors = static_cast<std::size_t>(Anchor::kernel) + 1;

// Behind a step that overlaps with the one before it.
inline constexpr std::string_view kMeanwhile = "meanwhile";

// "heap", "stack", ...; Anchor::absolute has no word.
std::string_view word_of(Anchor anchor);
// "init", "large", "broken"; init need not be written.
std::string_view word_of(Executable program);
std::optional<Anchor> anchor_of(std::string_view word);

// The step word that was probably meant: the nearest one, where that is near enough to say so.
std::optional<std::string_view> nearest_step_word(std::string_view misspelt);
std::optional<std::string_view> nearest_anchor_word(std::string_view misspelt);

}  // namespace vmcheck::spec
