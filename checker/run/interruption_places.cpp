#include "checker/run/interruption_places.h"

#include "checker/generate/generator.h"
#include "checker/run/runner.h"

#include <algorithm>
#include <utility>

namespace vmcheck::run {

std::vector<std::uint32_t> thinned(std::vector<std::uint32_t> all, std::size_t most) {
    if (all.size() <= most) return all;
    std::vector<std::uint32_t> some;
    for (std::size_t i = 0; i < most; ++i) some.push_back(all[i * all.size() / most]);
    return some;
}

std::vector<std::uint32_t> switch_places(std::uint32_t blocks, std::uint32_t phase) {
    constexpr std::uint32_t kEarly = 128, kPlacesMax = 12;
    std::uint32_t const middle = std::min(blocks, kEarly);
    std::vector<std::uint32_t> all;
    auto const spread = [&](std::uint32_t from, std::uint32_t to, std::uint32_t most) {
        std::uint32_t const stride = (to - from) / most + 1;
        for (std::uint32_t after = from + phase % stride; after < to; after += stride) all.push_back(after);
    };
    spread(std::min(1U, middle), middle, blocks > middle ? kPlacesMax / 2 : kPlacesMax);
    if (blocks > middle) spread(middle, blocks, kPlacesMax / 2);
    return all;
}

generate::Interruptions measure_interruptions(Execution& execution, Reference const& reference) {
    constexpr std::uint64_t kPrograms = 32;
    constexpr std::size_t kPlacesMax = 256;
    generate::Interruptions all;
    auto const programs = generate::programs(reference.setting, {.steps_max = 14, .allocation_faults = false});
    Counts uncounted;
    for (std::uint64_t i = 0; i < kPrograms; ++i)
        run_program(execution, reference, generate::program_of_case(programs, 0, i),
                    RunOptions{.close = false, .interruptions = &all}, uncounted);
    for (auto& places : all.by_kind) {
        std::sort(places.begin(), places.end());
        places.erase(std::unique(places.begin(), places.end()), places.end());
        places = thinned(std::move(places), kPlacesMax);
    }
    return all;
}

}  // namespace vmcheck::run
