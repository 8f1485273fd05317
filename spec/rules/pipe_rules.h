#pragma once
// The shared pipe's possible contents, and how a step multiplies them. Internal to spec/.

#include "spec/world.h"

#include <cstddef>
#include <span>
#include <vector>

namespace vmcheck::spec {

using PipeContents = std::vector<std::byte>;

// A failed copy through the pipe leaves open how far it came; a step that could leave more than this many
// possibilities is not asked.
inline constexpr std::size_t kPipeAlternativesMax = 4096;

// `contents` without its first `count` bytes, for each count from `least` to `most`; fewer where it has fewer.
std::vector<PipeContents> after_taking(PipeContents const& contents, std::size_t least, std::size_t most);

// Each of `contents` with the first `count` bytes of `data` behind it, for each count from `least` to `most`.
std::vector<PipeContents> after_adding(std::vector<PipeContents> const& contents, std::span<std::byte const> data,
                                       std::size_t least, std::size_t most);

void append(std::vector<PipeContents>& to, std::vector<PipeContents> const& more);

}  // namespace vmcheck::spec
