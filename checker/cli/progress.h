#pragma once
// One line that shows how a campaign goes. On a terminal it is rewritten in place; elsewhere a line every ten seconds.

#include "checker/run/campaign.h"

#include <chrono>
#include <string>

namespace vmcheck::cli {

std::string progress_line(run::Progress const& progress);

class ProgressDisplay {
  public:
    ProgressDisplay();
    void show(run::Progress const& progress);
    // Takes the line away again.
    void clear();

  private:
    bool terminal_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point last_;
};

}  // namespace vmcheck::cli
