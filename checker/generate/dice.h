#pragma once
// Random choices from RapidCheck's generator of random numbers: the same state gives the same choices on every machine
// (which the standard library's distributions do not promise).

#include <rapidcheck.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace vmcheck::generate {

class Dice {
  public:
    explicit Dice(rc::Random random) : random_(random) {}

    // Uniform in [0, count). REQUIRES: count > 0. The bias of the modulo is below 2^-32 for the counts used here.
    std::uint64_t below(std::uint64_t count) { return random_.next() % count; }
    // Uniform in [low, high]. REQUIRES: low <= high.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
    }
    // True `parts` times in `whole`.
    bool chance(std::uint64_t parts, std::uint64_t whole) { return below(whole) < parts; }
    std::uint64_t bits() { return random_.next(); }

    template <class T>
    T const& pick(std::span<T const> choices) {
        return choices[below(choices.size())];
    }

  private:
    rc::Random random_;
};

}  // namespace vmcheck::generate
