#pragma once
// Whether what a report tells a student to look at is what a mutant's patch changed.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::mutants {

// Of a mutant's source.
struct ChangedLine {
    std::string file;  // relative to the kernel's directory
    unsigned line = 0;
    friend bool operator==(ChangedLine const&, ChangedLine const&) = default;
};

// Of a patch in unified format: the lines that it adds or, where it only takes some away, those around.
std::vector<ChangedLine> changed_lines(std::string_view patch);

enum class Named : std::uint8_t { elsewhere, function, line };

// Of the first finding of verify's report (JSON): what each of at most three places to look at is of what was changed.
// `source`: the mutant's, which tells functions apart.
// Empty where there is no finding.
std::vector<Named> named_places(std::string const& report, std::vector<ChangedLine> const& changed,
                                std::filesystem::path const& source);

}  // namespace vmcheck::mutants
