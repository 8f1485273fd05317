#pragma once
// A student's tree: finds its kernel, or builds it with the tree's own rules in a scratch copy. Nothing in the tree
// itself is changed.

#include "impl/base/files.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace vmcheck {

// Why a tree has no kernel. Of a kernel that does not build, the compiler's complaints come with it, line by line.
struct BuildError {
    enum class Kind { tree, machine, interrupted };  // whose fault it is: machine where make cannot be run here
    std::string message;                             // does not name the tree
    Kind kind = Kind::tree;
    std::vector<std::string> complaints{};
};

// A kernel and, where it had to be built, the scratch copy that holds it; the copy goes with this value.
struct TreeKernel {
    std::filesystem::path kernel;
    std::optional<base::ScratchDirectory> scratch{};
};

// Whether `path` is a tree of the xv6 family: a directory with a Makefile and kernel/.
bool is_source_tree(std::filesystem::path const& path);

// The labs that ask for something of virtual memory that a kernel without them does not do.
enum class Lab { cow, lazy };
// The one that the tree is of, by its conf/lab.mk or Makefile (LAB=cow); nothing for any other.
std::optional<Lab> lab_of(std::filesystem::path const& tree);

// Whether the tree's kernel/kernel is there and no source is younger, so that it is used as it is.
bool is_built(std::filesystem::path const& tree);

// The kernel of a tree: kernel/kernel where it is newer than every source, else made by `make kernel/kernel` in a copy.
// Old trees turn warnings into errors that newer compilers have since invented: those stay warnings. Upon
// `stop` it ends make with all that it started, and fails. REQUIRES: is_source_tree(tree).
tl::expected<TreeKernel, BuildError> kernel_of_tree(std::filesystem::path const& tree, std::stop_token const& stop);

}  // namespace vmcheck
