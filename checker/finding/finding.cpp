#include "checker/finding/finding.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace vmcheck {

namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 6> kCauses{"usage", "machine", "build", "boot", "unsupported", "interrupted"};

// Whether the page table of the evidence shows a frame that is counted more often than it is used.
bool counted_too_often(Finding const& finding) {
    if (!finding.evidence.pages) return false;
    return std::any_of(
        finding.evidence.pages->after.begin(), finding.evidence.pages->after.end(),
        [](PageRow const& row) { return row.count && *row.count > static_cast<std::int64_t>(row.references); });
}

}  // namespace

std::string_view to_string(Stop::Cause cause) {
    return kCauses[static_cast<std::size_t>(cause)];
}

std::optional<Stop::Cause> parse_cause(std::string_view name) {
    auto const found = std::find(kCauses.begin(), kCauses.end(), name);
    if (found == kCauses.end()) return std::nullopt;
    return Stop::Cause{static_cast<std::uint8_t>(found - kCauses.begin())};
}

std::string_view to_string(Severity severity) {
    return severity == Severity::defect ? "defect" : "advice";
}

std::string_view to_string(FreeArgument::Of of) {
    constexpr std::array<std::string_view, 5> kNames = {"address", "value", "length", "amount", "status"};
    return kNames.at(static_cast<std::size_t>(of));
}

std::string_view to_string(QemuVerdict::State state) {
    constexpr std::array<std::string_view, 3> kNames = {"confirmed", "not confirmed", "could not be tried"};
    return kNames.at(static_cast<std::size_t>(state));
}

std::string describe(QemuVerdict const& verdict) {
    return fmt::format("{}: {}", to_string(verdict.state), verdict.how);
}

std::optional<std::int64_t> Played::free_frames_lost() const {
    if (!free_before || !free_after || !wrong_total) return std::nullopt;
    auto const signed_of = [](std::uint64_t frames) { return static_cast<std::int64_t>(frames); };
    return signed_of(*free_before) - signed_of(*free_after) -
           (signed_of(wrong_total->expected) - signed_of(wrong_total->seen));
}

bool is_solid(Finding const& finding) {
    return finding.reproduced > 0 && !finding.divergence.violations.empty() &&
           finding.divergence.at.value < finding.program.steps.size();
}

double suspiciousness(Spectrum const& spectrum, Spectrum::Line const& line) {
    double const ran = static_cast<double>(line.failing) + static_cast<double>(line.passing);
    double const product = static_cast<double>(spectrum.failing) * ran;
    return product == 0 ? 0 : static_cast<double>(line.failing) / std::sqrt(product);
}

std::string_view to_string(Rank rank) {
    constexpr std::array<std::string_view, 5> kNames = {"corruption", "isolation", "wrong result", "leak", "laziness"};
    return kNames.at(static_cast<std::size_t>(rank));
}

Rank rank_of(spec::Invariant invariant) {
    // From I1 to I10.
    constexpr std::array<Rank, spec::kInvariants> kRanks = {
        Rank::isolation, Rank::isolation,    Rank::isolation, Rank::corruption, Rank::corruption,
        Rank::leak,      Rank::wrong_result, Rank::laziness,  Rank::corruption, Rank::corruption};
    return kRanks.at(static_cast<std::size_t>(invariant) - 1);
}

Rank rank_of(Finding const& finding) {
    if (finding.severity == Severity::advice) return Rank::laziness;
    if (finding.signature.invariant == spec::Invariant::counts && counted_too_often(finding)) return Rank::leak;
    return rank_of(finding.signature.invariant);
}

void sort_by_rank(std::vector<Finding>& findings) {
    std::stable_sort(findings.begin(), findings.end(), [](Finding const& a, Finding const& b) {
        auto const key = [](Finding const& finding) {
            return std::tuple(finding.severity, finding.family.circumstances.overlapped, rank_of(finding), finding.mode,
                              finding.case_index);
        };
        return key(a) < key(b);
    });
}

}  // namespace vmcheck
