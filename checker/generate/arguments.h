#pragma once
// Arguments worth generating: addresses, amounts and lengths from the places where kernels go wrong.

#include "checker/generate/dice.h"
#include "spec/program.h"
#include "spec/world.h"

namespace vmcheck::generate {

inline constexpr std::int64_t kPage = static_cast<std::int64_t>(kPageBytes);

// The data file starts with its own path. Read to so many bytes before the end of a page, it is a string whose NUL
// lies in the next page.
inline constexpr std::uint32_t kPathBytes = 5;

// How an address is going to be used; decides which ones are good.
enum class Use : std::uint8_t { read, write };

// An address for `actor`: mostly one that it may use, often at the edge of a page or next to what others share;
// sometimes one that a correct kernel must refuse.
spec::Address address(Dice& dice, spec::World const& world, spec::ProcId actor, Use use);

// Bytes for sbrk: pages and odd amounts, up and down, past the start of the heap, now and then enormous.
std::int64_t sbrk_bytes(Dice& dice, spec::World const& world, spec::ProcId actor);

// Length of a copy of at most `most` bytes. REQUIRES: most > 0.
std::uint32_t copy_bytes(Dice& dice, std::uint32_t most);

std::uint8_t access_size(Dice& dice);
std::uint64_t store_value(Dice& dice);

}  // namespace vmcheck::generate
