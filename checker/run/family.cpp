#include "checker/run/family.h"

#include <algorithm>
#include <array>

namespace vmcheck::run {

namespace {

// What a kernel says when it took an exception itself: these messages are the same for every cause. The first is
// kerneltrap's in xv6, the second the reference kernel's.
constexpr std::array<std::string_view, 2> kSaysNothing{"kerneltrap", "trap in the kernel"};

}  // namespace

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
