#pragma once
// The report for a terminal: what is wrong, in the words of the lab, with the program that shows it.

#include "checker/finding/finding.h"
#include "checker/report/story.h"
#include "checker/run/effort.h"
#include "spec/layout.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::report {

struct TextStyle {
    bool colour = false;
};

// Where a finding's files were written; for the lines that say what to do with them.
struct Saved {
    std::filesystem::path program;                   // replays it,
    std::string kernel;                              // on this kernel or tree
    std::optional<std::filesystem::path> repro_c{};  // shows it under `make qemu`; nothing where there is none
    std::vector<std::string> gdb_command{};          // shows it on QEMU; empty where there is no script
    bool not_built = false;                          // the tree as it lies there has no kernel for that command
};

// Of a kernel that was not built from its sources now.
inline constexpr char const* kAsFound = "as it lies in the tree, newer than its sources; not rebuilt (--rebuild)";

// The lines about the kernel that come before any result.
std::string kernel_lines(TargetSummary const& summary, TextStyle style);
// Of links that lead out of the tree, a line each.
std::vector<std::string> left_out_lines(std::vector<base::Link> const& links);
// What comes with the reason why there is no result, fit for people: what a compiler said, and such links.
std::vector<std::string> said_of(Stop const& stop);
// One more of the lines about the kernel: what could not be checked.
std::string missing_line(std::string const& missing, TextStyle style);

// One finding; `number` of `total`; `saved`: its files, if they were written.
std::string finding_text(Finding const& finding, std::size_t number, std::size_t total,
                         std::optional<Saved> const& saved, TextStyle style);

// The same as an issue tracker takes it (Markdown): a title, and the finding as a block of code.
std::string issue_text(Finding const& finding, Saved const& saved);

// What a correct kernel does at each step of the program, a line each; of a step that is not asked, why.
std::string walk_text(spec::Program const& program, std::shared_ptr<spec::Setting const> setting);

// How often each invariant was evaluated, and which were skipped.
std::string checks_table(run::Counts const& counts, TextStyle style);

// Why a finding is not solid, as the end of "the program ...". REQUIRES: !is_solid(finding).
std::string_view why_not_solid(Finding const& finding);

// "9 runs were not finished: the kernel was too slow in fork (8), exec (1)"; empty where all were.
std::string unfinished_line(run::Counts const& counts);

// How the programs were run, how often the faults of each mode were really met, and what was not finished.
std::string modes_table(run::Counts const& counts, TextStyle style);

}  // namespace vmcheck::report
