// A class: many trees, each verified by a vmcheck of its own, and the summary of them.

#include "checker/class/documents.h"
#include "checker/cli/class_run.h"
#include "checker/cli/commands.h"
#include "checker/cli/output.h"
#include "impl/base/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;
using classes::TreeVerdict;

// A word as a shell reads it back.
std::string quoted(std::string const& word) {
    constexpr char const* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+./,:@%";
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
    std::string text = "'";
    for (char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

ExitCode exit_code(classes::Judgement judgement) {
    switch (judgement) {
        case classes::Judgement::nothing_found:
            return ExitCode::nothing_found;
        case classes::Judgement::defects:
            return ExitCode::divergence;
        case classes::Judgement::not_reproducible:
            return ExitCode::not_reproducible;
        case classes::Judgement::machine:
            return ExitCode::environment;
        case classes::Judgement::unchecked:
            return ExitCode::kernel_unusable;
    }
    return ExitCode::environment;
}

// The three files that there always are, and the table.
tl::expected<void, Stop> write_summary(classes::Class const& all, Options const& options) {
    for (auto const& [name, document] :
         {std::pair{"class.csv", classes::csv_document(all)}, std::pair{"class.json", classes::json_document(all)},
          std::pair{"class.html", classes::html_document(all)}})
        if (auto written = base::write_file(options.findings / name, document); !written)
            return tl::unexpected(Stop{Stop::Cause::machine, written.error().message});
    fmt::print(options.text, "\n{}", classes::text_document(all, options.colour));
    fmt::print(options.text, "summary   {}, class.csv, class.json\n", (options.findings / "class.html").string());
    return {};
}

// Where the user interrupted it.
void say_how_to_go_on(classes::Class const& all, Options const& options) {
    auto const undone = std::count_if(all.rows.begin(), all.rows.end(), [](classes::Row const& row) {
        return row.result.verdict == TreeVerdict::not_reached || row.result.verdict == TreeVerdict::interrupted;
    });
    if (undone == 0) return;
    std::string command =
        "vmcheck verify " + quoted(all.directory) + " --findings " + quoted(options.findings.string());
    for (std::string const& word : options.passed_on) command += ' ' + quoted(word);
    if (options.time_per_tree)
        command += fmt::format(" --time-per-tree {}", *options.time_per_tree / std::chrono::seconds{1});
    fmt::print(options.text, "interrupted: {} of {} trees were not checked to their end. Go on with: {}\n", undone,
               all.rows.size(), command);
}

// What --format and --out ask for, beside the three files.
tl::expected<void, Stop> write_class_report(classes::Class const& all, Options const& options) {
    bool const asked = options.json || options.out || options.format;
    report::Format const format = options.format.value_or(report::Format::json);
    if (!asked || (format == report::Format::text && !options.out)) return {};
    std::string const document = format == report::Format::junit  ? classes::junit_document(all)
                                 : format == report::Format::html ? classes::html_document(all)
                                 : format == report::Format::text ? classes::text_document(all, false)
                                                                  : classes::json_document(all);
    if (options.json || !options.out) fmt::print("{}", document);
    if (!options.out) return {};
    if (auto written = base::write_file(*options.out, document); !written)
        return tl::unexpected(Stop{Stop::Cause::machine, written.error().message});
    return {};
}

}  // namespace

ExitCode verify_class(Options const& options) {
    fs::path const& directory = *options.kernel.kernel;
    if (options.format == report::Format::gradescope || options.format == report::Format::github)
        return give_up(
            {Stop::Cause::usage, fmt::format("{}: is a directory of many trees, and --format gradescope and "
                                             "github are about one. Use text, json, junit or html, or give one "
                                             "tree.",
                                             directory.string())});
    auto discovery = classes::discover(directory, options.findings);
    if (!discovery) return give_up({Stop::Cause::usage, discovery.error().message});
    auto const all = run_class(options, std::move(*discovery));
    if (!all) return give_up(all.error());
    if (auto written = write_summary(*all, options); !written) return give_up(written.error());
    say_how_to_go_on(*all, options);
    if (auto written = write_class_report(*all, options); !written) return give_up(written.error());
    return exit_code(classes::judgement(*all));
}

}  // namespace vmcheck::cli
