#pragma once
// For the tests of runs: the toy kernel of twin_testing.h, machines with it, and the first look at it.

#include "checker/run/campaign.h"
#include "checker/run/twin_testing.h"

namespace vmcheck::run {

inline constexpr spec::Profile kCowLazy{spec::ForkPolicy::cow, spec::SbrkPolicy::lazy};

// What the tests run on.
struct Bench {
    explicit Bench(spec::Profile profile, spec::testing::PlantedDefect defect = spec::testing::PlantedDefect::none,
                   unsigned jobs = 1)
        : target(profile, defect),
          pool(*MachinePool::start(target, jobs)),
          look(first_look(pool.first(), target.setting())) {}

    CampaignResult run(Effort const& effort, std::uint64_t seed = 1, std::stop_token const& stop = {}) {
        return run_campaign(pool, look.reference, generate::programs(target.setting(), {}), seed, effort, stop,
                            [](Progress const&) {});
    }

    Twin target;
    MachinePool pool;
    FirstLook look;
};

}  // namespace vmcheck::run
