#include "checker/report/verdict.h"

#include "checker/report/text.h"
#include "checker/report/violation_words.h"

#include <fmt/core.h>

#include <algorithm>

namespace vmcheck::report {

namespace {

bool is_defect(Finding const& finding) {
    return is_solid(finding) && finding.severity == Severity::defect;
}

std::string boot_text(spec::Violation const& violation) {
    ViolationWords const words = words_of(violation);
    return fmt::format("Right after boot, before anything was asked of the kernel:\n{}\nexpected  {}\nseen      {}\n",
                       words.story, words.expected, words.seen);
}

// Fork copies, and was not asked for anything else.
bool has_nothing_to_count(SessionResult const& session) {
    bool const asked_to_share =
        std::any_of(session.findings.begin(), session.findings.end(), [](Finding const& finding) {
            return finding.family.symptom == run::Symptom::lab_not_done && finding.family.way == spec::Way::fork;
        });
    return session.kernel.nothing_counted && !asked_to_share;
}

}  // namespace

std::string numbers_of(std::vector<std::size_t> const& findings) {
    std::string text = findings.size() == 1 ? "finding " : "findings ";
    for (std::size_t i = 0; i < findings.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", findings[i] + 1);
    return text;
}

std::optional<std::string> why_incomplete(SessionResult const& session) {
    if (session.interrupted) return fmt::format("interrupted after {} programs", session.counts.programs);
    bool const wrong = !session.boot_violations.empty() || !session.findings.empty();
    if (session.counts.programs == 0 && !wrong) return "no program was run";
    return std::nullopt;
}

std::vector<InvariantVerdict> verdicts(SessionResult const& session) {
    using State = InvariantVerdict::State;
    std::vector<InvariantVerdict> all;
    auto const incomplete = why_incomplete(session);
    for (std::size_t i = 1; i <= spec::kInvariants; ++i) {
        InvariantVerdict verdict{
            static_cast<spec::Invariant>(i), State::passed, {}, {}, session.counts.checks.evaluated[i], {}};
        for (spec::Violation const& violation : session.boot_violations)
            if (violation.invariant == verdict.invariant) verdict.text += boot_text(violation);
        for (std::size_t at = 0; at < session.findings.size(); ++at) {
            Finding const& finding = session.findings[at];
            if (!is_defect(finding)) continue;
            if (finding.signature.invariant != verdict.invariant) {
                bool const breaks_it = std::ranges::any_of(
                    finding.also, [&](run::Signature const& each) { return each.invariant == verdict.invariant; });
                if (breaks_it) verdict.beside.push_back(at);
                continue;
            }
            verdict.findings.push_back(at);
            verdict.text += finding_text(finding, at + 1, session.findings.size(), std::nullopt, {});
        }
        if (!verdict.text.empty()) {
            verdict.state = State::failed;
        } else if (verdict.evaluated == 0) {
            bool const nothing_counted = verdict.invariant == spec::Invariant::counts && session.kernel.nothing_counted;
            bool const applies = !nothing_counted || !has_nothing_to_count(session);
            verdict.state = applies ? State::skipped : State::not_applicable;
            verdict.text = nothing_counted ? "fork copies: nothing is counted"
                           : incomplete    ? "not checked: " + *incomplete
                           : session.boot_violations.empty()
                               ? "never evaluated: what it needs was not found in this kernel"
                               : "not reached: the kernel is wrong right after boot";
        } else if (incomplete) {
            verdict.state = State::skipped;
            verdict.text = fmt::format("not checked to the end: {}; evaluated {} times and not broken until then",
                                       *incomplete, verdict.evaluated);
        } else {
            verdict.text =
                fmt::format("evaluated {} times in {} programs, and {}", verdict.evaluated, session.counts.programs,
                            verdict.beside.empty() ? "never broken" : "broken only by " + numbers_of(verdict.beside));
        }
        all.push_back(std::move(verdict));
    }
    return all;
}

std::string name_of(SessionResult const& session) {
    return fmt::format("{} ({})", session.kernel.name, session.kernel.profile);
}

std::size_t defects_in(SessionResult const& session) {
    return static_cast<std::size_t>(std::count_if(session.findings.begin(), session.findings.end(), is_defect)) +
           session.boot_violations.size();
}

}  // namespace vmcheck::report
