#pragma once
// Arguments worth generating, one generator for each role that a field of a step can have (spec/step_kinds.h):
// addresses, amounts and lengths from the places where kernels go wrong.

#include "spec/program.h"
#include "spec/step_kinds.h"
#include "spec/world.h"

#include <rapidcheck.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace vmcheck::generate {

// The data file starts with its own path. Read to so many bytes before the end of a page, it is a string whose NUL
// lies in the next page.
inline constexpr std::uint32_t kPathBytes = 5;

// Where the data page holds arguments for exec (impl/agent/agent.S).
inline constexpr std::int64_t kArgumentsAt = 256;

// Who does the step, in which state. Generators made from one are to be used while world and list live.
struct Scene {
    spec::World const& world;
    spec::ProcId actor;                        // running
    std::vector<spec::ProcId> const& running;  // all who are
    spec::ProcId next_child;                   // the name that the next child gets
};

// An address for the actor: mostly one that it may use in this way, often at the edge of a page or next to what others
// share; sometimes one that a correct kernel must refuse.
rc::Gen<spec::Address> addresses(Scene const& scene, spec::Access access);
// Length of a copy of at most `most` bytes. REQUIRES: most > 0.
rc::Gen<std::uint32_t> copy_bytes(std::uint32_t most);
// Bytes for sbrk: pages and odd amounts, up and down, past the start of the heap, now and then enormous.
rc::Gen<std::int64_t> break_amounts(Scene const& scene);

// An action of the kind with this index in spec::Action: each field by its role. May be one that cannot be asked.
rc::Gen<spec::Action> actions(std::size_t kind, Scene const& scene);

}  // namespace vmcheck::generate
