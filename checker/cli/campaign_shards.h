#pragma once
// verify of one kernel in shards: what one of them came to, as a file in the directory of its findings, and the use of
// them all by the run that puts them together.
//
// Exact, since a case that did not fail, in a batch in which nothing was to be avoided, comes to the same anywhere; it
// is taken from the file, and all others are run. A kernel that is right is checked N times as fast, one that often
// fails no faster than by one machine.

#include "checker/cli/options.h"
#include "checker/finding/finding.h"
#include "checker/session/session.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck::cli {

inline constexpr char const* kCampaignFile = "campaign.cbor";

// Of one kernel.
struct CampaignPart {
    std::map<std::pair<run::Mode, std::uint64_t>, run::CaseRecord> cases{};
    std::vector<std::vector<std::size_t>> reached{};  // in each batch, what no earlier one had: places in its coverage

    // Has a session note here what it comes to. Refers to this value.
    void note(session::Options& how);
    // Has a session use this. Refers to this value.
    void use(session::Options& how) const;
    void add(CampaignPart other);
};

// What must be the same of all shards.
struct CampaignIdentity {
    std::string program;               // version and digest of this vmcheck
    std::string kernel;                // as it was given; empty: the reference kernel
    std::string inputs;                // digest of it
    std::vector<std::string> options;  // of the command line
    friend bool operator==(CampaignIdentity const&, CampaignIdentity const&) = default;
};
CampaignIdentity identity_of(Options const& options);

tl::expected<void, Stop> write_campaign(CampaignIdentity const& identity, run::Shard shard,
                                        std::vector<CampaignPart> const& kernels,
                                        std::filesystem::path const& directory);

// All shards of one run, a part for each of its kernels. Fails where one is missing, there twice, or of another run.
struct Campaigns {
    CampaignIdentity identity;
    std::vector<CampaignPart> kernels;
};
tl::expected<Campaigns, Stop> read_campaigns(std::vector<std::filesystem::path> const& directories);

}  // namespace vmcheck::cli
