#pragma once
// The report for a terminal: what is wrong, in the words of the lab, with the program that shows it.

#include "checker/report/finding.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::report {

struct TextStyle {
    bool colour = false;
};

// The lines about the kernel that come before any result.
std::string kernel_lines(TargetSummary const& summary, TextStyle style);

// One finding; `number` of `total`; `saved`: where its program was written, if it was.
std::string finding_text(Finding const& finding, std::size_t number, std::size_t total,
                         std::optional<std::filesystem::path> const& saved, TextStyle style);

// How often each invariant was evaluated, and which were skipped.
std::string checks_table(run::Tally const& tally, TextStyle style);

// "I3 isolation"
std::string title_of(spec::Invariant invariant);

}  // namespace vmcheck::report
