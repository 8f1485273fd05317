#pragma once
// Which trees a class has. A class is a directory with one sub-directory for each student:
//
//     class/alice/Makefile, class/alice/kernel/...       an xv6 tree: alice
//     class/bob/xv6-labs-2024/Makefile, ...              one level deeper, as archives unpack: bob
//     class/carol/kernel.elf                             a kernel's ELF image: carol
//     class/dave/                                        nothing that can be checked: shown as such, not left out

#include "impl/base/error.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace vmcheck::classes {

struct Member {
    enum class Kind { tree, kernel, nothing };
    std::string name;            // the sub-directory's; "erin/lab1" where it holds several trees
    std::filesystem::path path;  // what is verified: a tree, an ELF image; of Kind::nothing the directory
    Kind kind = Kind::nothing;
    std::string why_nothing{};  // Kind::nothing: the reason
};

struct Discovery {
    std::vector<Member> members;        // in order of name
    std::vector<std::string> left_out;  // names in the directory that are no student's: plain files, earlier results
};

// Whether `path` is to be looked at as a class: a directory that is not itself a tree.
bool is_class(std::filesystem::path const& path);

// The trees of a class, but for `results`, where the results will go (it need not be there yet). Hidden directories are
// passed over. Fails where `directory` cannot be read, where no sub-directory can be checked, and where `results` would
// write into the class directory itself or into a tree.
tl::expected<Discovery, base::Error> discover(std::filesystem::path const& directory,
                                              std::filesystem::path const& results);

}  // namespace vmcheck::classes
