#pragma once
// The report as JUnit XML: one test suite for each kernel, one test case for each invariant. A failure carries the text
// report of its findings. Holds no times, so the same seed and effort give the same bytes.

#include "checker/report/session.h"

#include <string>
#include <vector>

namespace vmcheck::report {

std::string junit_document(std::vector<Session> const& sessions);

}  // namespace vmcheck::report
