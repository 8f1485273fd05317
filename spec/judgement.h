#pragma once
// What the rules of advance() share: the question that each answers, and the words for a wrong answer. One rule for
// each kind of step, in rules_process.cpp, rules_memory.cpp and rules_copy.cpp. Internal to spec/.

#include "spec/advance.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace vmcheck::spec {

inline constexpr std::uint64_t kFailed = std::numeric_limits<std::uint64_t>::max();  // -1 in a0

// Was `outcome` a right answer to `step` in `world`, with so many frames free before?
struct Asked {
    World const& world;
    Step const& step;
    Outcome const& outcome;
    FrameCensus const& before;

    ProcId actor() const { return step.actor; }
    // What the step returned; nothing when it did not return.
    std::optional<std::uint64_t> returned() const;
    bool ended() const { return std::holds_alternative<Ended>(outcome.what); }
    bool restarted() const { return std::holds_alternative<Restarted>(outcome.what); }
    // Whether want of memory excuses a failure of this step.
    bool memory_was_short() const;
};

using Judged = tl::expected<World, Violation>;

// I7, with the expected and the seen result filled in.
tl::unexpected<Violation> wrong_result(Asked const& asked, std::string story);

// "store heap+0x8 4 = 7": the step without its actor and faults.
std::string words_for(Asked const& asked);

// The state when nothing changed.
World unchanged(World const& world);

Judged judge(Asked const& asked, Fork const& fork);
Judged judge(Asked const& asked, Exit const& exit);
Judged judge(Asked const& asked, Wait const& wait);
Judged judge(Asked const& asked, Kill const& kill);
Judged judge(Asked const& asked, Sbrk const& sbrk);
Judged judge(Asked const& asked, Load const& load);
Judged judge(Asked const& asked, Store const& store);
Judged judge(Asked const& asked, Touch const& touch);
Judged judge(Asked const& asked, PipeWrite const& write);
Judged judge(Asked const& asked, PipeRead const& read);
Judged judge(Asked const& asked, FileRead const& read);
Judged judge(Asked const& asked, Fstat const& fstat);
Judged judge(Asked const& asked, Pipe const& pipe);
Judged judge(Asked const& asked, Open const& open);
Judged judge(Asked const& asked, Exec const& exec);
Judged judge(Asked const& asked, SetSp const& set_sp);
Judged judge(Asked const& asked, Fetch const& fetch);

// The actor was killed for want of memory in the middle of the step.
World killed_for_memory(Asked const& asked);

}  // namespace vmcheck::spec
