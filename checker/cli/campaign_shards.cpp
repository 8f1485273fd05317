#include "checker/cli/campaign_shards.h"

#include "checker/class/cbor.h"
#include "checker/class/inputs.h"
#include "impl/base/files.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <set>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kVersion = 1;

// All that is counted, in an order of their own. REQUIRES: nothing was avoided (Counts::steered).
std::vector<std::uint64_t*> numbers_of(run::Counts& counts) {
    std::vector<std::uint64_t*> all{&counts.programs,  &counts.steps,     &counts.pairs,
                                    &counts.preempted, &counts.undecided, &counts.second_runs};
    for (auto* each : {&counts.kinds, &counts.unfinished})
        for (std::uint64_t& number : *each) all.push_back(&number);
    for (auto* each : {&counts.checks.evaluated, &counts.checks.skipped})
        for (std::uint64_t& number : *each) all.push_back(&number);
    for (run::ModeCounts& each : counts.modes)
        for (std::uint64_t* number : {&each.programs, &each.runs, &each.reached}) all.push_back(number);
    return all;
}

// Each function of a kernel, and each line, by its place.
std::vector<bool*> places_of(Coverage& coverage) {
    std::vector<bool*> all;
    for (Coverage::Function& function : coverage.functions) {
        all.push_back(&function.reached);
        for (Coverage::Line& line : function.lines) all.push_back(&line.reached);
    }
    return all;
}

json to_json(CampaignPart const& part) {
    json cases = json::array();
    for (auto const& [which, record] : part.cases) {
        run::Counts counts = record.counts;
        json numbers = json::array();
        for (std::uint64_t const* number : numbers_of(counts)) numbers.push_back(*number);
        cases.push_back({static_cast<int>(which.first), which.second, std::move(numbers),
                         record.cannot_start ? json(*record.cannot_start) : json(nullptr)});
    }
    return {{"cases", std::move(cases)}, {"reached", part.reached}};
}

// Throws where it is none.
CampaignPart part_in(json const& from) {
    CampaignPart part;
    for (json const& each : from.at("cases")) {
        run::CaseRecord record;
        auto const into = numbers_of(record.counts);
        json const& numbers = each.at(2);
        auto const mode = each.at(0).get<std::size_t>();
        if (numbers.size() != into.size() || mode >= run::kModes)
            throw json::other_error::create(0, "of another version", nullptr);
        for (std::size_t i = 0; i < into.size(); ++i) *into[i] = numbers[i];
        if (!each.at(3).is_null()) record.cannot_start = each.at(3).get<std::string>();
        part.cases[{static_cast<run::Mode>(mode), each.at(1).get<std::uint64_t>()}] = std::move(record);
    }
    part.reached = from.at("reached").get<std::vector<std::vector<std::size_t>>>();
    return part;
}

struct File {
    CampaignIdentity identity;
    run::Shard shard;
    std::vector<CampaignPart> kernels;
};

std::optional<File> read(fs::path const& path) {
    auto const bytes = base::read_sealed(path, {.bytes_max = std::uint64_t{4} << 30});
    if (!bytes) return std::nullopt;
    try {
        auto const read = classes::parse_cbor(*bytes);
        if (!read) return std::nullopt;
        json const& document = *read;
        auto const shard = run::parse_shard(document.at("shard").get<std::string>());
        if (document.at("vmcheck_campaign") != kVersion || !shard) return std::nullopt;
        File file{{document.at("program"), document.at("kernel"), document.at("inputs"),
                   document.at("options").get<std::vector<std::string>>()},
                  *shard,
                  {}};
        for (json const& each : document.at("kernels")) file.kernels.push_back(part_in(each));
        return file;
    } catch (json::exception const&) {
        return std::nullopt;  // the library reports by exception; this is the border at which that ends
    }
}

}  // namespace

void CampaignPart::note(session::Options& how) {
    how.division.clean = [this](run::Mode mode, std::uint64_t index, run::CaseRecord record) {
        cases[{mode, index}] = std::move(record);
    };
    how.reached = [this, known = std::make_shared<std::set<std::size_t>>()](Coverage const& coverage) {
        Coverage copy = coverage;
        auto const places = places_of(copy);
        std::vector<std::size_t> fresh;
        for (std::size_t i = 0; i < places.size(); ++i)
            if (*places[i] && known->insert(i).second) fresh.push_back(i);
        reached.push_back(std::move(fresh));
    };
}

