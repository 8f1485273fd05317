#include "checker/run/shard.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <vector>

namespace vmcheck::run {

namespace {

constexpr unsigned kShardsMax = 100'000;

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    bool const whole = error == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(number) : std::nullopt;
}

std::optional<Shard> shard_at(std::optional<std::uint64_t> number, std::optional<std::uint64_t> of) {
    if (!number || !of || *number == 0 || *number > *of || *of > kShardsMax) return std::nullopt;
    return Shard{static_cast<unsigned>(*number), static_cast<unsigned>(*of)};
}

// Where a scheduler says which of its jobs this is, and how many there are. GNU parallel, Kubernetes and GitHub do not
// pass on the latter by themselves: whoever starts them does, in a variable of ours.
struct Scheduler {
    char const* name;
    char const* index;
    char const* first;  // the least index: a number, or the variable that has it
    char const* count;
};
constexpr std::array kSchedulers{
    Scheduler{"a Slurm job array", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT"},
    Scheduler{"a Kubernetes Indexed Job", "JOB_COMPLETION_INDEX", "0", "VMCHECK_SHARDS"},
    Scheduler{"GNU parallel", "PARALLEL_SEQ", "1", "VMCHECK_SHARDS"},
    Scheduler{"a GitHub Actions matrix", "VMCHECK_JOB_INDEX", "0", "VMCHECK_SHARDS"},
};

// "SLURM_ARRAY_TASK_ID, SLURM_ARRAY_TASK_MIN and SLURM_ARRAY_TASK_COUNT"
std::string variables_of(Scheduler const& scheduler) {
    std::string const first = number_in(scheduler.first) ? "" : fmt::format(", {}", scheduler.first);
    return fmt::format("{}{} and {}", scheduler.index, first, scheduler.count);
}

}  // namespace

std::string print(Shard shard) {
    return fmt::format("{}/{}", shard.number, shard.of);
}

std::optional<Shard> parse_shard(std::string_view text) {
    std::size_t const slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    return shard_at(number_in(text.substr(0, slash)), number_in(text.substr(slash + 1)));
}

tl::expected<Shard, std::string> shard_of_scheduler(Variable const& variable) {
    std::vector<Scheduler> set;
    for (Scheduler const& each : kSchedulers)
        if (variable(each.index)) set.push_back(each);
    if (set.empty())
        return tl::unexpected("no scheduler says which shard this is. Looked for were " + scheduler_help() + ".");
    if (set.size() > 1)
        return tl::unexpected(fmt::format("both {} and {} are set, and may not mean the same: give --shard I/N.",
                                          set[0].index, set[1].index));
    Scheduler const& scheduler = set.front();
    auto const value = [&](char const* name) {
        auto const text = number_in(name) ? std::optional<std::string>(name) : variable(name);
        return text ? number_in(*text) : std::nullopt;
    };
    auto const index = value(scheduler.index), first = value(scheduler.first), count = value(scheduler.count);
    auto const shard =
        index && first && *index >= *first ? shard_at(*index - *first + 1, count) : std::optional<Shard>();
    if (shard) return *shard;
    return tl::unexpected(fmt::format(
        "{} is {}, but {} do not say together which shard of how many this is (of {}, which numbers its jobs one by "
        "one).",
        scheduler.index, *variable(scheduler.index), variables_of(scheduler), scheduler.name));
}

std::string scheduler_help() {
    std::string text;
    for (Scheduler const& each : kSchedulers)
        text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", variables_of(each), each.name);
    return text;
}

}  // namespace vmcheck::run
