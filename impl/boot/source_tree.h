#pragma once
// A student's tree: finds its kernel, or builds it with the tree's own rules in a scratch copy. Nothing in the tree
// itself is changed.

#include "impl/base/error.h"
#include "impl/base/files.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <optional>
#include <stop_token>

namespace vmcheck {

// A kernel and, where it had to be built, the scratch copy that holds it; the copy goes with this value.
struct TreeKernel {
    std::filesystem::path kernel;
    std::optional<base::ScratchDirectory> scratch{};
};

// Whether `path` is a tree of the xv6 family: a directory with a Makefile and kernel/.
bool is_source_tree(std::filesystem::path const& path);

// Whether the tree's kernel/kernel is there and no source is younger, so that it is used as it is.
bool is_built(std::filesystem::path const& tree);

// The kernel of a tree: kernel/kernel where it is newer than every source, else made by `make kernel/kernel` in a copy.
// Old trees turn warnings into errors that newer compilers have since invented: those stay warnings. Fails with what
// the compiler said; with kind `machine` where make cannot be run here, and `interrupted` upon `stop`, which ends make
// with all that it started. REQUIRES: is_source_tree(tree).
tl::expected<TreeKernel, base::Error> kernel_of_tree(std::filesystem::path const& tree, std::stop_token const& stop);

}  // namespace vmcheck
