#include "checker/finding/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

std::string_view to_string(QemuVerdict::State state) {
    switch (state) {
        case QemuVerdict::State::confirmed:
            return "confirmed";
        case QemuVerdict::State::not_confirmed:
            return "not confirmed";
        case QemuVerdict::State::not_tried:
            break;
    }
    return "could not be tried";
}

std::string describe(QemuVerdict const& verdict) {
    return fmt::format("{}: {}", to_string(verdict.state), verdict.how);
}

bool is_solid(Finding const& finding) {
    return finding.reproduced > 0 && !finding.divergence.violations.empty() &&
           finding.divergence.at.value < finding.program.steps.size();
}

std::string_view to_string(Rank rank) {
    switch (rank) {
        case Rank::corruption:
            return "corruption";
        case Rank::isolation:
            return "isolation";
        case Rank::wrong_result:
            return "wrong result";
        case Rank::leak:
            return "leak";
        case Rank::laziness:
            break;
    }
    return "laziness";
}

Rank rank_of(spec::Invariant invariant) {
    switch (invariant) {
        case spec::Invariant::liveness:
        case spec::Invariant::dangling:
        case spec::Invariant::counts:
        case spec::Invariant::containment:
            return Rank::corruption;
        case spec::Invariant::contents:
        case spec::Invariant::isolation:
        case spec::Invariant::rights:
            return Rank::isolation;
        case spec::Invariant::results:
            return Rank::wrong_result;
        case spec::Invariant::conservation:
            return Rank::leak;
        case spec::Invariant::laziness:
            break;
    }
    return Rank::laziness;
}

Rank rank_of(Finding const& finding) {
    if (finding.severity == Severity::advice) return Rank::laziness;
    if (finding.signature.invariant == spec::Invariant::counts && counted_too_often(finding)) return Rank::leak;
    return rank_of(finding.signature.invariant);
}

void sort_by_rank(std::vector<Finding>& findings) {
    std::stable_sort(findings.begin(), findings.end(), [](Finding const& a, Finding const& b) {
        return std::tuple(a.severity, rank_of(a), a.mode, a.case_index) <
               std::tuple(b.severity, rank_of(b), b.mode, b.case_index);
    });
}

}  // namespace vmcheck