void CampaignPart::use(session::Options& how) const {
    how.division.known = [this](run::Mode mode, std::uint64_t index) {
        auto const at = cases.find({mode, index});
        return at == cases.end() ? nullptr : &at->second;
    };
    how.add_reached = [this](std::size_t batches, Coverage& coverage) {
        auto const places = places_of(coverage);
        for (std::size_t batch = 0; batch < std::min(batches, reached.size()); ++batch)
            for (std::size_t place : reached[batch])
                if (place < places.size()) *places[place] = true;
    };
}

void CampaignPart::add(CampaignPart other) {
    cases.merge(other.cases);
    reached.resize(std::max(reached.size(), other.reached.size()));
    for (std::size_t i = 0; i < other.reached.size(); ++i)
        reached[i].insert(reached[i].end(), other.reached[i].begin(), other.reached[i].end());
}

CampaignIdentity identity_of(Options const& options) {
    CampaignIdentity identity{
        fmt::format("{} {}", VMCHECK_VERSION, classes::digest_of_file("/proc/self/exe")), {}, {}, options.passed_on};
    std::vector<fs::path> also;
    if (options.kernel.map_file) also.push_back(*options.kernel.map_file);
    classes::Member member;
    if (options.kernel.kernel) {
        member.path = identity.kernel = *options.kernel.kernel;
        std::error_code error;
        member.kind =
            fs::is_directory(member.path, error) ? classes::Member::Kind::tree : classes::Member::Kind::kernel;
    }
    identity.inputs = classes::digest_of(member, also);
    return identity;
}

tl::expected<void, Stop> write_campaign(CampaignIdentity const& identity, run::Shard shard,
                                        std::vector<CampaignPart> const& kernels, fs::path const& directory) {
    json parts = json::array();
    for (CampaignPart const& each : kernels) parts.push_back(to_json(each));
    auto const bytes = json::to_cbor({{"vmcheck_campaign", kVersion},
                                      {"shard", run::print(shard)},
                                      {"program", identity.program},
                                      {"kernel", identity.kernel},
                                      {"inputs", identity.inputs},
                                      {"options", identity.options},
                                      {"kernels", std::move(parts)}});
    std::vector<std::byte> printed(bytes.size());
    std::memcpy(printed.data(), bytes.data(), bytes.size());
    return base::write_sealed(directory / kCampaignFile, std::move(printed)).map_error([](base::Error const& error) {
        return Stop{Stop::Cause::machine, error.message};
    });
}

tl::expected<Campaigns, Stop> read_campaigns(std::vector<fs::path> const& directories) {
    auto const refuse = [](std::string message) {
        return tl::make_unexpected(Stop{Stop::Cause::usage, std::move(message)});
    };
    std::optional<File> whole;
    std::set<unsigned> numbers;
    for (fs::path const& directory : directories) {
        auto file = read(directory / kCampaignFile);
        if (!file)
            return refuse(fmt::format(
                "{}: holds no results of a shard that is done ({}), or damaged ones. Run its command again.",
                directory.string(), kCampaignFile));
        if (whole && (file->identity != whole->identity || file->shard.of != whole->shard.of ||
                      file->kernels.size() != whole->kernels.size()))
            return refuse(
                fmt::format("{}: is shard {} of another run than {}: of another kernel ({}), with other options "
                            "({}) or by another vmcheck ({}).",
                            directory.string(), run::print(file->shard), directories.front().string(),
                            file->identity.kernel, fmt::join(file->identity.options, " "), file->identity.program));
        if (!numbers.insert(file->shard.number).second)
            return refuse(
                fmt::format("{}: is shard {}, which is there already.", directory.string(), run::print(file->shard)));
        if (!whole) {
            whole = std::move(*file);
            continue;
        }
        for (std::size_t i = 0; i < whole->kernels.size(); ++i) whole->kernels[i].add(std::move(file->kernels[i]));
    }
    for (unsigned number = 1; number <= whole->shard.of; ++number)
        if (!numbers.contains(number))
            return refuse(
                fmt::format("not all shards are there: missing is {}.", run::print({number, whole->shard.of})));
    return Campaigns{std::move(whole->identity), std::move(whole->kernels)};
}

}  // namespace vmcheck::cli
