#include "checker/run/result.h"

#include <fmt/format.h>

#include <utility>

namespace vmcheck::run {

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

}  // namespace vmcheck::run
