#pragma once
// The same kernel on a machine with several harts: for programs in which two processes run at the same time.

#include "impl/boot/kernel_target.h"
#include "impl/control/kernel_execution.h"

#include <tl/expected.hpp>

#include <memory>
#include <string>

namespace vmcheck {

// Boots it there, at a golden image of its own, and tries two steps at a time. Fails with a sentence where the kernel
// does not come up, or has but one of the harts run processes. REQUIRES: `kernel` has its setting.
tl::expected<std::shared_ptr<BootedKernel const>, std::string> with_harts(BootedKernel const& kernel,
                                                                          KernelOptions const& options,
                                                                          std::uint32_t harts);

}  // namespace vmcheck
