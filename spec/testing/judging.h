#pragma once
// Short ways to say "this outcome, in this state" in tests of the rules. Test-only.

#include "spec/advance.h"
#include "spec/testing/test_setting.h"

#include <cstdint>
#include <string_view>

namespace vmcheck::spec::testing {

inline constexpr std::uint64_t kMinus1 = ~std::uint64_t{0};
inline constexpr FrameCensus kPlenty{100'000};
inline constexpr FrameCensus kNothingFree{0};

inline Outcome returned(std::uint64_t value) {
    Outcome outcome;
    outcome.what = Returned{value};
    return outcome;
}
inline Outcome forked(std::uint64_t pid) {
    Outcome outcome = returned(pid);
    outcome.child_started = true;
    return outcome;
}
inline Outcome killed_other(ProcId other) {
    Outcome outcome = returned(0);
    outcome.ended_others.push_back(other);
    return outcome;
}
template <class What>
Outcome ended_as(What what) {
    Outcome outcome;
    outcome.what = std::move(what);
    return outcome;
}
inline Outcome ended() {
    return ended_as(Ended{});
}

// The same outcome with one allocation made to fail in the step.
inline Outcome after_failed_allocation(Outcome outcome) {
    outcome.allocations_failed = 1;
    return outcome;
}

inline Step by(std::uint32_t actor, Action const& action) {
    return Step{ProcId{actor}, action, Faults{}};
}
inline Step fork(std::uint32_t parent, std::uint32_t child) {
    return by(parent, Fork{ProcId{child}});
}
inline constexpr Address heap(std::int64_t offset = 0) {
    return Address{Anchor::heap, offset};
}
inline constexpr Address at(Anchor anchor, std::int64_t offset = 0) {
    return Address{anchor, offset};
}

// A World that is driven step by step by the outcomes that a test names.
class Story {
  public:
    explicit Story(Profile profile) : Story(small_setting(profile)) {}
    explicit Story(Setting setting) : world_(World::initial(std::make_shared<Setting const>(std::move(setting)))) {}

    // The step happens so; fails the test (by an empty optional's access) when the model does not allow it.
    Story& then(Step const& step, Outcome const& outcome, FrameCensus before = kPlenty) {
        world_ = advance(world_, step, outcome, before).value();
        return *this;
    }
    bool allows(Step const& step, Outcome const& outcome, FrameCensus before = kPlenty) const {
        return !why_not(world_, step) && advance(world_, step, outcome, before).has_value();
    }
    // "I7" when the model answers with that invariant; "allowed"; or why the step cannot be asked.
    std::string verdict(Step const& step, Outcome const& outcome, FrameCensus before = kPlenty) const {
        if (auto reason = why_not(world_, step)) return *reason;
        auto const after = advance(world_, step, outcome, before);
        return after ? "allowed" : std::string{short_name(after.error().invariant)};
    }
    World const& world() const { return world_; }

  private:
    World world_;
};

}  // namespace vmcheck::spec::testing
