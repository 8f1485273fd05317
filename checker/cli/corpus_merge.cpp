#include "checker/cli/corpus_merge.h"

#include "checker/cli/corpus_files.h"
#include "checker/cli/corpus_found.h"
#include "checker/cli/print.h"
#include "checker/qemu/script.h"
#include "checker/report/escape.h"
#include "checker/report/night.h"
#include "impl/base/files.h"
#include "spec/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;
using report::Night;

using Entries = std::map<std::string, CorpusEntry>;

// In texts, for the path of a program without its ending, until it is known what it is called from now on.
constexpr char const* kHere = "\x01here\x01";

// `plain`: those that are, without links; or else all others.
std::vector<fs::path> files_in(fs::path const& folder, bool plain) {
    std::vector<fs::path> paths;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        std::error_code unknown;
        if ((at->is_regular_file(unknown) && !at->is_symlink(unknown)) == plain) paths.push_back(at->path());
    }
    std::ranges::sort(paths);
    return paths;
}
std::vector<fs::path> plain_files(fs::path const& folder) {
    return files_in(folder, true);
}

std::string replaced(std::string text, std::string const& what, std::string const& by) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

// By what their names begin with: a program and all that lies beside it.
std::map<std::string, std::vector<fs::path>> by_stem(std::vector<fs::path> const& paths) {
    std::map<std::string, std::vector<fs::path>> all;
    for (fs::path const& path : paths) all[path.stem().string()].push_back(path);
    return all;
}

// Each with the texts beside it.
tl::expected<void, base::Error> add_beside(fs::path const& folder, Entries& entries) {
    auto files = by_stem(plain_files(folder));
    for (auto& [name, entry] : entries) {
        for (fs::path const& path : files[name]) {
            if (path.extension() == ".vmc" || path.extension() == ".part") continue;
            auto text = base::read_file(path);
            if (!text) return tl::unexpected(text.error());
            // However the directory is spelled here.
            std::string const stem = (folder / name).lexically_normal().string();
            entry.beside[path.extension().string()] = replaced(std::move(*text), stem, kHere);
        }
    }
    // What scripts for GDB play with (write_findings).
    for (std::string const& name : {std::string(qemu::kPlayer), std::string(qemu::kPlayersDisk)}) {
        auto const player = base::read_file(folder / name);
        for (auto& [program, entry] : entries)
            if (player && entry.beside.contains(".gdb")) entry.players[name] = *player;
    }
    return {};
}

struct Programs {
    Entries entries{};  // by their names without the ending
    std::set<std::string> unread{};
};

tl::expected<Programs, base::Error> read_programs(fs::path const& folder) {
    Programs programs;
    auto const leave_out = [&](fs::path const& path, std::string const& why) {
        tell(stderr, "left out  {}: {}\n", report::one_line(path.string()), why);
        programs.unread.insert(path.stem().string());
    };
    for (fs::path const& path : files_in(folder, false))
        if (path.extension() == ".vmc") leave_out(path, "a link, or no plain file.");
    for (fs::path const& path : plain_files(folder)) {
        if (path.extension() != ".vmc") continue;
        auto text = base::read_file(path);
        auto program = text ? spec::parse(*text) : tl::unexpected(spec::ParseError{});
        if (program)
            programs.entries[path.stem().string()] = {std::move(*program), std::move(*text)};
        else
            leave_out(path, text ? spec::to_string(program.error()) : text.error().message);
    }
    if (auto added = add_beside(folder, programs.entries); !added) return tl::unexpected(added.error());
    return programs;
}

// A name is made of what is in it.
void add_kept(Entries&& entries, Entries& all) {
    for (auto& [name, entry] : entries) {
        auto const [at, fresh] = all.try_emplace(name, entry);
        if (!fresh && entry < at->second) at->second = std::move(entry);
    }
}

// Its findings by the names that they have now; otherwise as it is.
std::string renamed(std::string_view line, Night night, std::map<std::string, std::string> const& names) {
    bool is_other = false;
    for (Night::Finding& finding : night.findings) {
        auto const name = names.find(finding.name);
        if (name == names.end() || name->second == finding.name) continue;
        finding.name = name->second;
        is_other = true;
    }
    if (!is_other) return std::string(line);
    std::string text = report::print(night);
    text.pop_back();
    return text;
}

// The same for a night however its findings are numbered.
std::string without_numbers(Night night) {
    for (Night::Finding& finding : night.findings) finding.name = mistake_in(finding.name);
    return report::print(night);
}

