#pragma once
// CBOR (RFC 8949) from another machine, or from a disk that was damaged: read only where it cannot harm. The library's
// reader calls itself for each level of nesting, so that a file of some megabytes could use up all of the stack.

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace vmcheck::classes {

// Deeper than anything that vmcheck writes.
inline constexpr std::size_t kNestingMax = 16;

// Nothing where it is none, is cut short, is nested deeper than kNestingMax, or has tags or lengths that are not known
// beforehand, none of which vmcheck writes.
std::optional<nlohmann::json> parse_cbor(std::vector<std::byte> const& bytes);

}  // namespace vmcheck::classes
