#pragma once
// What a verdict on a tree depends on, as a digest: the same digest, the same verdict.

#include "checker/class/discover.h"

#include <filesystem>
#include <string>
#include <vector>

namespace vmcheck::classes {

// 32 hexadecimal digits over the path, size and contents of every file that a verdict on `member` can depend on, and of
// `also`. Of a tree: all its files but .git and object files (a build leaves those behind as well), and whether its
// kernel is younger than its sources, for that decides if it is built. Of an ELF image: it, and the map beside it. A
// file that cannot be read counts as such; what is larger than any source, kernel or tree counts by its size and time,
// unread. Symbolic links are not followed. Empty, so that it is no other's, where a tree has more files than any has.
std::string digest_of(Member const& member, std::vector<std::filesystem::path> const& also);

// The same for one file.
std::string digest_of_file(std::filesystem::path const& file);

}  // namespace vmcheck::classes
