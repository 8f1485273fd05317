#include "checker/run/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vmcheck::run {

namespace {

// What a kernel says when it took an exception itself: these messages are the same for every cause. The first is
// kerneltrap's in xv6, the second the reference kernel's.
constexpr std::array<std::string_view, 2> kSaysNothing{"kerneltrap", "trap in the kernel"};

}  // namespace

std::string to_string(Signature signature) {
    return fmt::format("{} {}", spec::short_name(signature.invariant), spec::kind_name(signature.kind));
}

std::vector<Run> endings(Run run) {
    std::vector<Run> all;
    if (run.advice) {
        Run advised;
        advised.program = run.program;
        advised.program.steps.resize(run.advice->at.value + 1);
        advised.divergence = std::exchange(run.advice, std::nullopt);
        all.push_back(std::move(advised));
    }
    if (run.divergence) all.push_back(std::move(run));
    return all;
}

Family family_of(Run const& run) {
    Divergence const& divergence = *run.divergence;
    spec::Way const way = spec::way_of(run.program.steps.at(divergence.at.value).action);
    if (divergence.panic.empty()) return {divergence.signature.invariant, way, {}, divergence.advice};
    // A panic for want of memory (I10) is the panic all the same.
    bool const says_nothing =
        std::find(kSaysNothing.begin(), kSaysNothing.end(), divergence.panic) != kSaysNothing.end();
    return {spec::Invariant::liveness, says_nothing ? way : spec::Way::none, divergence.panic, false};
}

}  // namespace vmcheck::run
