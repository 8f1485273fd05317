#pragma once
// --confirm: the second opinion of QEMU on what was found.

#include "checker/cli/options.h"
#include "checker/report/session.h"

namespace vmcheck::cli {

// Tries every finding of the session and notes its verdict; says on standard error which one it is at.
// REQUIRES: the kernel's image (TargetSummary::image) still exists, as it does while its target lives.
void confirm_on_qemu(report::Session& session, Options const& options);

}  // namespace vmcheck::cli
