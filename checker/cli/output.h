#pragma once
// What commands print and write when they are done.

#include "checker/cli/exit_code.h"
#include "checker/cli/options.h"
#include "checker/finding/finding.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace vmcheck::cli {

// Whether something can be written there (nothing: nobody asked for it), before it takes a long time to get it.
tl::expected<void, Stop> check_place(std::optional<std::filesystem::path> const& path);

// Where the files of a finding go: the path, to which each adds its ending. `number`: from 1, in the session.
struct Filing {
    std::function<std::filesystem::path(std::size_t number, Finding const& finding)> stem;
    bool once = false;  // one that is there already is left as it is
};
// "I3-fork"
std::string signature_name(run::Signature signature);
// "1-I3-fork", and so on, in that directory.
Filing numbered_in(std::filesystem::path const& directory);

// Prints findings and verdict, also where they cannot be written; writes each failing program and, where there can be
// one, its repro.c, the program last: where it is there, all is. The findings that did not come back make the exit code
// 5, unless others did; advice alone leaves it 0.
tl::expected<ExitCode, Stop> conclude(SessionResult const& session, Filing const& filing, Options const& options);

// Writes the report in the format and to the place that options ask for. `stop`: why there is no more.
tl::expected<void, Stop> write_report(std::vector<SessionResult> const& sessions, Options const& options,
                                      std::optional<Stop> const& stop = std::nullopt);

// Writes report.html into `directory`.
tl::expected<void, Stop> write_html(std::vector<SessionResult> const& sessions, std::filesystem::path const& directory,
                                    Options const& options, std::optional<Stop> const& stop = std::nullopt);

// Prints the message and gives the code.
ExitCode give_up(Stop const& stop);
// And writes the report that options ask for: what there is, and why there is no more.
ExitCode give_up(Stop const& stop, std::vector<SessionResult> const& sessions, Options const& options);

}  // namespace vmcheck::cli
