#pragma once
// A student's tree: finds its kernel, or builds it with the tree's own rules in a scratch copy. Nothing in the tree
// itself is changed.

#include <tl/expected.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace vmcheck {

// Why there is no kernel in a tree: for a build that failed, with what the compiler said.
struct TreeError {
    std::string message;
};

// A kernel and, where it had to be built, the scratch copy that holds it; the copy goes with this value.
class TreeKernel {
  public:
    TreeKernel(std::filesystem::path kernel, std::filesystem::path scratch);
    TreeKernel(TreeKernel&&) noexcept;
    TreeKernel& operator=(TreeKernel&&) noexcept;
    ~TreeKernel();

    std::filesystem::path const& kernel() const { return kernel_; }

  private:
    std::filesystem::path kernel_;
    std::filesystem::path scratch_;  // empty: built by the student
};

// Whether `path` is a tree of the xv6 family: a directory with a Makefile and kernel/.
bool is_source_tree(std::filesystem::path const& path);

// Whether the tree's kernel/kernel is there and no source is younger, so that it is used as it is.
bool is_built(std::filesystem::path const& tree);

// The kernel of a tree: kernel/kernel where it is newer than every source, else made by `make kernel/kernel` in a copy.
// Old trees turn warnings into errors that newer compilers have since invented: those stay warnings.
// REQUIRES: is_source_tree(tree).
tl::expected<TreeKernel, TreeError> kernel_of_tree(std::filesystem::path const& tree);

}  // namespace vmcheck
