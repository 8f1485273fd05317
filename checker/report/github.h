#pragma once
// The report as GitHub annotations: one workflow command a line, at the likely place in the kernel's source.
// Source: GitHub, "Workflow commands for GitHub Actions", Setting an error message.

#include "checker/report/session.h"

#include <string>
#include <vector>

namespace vmcheck::report {

// "::error file=kernel/vm.c,line=318,title=I3 isolation at fork::After p0's fork, ...". Advice is a ::warning, a kernel
// in which nothing was found a ::notice.
std::string github_annotations(std::vector<Session> const& sessions);

}  // namespace vmcheck::report
