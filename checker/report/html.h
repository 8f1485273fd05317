#pragma once
// The report as one HTML file that needs no network: no script, no font, no image. One column, readable on a phone;
// light or dark as the reader's system is.

#include "checker/report/session.h"

#include <string>
#include <vector>

namespace vmcheck::report {

std::string html_document(std::vector<Session> const& sessions);

}  // namespace vmcheck::report
