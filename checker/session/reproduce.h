#pragma once
// Reproducing a failure: the kernel is booted anew and the failing program run again, in the end with all evidence.

#include "checker/finding/finding.h"
#include "impl/target.h"
#include "spec/layout.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <vector>

namespace vmcheck::session {

// The last attempt's records, divergence and evidence; none where it did not fail.
struct Reproduction {
    std::uint32_t times = 0;  // that it failed in the same way, of `attempts`
    std::uint32_t attempts = 0;
    std::vector<run::StepRecord> records{};
    run::Divergence divergence{};
    Evidence evidence{};
    bool needs_stale_translation = false;  // it does not fail where each trap drops all translations
};
// `fresh`: the kernel, booted anew. `failure`: what became of the program before; what fails under another signature is
// something else.
tl::expected<Reproduction, BootError> reproduce(Target const& fresh, spec::Program const& program,
                                                run::Divergence const& failure, std::uint32_t attempts = 3);

}  // namespace vmcheck::session
