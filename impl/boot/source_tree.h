#pragma once
// A student's tree: finds its kernel, or builds it with the tree's own rules in a scratch copy. Nothing in the tree
// itself is changed.

#include "impl/base/files.h"
#include "impl/base/sandbox.h"
#include "impl/map/system_calls.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
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
    std::vector<base::Link> left_out{};  // as TreeKernel has it
};

// A kernel and, where it had to be built, the scratch copy that holds it; the copy goes with this value.
struct TreeKernel {
    std::filesystem::path kernel;
    std::optional<base::ScratchDirectory> scratch{};  // nothing: as it lay in the tree
    std::vector<base::Link>
        left_out{};  // that lead out of the tree: it was built without them. The first hundred by name
};

// Whether `path` is a tree of the xv6 family: a directory with a Makefile, and kernel/ or a machine to run a kernel on.
bool is_source_tree(std::filesystem::path const& path);

// The labs that ask for something of virtual memory that a kernel without them does not do.
enum class Lab { cow, lazy };
// What a tree says of itself, in its Makefile and beside it. Nothing is run.
struct TreeFacts {
    std::optional<Lab> lab{};                  // LAB=cow, in conf/lab.mk or the Makefile; nothing for any other
    std::string kernel = "kernel/kernel";      // the rule that makes the kernel: what QEMU is given with -kernel
    std::optional<std::uint64_t> ram_bytes{};  // of the machine: -m
};
TreeFacts read_tree(std::filesystem::path const& tree);

// Whether the tree's kernel is there and no source is younger, so that it is used as it is: with the map beside it,
// which is to be the tree's own.
bool is_built(std::filesystem::path const& tree);

// The kernel of a tree: as it is where it is newer than every source and not `rebuild`, else made by the tree's own
// rule in a copy, `jobs` commands at a time, and once more by one at a time where that fails. Old trees turn warnings
// into errors that newer compilers have since invented: those stay warnings. What of it runs is kept in as
// `confinement` says; where it is, links that lead out of the tree are left out, and a tree whose sources are such
// links is refused. Upon `stop` it ends make with all that it started, and fails. REQUIRES: is_source_tree(tree).
tl::expected<TreeKernel, BuildError> kernel_of_tree(std::filesystem::path const& tree, bool rebuild, unsigned jobs,
                                                    base::Confinement confinement, std::stop_token const& stop);

// The numbers of its system calls, by kernel/syscall.h; empty where that is not there.
map::SystemCalls system_calls_of(std::filesystem::path const& tree);

struct DiskFile {
    std::string name;
    std::vector<std::byte> bytes;
};
// A disk with these files, made by the tree's own mkfs, for kernels whose file system is not xv6's. The inodes of the
// files are those after the root's, in their order. REQUIRES: is_source_tree(tree).
tl::expected<std::vector<std::byte>, base::Error> disk_of_tree(std::filesystem::path const& tree,
                                                               std::vector<DiskFile> const& files,
                                                               base::Confinement confinement,
                                                               std::stop_token const& stop);

}  // namespace vmcheck
