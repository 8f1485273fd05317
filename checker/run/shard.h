#pragma once
// Shards: work that is numbered, divided among machines that know nothing of each other. Each is told its own number
// and how many there are; what number k of the work is goes to shard k mod N + 1.

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace vmcheck::run {

struct Shard {
    unsigned number = 1;  // from 1
    unsigned of = 1;
    bool takes(std::uint64_t index) const { return index % of + 1 == number; }
    friend bool operator==(Shard const&, Shard const&) = default;
};
std::string print(Shard shard);  // "2/8"
// Nothing where it is not I/N with 1 <= I <= N <= 100,000.
std::optional<Shard> parse_shard(std::string_view text);

// Which shard this process is, by what a scheduler says in its environment. `variable`: the value of one; nothing where
// it is not set. Fails with a sentence where no scheduler, or more than one, says it, or says it in part or nonsense.
using Variable = std::function<std::optional<std::string>(std::string const& name)>;
tl::expected<Shard, std::string> shard_of_scheduler(Variable const& variable);
// For --help: each scheduler with its variables.
std::string scheduler_help();

}  // namespace vmcheck::run
