#pragma once
// Programs changed as programs: what a fuzzer that is guided by what it reaches does to the programs that it keeps.
//
//     spec::Program const next = mutated(program, setting, seed);
//
// What comes out can be asked: each of its steps, in the state that a correct kernel would be in.

#include "spec/layout.h"
#include "spec/program.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace vmcheck::generate {

// A program may grow to so many steps.
inline constexpr std::size_t kMutantStepsMax = 60;

// One to four changes: steps are put in, left out, repeated or done by another process, arguments drawn anew, an
// allocation made to fail, a step interrupted or another hart's turn put in, memory made little. Profile and setting
// are one. Depends on nothing else.
spec::Program mutated(spec::Program const& program, std::shared_ptr<spec::Setting const> const& setting,
                      std::uint64_t seed);

// The beginning of the one and the end of the other.
spec::Program spliced(spec::Program const& beginning, spec::Program const& end,
                      std::shared_ptr<spec::Setting const> const& setting, std::uint64_t seed);

// What can be asked of it, as that kernel's.
spec::Program askable(spec::Program const& program, std::shared_ptr<spec::Setting const> const& setting);

}  // namespace vmcheck::generate
