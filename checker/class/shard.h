#pragma once
// A class in shards: what one of them came to, as a file beside its results, and of all of them the class.

#include "checker/class/summary.h"
#include "checker/run/shard.h"
#include "impl/base/error.h"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::classes {

struct Part {
    run::Shard shard{};
    std::string program{};              // version and digest of the vmcheck that made it
    std::chrono::milliseconds limit{};  // that each tree was given
    std::string results{};              // the directory that its results were written into, as it was given
    Class all{};                        // a row for each tree of the class; those of other shards without a result
};

// CBOR, since names and messages may hold any byte, and none may be lost.
std::vector<std::byte> print(Part const& part);
// Nothing where that is no such file, or one cut short.
std::optional<Part> parse_part(std::vector<std::byte> const& bytes);

// A part, and the directory that it was read from.
struct PartAt {
    std::filesystem::path directory;
    Part part;
};
// The class as one machine would have checked it; rows without their files. Fails, with a sentence that names the
// directory, where a part is there twice or not at all, or where two are not of the same class, checked by the same
// vmcheck in the same way. REQUIRES: !parts.empty().
tl::expected<Class, base::Error> merged(std::vector<PartAt> const& parts);

// Copies the files of a tree's results, in place of those that are there. `called`: what its log calls the directory
// where it was written; in the copy it is called `to`.
tl::expected<void, base::Error> copy_results(std::filesystem::path const& from, std::filesystem::path const& called,
                                             std::filesystem::path const& to);

}  // namespace vmcheck::classes
