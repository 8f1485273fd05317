#pragma once
// Programs that start with few frames free (Program::memory). On the real machine the rest is held as ballast by
// processes that no program names, children of p0 that neither end nor run while a program does. What is different for
// a program is said by its setting: p0 has children that it can not wait for, and fewer processes fit the table.

#include "spec/layout.h"
#include "spec/program.h"

#include <cstdint>
#include <memory>

namespace vmcheck::spec {

// One takes nearly everything; the other, whose first page table has room, takes or gives back the last few frames.
inline constexpr std::uint32_t kBallastProcesses = 2;

// The setting that `program` runs in: `setting` itself where it has memory to spare.
std::shared_ptr<Setting const> setting_for(std::shared_ptr<Setting const> setting, Program const& program);

}  // namespace vmcheck::spec
