#include "checker/cli/corpus_merge.h"

#include "checker/cli/corpus_files.h"
#include "checker/cli/print.h"
#include "checker/qemu/script.h"
#include "checker/report/escape.h"
#include "checker/report/night.h"
#include "impl/base/files.h"
#include "spec/text.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;

// A program, and all that lies beside it under its name: what a finding consists of.
struct Entry {
    std::size_t steps = 0;
    std::string text;
    std::map<std::string, std::string> beside{};  // by their names
    friend bool operator<(Entry const& a, Entry const& b) {
        return std::tie(a.steps, a.text, a.beside) < std::tie(b.steps, b.text, b.beside);
    }
};
using Entries = std::map<std::string, Entry>;

std::vector<fs::path> plain_files(fs::path const& folder) {
    std::vector<fs::path> paths;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        std::error_code unknown;
        if (at->is_regular_file(unknown) && !at->is_symlink(unknown)) paths.push_back(at->path());
    }
    std::ranges::sort(paths);
    return paths;
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

// Each with the texts beside it, in which `folder` is called by where it goes.
tl::expected<void, base::Error> add_beside(fs::path const& folder, fs::path const& into,
                                           std::vector<std::pair<std::string, Entry>>& entries) {
    auto files = by_stem(plain_files(folder));
    for (auto& [name, entry] : entries) {
        for (fs::path const& path : files[fs::path(name).stem().string()]) {
            if (path.extension() == ".vmc" || path.extension() == ".part") continue;
            auto text = base::read_file(path);
            if (!text) return tl::unexpected(text.error());
            entry.beside[path.filename().string()] =
                replaced(std::move(*text), (folder / path.stem()).string(), (into / path.stem()).string());
        }
    }
    // What scripts for GDB play with (write_findings).
    for (fs::path const& name : {fs::path(qemu::kPlayer), fs::path(qemu::kPlayersDisk)}) {
        auto const shared = base::read_file(folder / name);
        for (auto& [program, entry] : entries)
            if (shared && entry.beside.contains(fs::path(program).replace_extension(".gdb").string()))
                entry.beside[name.string()] = *shared;
    }
    return {};
}

// Of each name the shortest program; of the same program that which comes first in the order of its texts.
tl::expected<void, base::Error> add_entries(fs::path const& folder, fs::path const& into, Entries& all) {
    std::vector<std::pair<std::string, Entry>> entries;
    for (fs::path const& path : plain_files(folder)) {
        if (path.extension() != ".vmc") continue;
        auto text = base::read_file(path);
        auto const program = text ? spec::parse(*text) : tl::unexpected(spec::ParseError{});
        if (program)
            entries.push_back({path.filename().string(), {program->steps.size(), std::move(*text)}});
        else
            tell(stderr, "left out  {}: {}\n", report::one_line(path.string()),
                 text ? spec::to_string(program.error()) : text.error().message);
    }
    if (auto added = add_beside(folder, into, entries); !added) return added;
    for (auto& [name, entry] : entries) {
        auto const [at, fresh] = all.try_emplace(name, entry);
        if (!fresh && entry < at->second) at->second = std::move(entry);
    }
    return {};
}

// Each line once, by the beginning of its night; what is no night of this version goes first, as it is.
class Lines {
  public:
    void add(std::string_view ledger) {
        for (std::size_t at = 0; at < ledger.size();) {
            std::size_t const end = std::min(ledger.find('\n', at), ledger.size());
            std::string_view const line = ledger.substr(at, end - at);
            auto const night = report::parse_night(line);
            if (!line.empty()) lines_.emplace(night ? night->began : std::string(), line);
            at = end + 1;
        }
    }
    std::size_t count() const { return lines_.size(); }
    std::string text() const {
        std::string text;
        for (auto const& [began, line] : lines_) text += line + '\n';
        return text;
    }

  private:
    std::set<std::pair<std::string, std::string>> lines_;
};

tl::expected<void, base::Error> write_if_other(fs::path const& path, std::string const& text) {
    if (auto const old = base::read_file(path); old && *old == text) return {};
    return base::write_file_for_good(path, text);
}

// What lies beside a program first: where the program is, all is.
tl::expected<void, base::Error> write_entries(fs::path const& folder, Entries const& entries) {
    auto const there = by_stem(plain_files(folder));
    for (auto const& [name, entry] : entries) {
        if (auto const old = there.find(fs::path(name).stem().string()); old != there.end())
            for (fs::path const& path : old->second) {
                std::error_code ignored;
                if (path.filename() != name && !entry.beside.contains(path.filename().string()))
                    fs::remove(path, ignored);
            }
        for (auto const& [beside, text] : entry.beside)
            if (auto written = write_if_other(folder / beside, text); !written) return written;
        if (auto written = write_if_other(folder / name, entry.text); !written) return written;
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
    for (char const* folder : {"", kKept, kFound}) base::remove_left_parts(into / folder);
    Entries kept, found;
    Lines lines;
    std::vector<fs::path> all{into};
    all.insert(all.end(), from.begin(), from.end());
    for (fs::path const& corpus : all) {
        if (auto added = add_entries(corpus / kKept, into / kKept, kept); !added) return fails(added.error());
        if (auto added = add_entries(corpus / kFound, into / kFound, found); !added) return fails(added.error());
        auto const ledger = read_ledger(corpus);
        if (!ledger) return fails(ledger.error());
        lines.add(*ledger);
    }
    for (auto const& [folder, entries] : {std::pair{kKept, &kept}, {kFound, &found}})
        if (auto written = write_entries(into / folder, *entries); !written) return fails(written.error());
    if (auto written = write_ledger(into, lines.text()); !written) return fails(written.error());
    return MergedCorpus{kept.size(), found.size(), lines.count()};
}

}  // namespace vmcheck::cli
