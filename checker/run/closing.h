#pragma once
// The steps by which a program is closed, so that what is missing from the free list then is lost for good (I6).

#include "spec/program.h"
#include "spec/world.h"

#include <optional>

namespace vmcheck::run {

// The next one towards p0 being alone: the youngest process exits, or p0 waits for one that has. Nothing: it is alone.
std::optional<spec::Step> next_ending(spec::World const& world);

// p0's heap shrinks to its start. Nothing: there is no heap, or no sbrk that p0 could be asked for gives it back.
std::optional<spec::Step> heap_returned(spec::World const& world);

}  // namespace vmcheck::run
