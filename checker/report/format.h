#pragma once
// Every format of the report, and its name: the one place that knows them all.

#include "checker/finding/finding.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

enum class Format : std::uint8_t { text, json, junit, gradescope, html, github, sarif };

// "text", "json", ...; nothing for any other word.
std::optional<Format> parse_format(std::string_view name);
// The names in the order of the enumeration, as in "text, json, junit, gradescope, html, github, sarif".
std::string format_names();

// What a report is made with, beside the sessions.
struct ReportOptions {
    std::optional<Stop> stop{};    // why there is no more, where the command had to end before its time
    bool grant_unchecked = false;  // Gradescope: full points for what could not be checked, instead of none
};

// The whole report, complete in every format whatever happened. Nothing in it depends on the machine's speed or on the
// number of threads: the same seed and effort give the same bytes.
std::string render(Format format, std::vector<SessionResult> const& sessions, ReportOptions const& options = {});

// What the terminal says, without colour: the kernel, the findings, the checks.
std::string text_document(std::vector<SessionResult> const& sessions, ReportOptions const& options = {});

// One object with a version and one entry for each kernel, as findings.schema.json describes it.
std::string json_document(std::vector<SessionResult> const& sessions, ReportOptions const& options = {});

// JUnit XML: one test suite for each kernel, one test case for each invariant. A failure carries the text report of its
// findings; a stop is an error in a suite of its own.
std::string junit_document(std::vector<SessionResult> const& sessions, ReportOptions const& options = {});

// Gradescope's results.json: one test for each invariant and kernel that it applies to, each with its share of 100
// points. An invariant that could not be checked, or not to the end, gives none unless `grant_unchecked`, and says why;
// what stops vmcheck altogether is a test without points.
// Source: Gradescope, "Autograder Specifications", Output Format.
std::string gradescope_document(std::vector<SessionResult> const& sessions, ReportOptions const& options = {});

// GitHub annotations, one workflow command a line, at the likely place in the kernel's source: "::error
// file=kernel/vm.c,line=318,title=I3 isolation at fork::After p0's fork, ...". Advice is a ::warning, a kernel in which
// nothing was found a ::notice.
// Source: GitHub, "Workflow commands for GitHub Actions", Setting an error message.
std::string github_annotations(std::vector<SessionResult> const& sessions, ReportOptions const& options = {});

// SARIF 2.1.0: one run for each kernel, a rule for each mistake that was made, with its stable id, and a result for
// each finding, with the likeliest line, and the program as a code flow. Lines may move: partialFingerprints are the
// mistake. Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
std::string sarif_document(std::vector<SessionResult> const& sessions, ReportOptions const& options = {});

// One HTML file that needs no network: no script, no font, no image. One column, readable on a phone; light or dark as
// the reader's system is.
std::string html_document(std::vector<SessionResult> const& sessions, ReportOptions const& options = {});

}  // namespace vmcheck::report
