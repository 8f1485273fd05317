#pragma once
// Who has no time for all, and comes back night after night: where to begin, so that everything has its turn.

#include <cstddef>

namespace vmcheck::run {

// Each night begins so far behind the night before, as a part of the whole, as the golden ratio is over one. Of any
// number of nights in a row these places lie nearly as far from one another as can be (Knuth, "The Art of Computer
// Programming" 3, 6.4, theorem S), so that nights which come through a tenth each have come through all after twenty.
// `night`: from 0. From 0 to size - 1, and 0 where there is nothing.
std::size_t place_to_begin(std::size_t night, std::size_t size);

}  // namespace vmcheck::run