// Each night once, by its beginning; what is no night of this version goes first, as it is.
class Lines {
  public:
    // `names`: what the findings are called now. What the first ledger says stays as it is.
    void add(std::string_view ledger, std::map<std::string, std::string> const& names) {
        bool const is_first = std::exchange(is_first_, false);
        for (std::size_t at = 0; at < ledger.size();) {
            std::size_t const end = std::min(ledger.find('\n', at), ledger.size());
            std::string_view const line = ledger.substr(at, end - at);
            at = end + 1;
            if (line.empty()) continue;
            auto const night = report::parse_night(line);
            Line fresh{!is_first, night ? night->began : "", night ? renamed(line, *night, names) : std::string(line)};
            auto const [old, is_new] = lines_.try_emplace(night ? without_numbers(*night) : std::string(line), fresh);
            if (!is_new) old->second = std::min(old->second, fresh);
        }
    }
    std::size_t count() const { return lines_.size(); }
    std::string text() const {
        std::set<std::pair<std::string, std::string>> sorted;
        for (auto const& [key, line] : lines_) sorted.emplace(line.began, line.text);
        std::string text;
        for (auto const& [began, line] : sorted) text += line + '\n';
        return text;
    }

  private:
    struct Line {
        bool is_added;  // to those of the first
        std::string began, text;
        friend auto operator<=>(Line const&, Line const&) = default;
    };
    std::map<std::string, Line> lines_;
    bool is_first_ = true;
};

tl::expected<void, base::Error> write_if_other(fs::path const& path, std::string const& text) {
    if (auto const old = base::read_file(path); old && *old == text) return {};
    return base::write_file_for_good(path, text);
}

// What lies beside a program first: where the program is, all is.
// Of a program that stays no more only that goes which fuzz writes.
constexpr std::array<std::string_view, 3> kEndings{".c", ".gdb", ".md"};
tl::expected<void, base::Error> write_entries(fs::path const& folder, Entries const& entries) {
    auto there = by_stem(plain_files(folder));
    for (auto const& [name, entry] : entries) {
        for (fs::path const& old : there[name]) {
            std::error_code ignored;
            std::string const ending = old.extension().string();
            bool const is_ours = std::ranges::find(kEndings, ending) != kEndings.end();
            if (is_ours && !entry.beside.contains(ending)) fs::remove(old, ignored);
        }
        std::string const stem = (folder / name).string();
        for (auto const& [file, text] : entry.players)
            if (auto written = write_if_other(folder / file, text); !written) return written;
        for (auto const& [ending, text] : entry.beside)
            if (auto written = write_if_other(stem + ending, replaced(text, kHere, stem)); !written) return written;
        if (auto written = write_if_other(stem + ".vmc", entry.text); !written) return written;
    }
    return {};
}

}  // namespace

bool is_corpus(fs::path const& directory) {
    std::error_code error;
    return fs::is_regular_file(directory / kLedger, error);
}

tl::expected<MergedCorpus, Stop> merge_corpora(std::vector<fs::path> const& from, fs::path const& into) {
    auto const fails = [](base::Error const& error) {
        return tl::make_unexpected(Stop{Stop::Cause::machine, error.message});
    };
    for (char const* folder : {kKept, kFound}) {
        std::error_code unknown;
        if (fs::is_symlink(into / folder, unknown))
            return tl::unexpected(
                Stop{Stop::Cause::usage, fmt::format("{} is a link, and merge writes nowhere but into --out.",
                                                     report::one_line((into / folder).string()))});
    }
    for (char const* folder : {"", kKept, kFound}) base::remove_left_parts(into / folder);
    Entries kept;
    std::vector<FoundIn> corpora;
    std::vector<std::string> ledgers;
    std::vector<fs::path> all{into};
    all.insert(all.end(), from.begin(), from.end());
    for (fs::path const& corpus : all) {
        auto more = read_programs(corpus / kKept);
        if (!more) return fails(more.error());
        add_kept(std::move(more->entries), kept);
        auto found = read_programs(corpus / kFound);
        if (!found) return fails(found.error());
        auto ledger = read_ledger(corpus);
        if (!ledger) return fails(ledger.error());
        corpora.push_back({std::move(found->entries), std::move(found->unread), nights_in(*ledger)});
        ledgers.push_back(std::move(*ledger));
    }
    FoundInAll const found = merge_found(corpora);
    Lines lines;
    for (std::size_t i = 0; i < ledgers.size(); ++i) lines.add(ledgers[i], found.names[i]);
    if (auto written = write_entries(into / kKept, kept); !written) return fails(written.error());
    if (auto written = write_entries(into / kFound, found.entries); !written) return fails(written.error());
    if (auto written = write_ledger(into, lines.text()); !written) return fails(written.error());
    return MergedCorpus{kept.size(), found.entries.size(), lines.count()};
}

}  // namespace vmcheck::cli
