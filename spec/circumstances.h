#pragma once
// What a step meets: the kinds of place that decide what becomes of it, and what else was special when it was done.
// Two failures that differ in this may be two mistakes (checker/run/result.h makes families of failures).

#include "spec/program.h"
#include "spec/world.h"

#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace vmcheck::spec {

// What is special about a page, as far as one access is concerned.
enum class Ground : std::uint8_t {
    shared,       // written to, while another page shares its frame: copy on write
    reserved,     // promised by lazy sbrk, and not touched so far
    breaks_page,  // above the break, but on its page
    // What must be refused:
    read_only,  // the user's, but not to be accessed so: a store to text, a fetch of data
    no_user,    // mapped, but not for the user: the guard page, the trapframe, the trampoline
    hole,       // nothing there, up to the highest address that a process can have
    above_maxva,
};

inline constexpr std::size_t kGrounds = 7;

// A set of them; empty: memory that is there, and may be accessed so.
class Grounds {
  public:
    constexpr Grounds() = default;
    constexpr Grounds(Ground only) : bits_(bit(only)) {}
    constexpr void add(Grounds others) { bits_ = static_cast<std::uint8_t>(bits_ | others.bits_); }
    constexpr bool contains(Ground ground) const { return (bits_ & bit(ground)) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr bool are_among(Grounds const& others) const { return (bits_ & ~others.bits_) == 0; }
    friend constexpr auto operator<=>(Grounds const&, Grounds const&) = default;

    // Whether the access must fail.
    constexpr bool must_be_refused() const { return bits_ >= bit(Ground::read_only); }
    // What of it makes the access fail; all, where nothing does.
    constexpr Grounds telling() const {
        Grounds refused;
        refused.bits_ = static_cast<std::uint8_t>(bits_ & ~(bit(Ground::read_only) - 1));
        return must_be_refused() ? refused : *this;
    }
    constexpr int count() const { return std::popcount(bits_); }

  private:
    static constexpr std::uint8_t bit(Ground ground) {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(ground));
    }
    std::uint8_t bits_ = 0;
};

struct Circumstances {
    Grounds grounds{};
    bool crosses = false;     // the access goes on into another page
    bool refused = false;     // an allocation failed in the step
    bool overlapped = false;  // another step was done within it, or it within another
    friend constexpr auto operator<=>(Circumstances const&, Circumstances const&) = default;
};

// Whether whoever fails in these circumstances can be expected to fail in `others`: they have all that these have.
bool are_within(Circumstances const& these, Circumstances const& others);

// How many they are.
int count_of(Circumstances const& circumstances);

// Of the place alone. Beyond the first page that must be refused nothing is looked at.
// REQUIRES: the step's actor is running in `world`.
Circumstances circumstances_of(World const& world, Step const& step);

}  // namespace vmcheck::spec
