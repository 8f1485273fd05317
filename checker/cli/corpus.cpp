#include "checker/cli/corpus.h"

#include "checker/cli/corpus_files.h"
#include "checker/cli/corpus_found.h"
#include "checker/cli/print.h"
#include "checker/finding/cause.h"
#include "checker/report/coverage.h"
#include "checker/report/escape.h"
#include "checker/report/story.h"
#include "checker/run/turns.h"
#include "impl/base/files.h"
#include "spec/text.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, run::kModes> kModeWords{"plain",   "sweep", "pressure",
                                                               "preempt", "harts", "limits"};

std::string hash_of(std::string_view text) {
    return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

// "sweep-0123456789abcdef.vmc"
std::optional<run::Mode> mode_in(fs::path const& kept) {
    std::string const name = kept.filename().string();
    auto const at = std::ranges::find(kModeWords, name.substr(0, name.find('-')));
    if (at == kModeWords.end()) return std::nullopt;
    return static_cast<run::Mode>(at - kModeWords.begin());
}

// Of a program that is run as it is.
run::Mode mode_of(spec::Program const& program) {
    return spec::harts_of(program) > 1 ? run::Mode::harts : program.memory ? run::Mode::pressure : run::Mode::plain;
}

// The rest of the line that begins with `name` in one of the system's tables.
std::string entry_of(char const* table, std::string_view name) {
    std::string const text = base::read_file(table).value_or(std::string());
    std::size_t const at = text.find(name), colon = text.find(':', at);
    if (at == std::string::npos || colon == std::string::npos) return "unknown";
    std::string const value = text.substr(colon + 1, text.find('\n', colon) - colon - 1);
    return value.substr(std::min(value.find_first_not_of(' '), value.size()));
}

std::string this_machine() {
    std::string const memory = entry_of("/proc/meminfo", "MemTotal");
    return fmt::format("{}, {} cores, {} MiB", entry_of("/proc/cpuinfo", "model name"),
                       std::thread::hardware_concurrency(), std::strtoull(memory.c_str(), nullptr, 10) / 1024);
}

}  // namespace

tl::expected<FuzzCorpus, Stop> FuzzCorpus::open(fs::path directory) {
    FuzzCorpus corpus(std::move(directory));
    for (char const* folder : {"", kKept, kFound}) base::remove_left_parts(corpus.directory_ / folder);
    corpus.read(corpus.directory_ / kKept, false);
    corpus.read(corpus.directory_ / kFound, true);
    auto const ledger = read_ledger(corpus.directory_);
    if (!ledger) return tl::unexpected(Stop{Stop::Cause::machine, ledger.error().message});
    corpus.nights_ = nights_in(*ledger);
    corpus.arrange();
    return corpus;
}

void FuzzCorpus::read(fs::path const& folder, bool is_found) {
    std::vector<fs::path> paths;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        if (at->path().extension() == ".vmc") paths.push_back(at->path());
    std::sort(paths.begin(), paths.end());
    for (fs::path const& path : paths) {
        auto const text = base::read_file(path);
        auto program = text ? spec::parse(*text) : tl::unexpected(spec::ParseError{});
        auto const mode = !program ? std::nullopt : is_found ? std::optional(mode_of(*program)) : mode_in(path);
        if (!mode) {
            tell(stderr, "left out  {}: {}\n", report::one_line(path.string()),
                 !text      ? text.error().message
                 : !program ? spec::to_string(program.error())
                            : "its name does not begin with a mode");
            continue;
        }
        entries_.push_back({*mode, std::move(*program), is_found});
        files_.push_back({path, is_found});
    }
}

// Findings come first, since whether they are gone is what the page says; of what is kept, each night begins elsewhere.
void FuzzCorpus::arrange() {
    auto const turn = [night = nights_.size()](auto& all, auto const& is_found) {
        auto const kept = std::stable_partition(all.begin(), all.end(), is_found);
        auto const count = static_cast<std::size_t>(all.end() - kept);
        std::rotate(kept, kept + static_cast<std::ptrdiff_t>(run::place_to_begin(night, count)), all.end());
    };
    turn(entries_, [](run::Corpus::Entry const& each) { return each.as_it_is; });
    turn(files_, [](File const& each) { return each.is_found; });
}

run::Corpus FuzzCorpus::for_campaign() {
    return {entries_,
            [this](std::size_t index, bool failed, bool fresh) {
                files_[index].ran = true;
                files_[index].failed = failed;
                files_[index].fresh = fresh;
            },
            [this](std::size_t index) { files_[index].left_out = true; },
            [this](run::Mode mode, spec::Program const& program) { keep(mode, program); }};
}

void FuzzCorpus::keep(run::Mode mode, spec::Program program) {
    // A name that a line cannot hold as it is would be another.
    if (report::one_line(kernel_) == kernel_) program.found_on = kernel_;
    std::string const text = spec::print(program);
    fs::path const path =
        directory_ / kKept / fmt::format("{}-{}.vmc", kModeWords[static_cast<std::size_t>(mode)], hash_of(text));
    if (auto written = base::write_file_for_good(path, text); !written && !trouble_) trouble_ = written.error();
    ++kept_;
}

Filing FuzzCorpus::filing(SessionResult const& session) {
    return {[this, &session](std::size_t number, Finding const&) {
                // In order, once for each.
                while (filed_.size() < number) {
                    filed_.push_back(name_of(session.findings[filed_.size()], session));
                    forget_what_passes(filed_.back());
                }
                return directory_ / kFound / filed_[number - 1];
            },
            true};
}

// The mistake shows at another program than the one that is there, which says nothing any more.
void FuzzCorpus::forget_what_passes(std::string const& name) const {
    std::error_code ignored;
    for (File const& file : files_)
        if (file.is_found && file.ran && !file.failed && file.path.stem() == name) fs::remove(file.path, ignored);
}

std::string FuzzCorpus::name_of(Finding const& finding, SessionResult const& session) {
    std::string const mistake =
        is_solid(finding) ? cause_of(finding.family).id : "flaky-" + signature_name(finding.signature);
    // What another kernel, or this one in another profile, does wrong is another finding.
    std::string const name = fmt::format(
        "{}-{}", mistake, hash_of(session.kernel.name + '\n' + spec::print(finding.program.profile)).substr(0, 8));
    std::string number = number_of(name, finding);
    names_.insert(number);
    return number;
}

// The number by which the corpus has it already, by what it is (corpus_found.h) or what else it was seen as; else the
// first that no other finding has.
std::string FuzzCorpus::number_of(std::string const& mistake, Finding const& finding) const {
    std::vector<FoundKind> kinds{{mistake, finding.signature.invariant, spec::way_of_kind(finding.signature.kind)}};
    for (run::Signature const& also : finding.also)
        kinds.push_back({mistake, also.invariant, spec::way_of_kind(also.kind)});
    for (FoundKind const& kind : kinds)
        for (std::size_t i = 0; i < files_.size(); ++i) {
            std::string name = files_[i].path.stem().string();
            if (files_[i].is_found && !names_.contains(name) && kind_of(name, entries_[i].program) == kind) return name;
        }
    std::set<std::string> others = names_;
    // A program that passes says nothing any more.
    for (File const& file : files_)
        if (file.is_found && (!file.ran || file.failed)) others.insert(file.path.stem().string());
    std::size_t number = 1;
    while (others.contains(numbered(mistake, number))) ++number;
    return numbered(mistake, number);
}

std::vector<report::Night::Finding> FuzzCorpus::findings_of(SessionResult const& session,
                                                            report::Night const& night) const {
    using State = report::Night::State;
    std::vector<report::Night::Finding> all;
    auto const told_before = [&](std::string const& name) {
        return std::ranges::any_of(nights_, [&](report::Night const& each) {
            return each.kernel == night.kernel && each.profile == night.profile &&
                   std::ranges::any_of(each.findings, [&](auto const& finding) { return finding.name == name; });
        });
    };
    for (std::size_t i = 0; i < filed_.size(); ++i) {
        Finding const& finding = session.findings[i];
        if (!is_solid(finding)) continue;
        Cause const cause = cause_of(finding.family);
        all.push_back({filed_[i], cause.known ? cause.title : report::title_of(finding.signature.invariant),
                       told_before(filed_[i]) ? State::known : State::fresh});
    }
    for (std::size_t i = 0; i < files_.size(); ++i) {
        std::string const name = files_[i].path.stem().string();
        bool const is_listed = std::ranges::any_of(all, [&](auto const& each) { return each.name == name; });
        if (!files_[i].is_found || !files_[i].ran || is_listed || entries_[i].program.found_on != session.kernel.name)
            continue;
        std::string const title = entries_[i].program.about.empty() ? name : entries_[i].program.about;
        all.push_back({name, title, files_[i].failed ? State::known : State::gone});
    }
    return all;
}

// Between the last night of this kernel that did not have it and the first that did; of what is gone between the last
// that had it, unless that was before the last that tells of it, and the first that did not.
FuzzCorpus::Turn FuzzCorpus::turn_of(std::string const& name, report::Night const& night) const {
    using State = report::Night::State;
    Turn turn;
    report::Night const *previous = nullptr, *seen = nullptr;
    auto const look = [&](report::Night const& each) {
        if (each.kernel != night.kernel || each.profile != night.profile) return;
        auto const told = std::ranges::find_if(each.findings, [&](auto const& other) { return other.name == name; });
        if (told != each.findings.end()) {
            bool const is_gone = told->state == State::gone;
            // What is back, or was there before anybody told of it, has not come with that night.
            if (turn.after == nullptr || turn.is_gone != is_gone)
                turn = {is_gone ? seen : previous, &each, is_gone, told->state == State::known};
            if (report::Night::is_answered(told->change)) turn.is_answered = true;
            if (!is_gone) seen = &each;
        }
        previous = &each;
    };
    for (report::Night const& each : nights_) look(each);
    look(night);
    return turn;
}

// Also of an earlier night's, where that had no time for it or was ended meanwhile.
std::optional<report::Night::Change> FuzzCorpus::change_of(std::string const& name, Turn const& turn,
                                                           SessionResult const& session, TreeHistory& tree) const {
    if (turn.is_answered || turn.before == nullptr || tree.commit().empty()) return std::nullopt;
    report::Night const &before = *turn.before, &after = *turn.after;
    if (before.kernel_commit.empty() || after.kernel_commit.empty()) return std::nullopt;
    if (before.kernel_commit == after.kernel_commit && !before.kernel_changed && !after.kernel_changed)
        return std::nullopt;
    auto const filed = std::ranges::find(filed_, name);
    auto const file =
        std::ranges::find_if(files_, [&](File const& each) { return each.is_found && each.path.stem() == name; });
    bool const was_there = file != files_.end() && (turn.is_gone || !file->ran || file->failed);
    if (was_there) {
        spec::Program const& program = entries_[static_cast<std::size_t>(file - files_.begin())].program;
        return tree.search({program, signature_in(program), before, after, turn.is_gone});
    }
    if (filed == filed_.end()) return std::nullopt;
    Finding const& finding = session.findings[static_cast<std::size_t>(filed - filed_.begin())];
    return tree.search({finding.program, finding.signature, before, after, turn.is_gone});
}

tl::expected<report::Night, Stop> FuzzCorpus::end(SessionResult const& session,
                                                  std::chrono::system_clock::time_point began,
                                                  std::optional<run::Shard> shard, TreeHistory& tree) {
    // Lets go of what this kernel asked for, and reaches nothing with any more.
    std::uint64_t left_out = 0;
    for (std::size_t i = 0; i < files_.size(); ++i) {
        File const& file = files_[i];
        if (file.left_out) ++left_out;
        if (file.left_out && !file.is_found) ++kept_;
        if (file.is_found || !file.ran) continue;
        bool const is_idle = !file.failed && !file.fresh && entries_[i].program.found_on == session.kernel.name;
        std::error_code ignored;
        if (!is_idle || !fs::remove(file.path, ignored)) ++kept_;
    }
    auto const coverage = report::memory_coverage(session.coverage);
    auto const now = std::chrono::system_clock::now();
    std::string const commit = commit_of("/proc/self/exe");
    report::Night night{
        .began = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(began))),
        .seconds = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now - began).count()),
        .kernel = session.kernel.name,
        .profile = session.kernel.profile,
        .kernel_commit = tree.commit(),
        .kernel_changed = tree.is_changed(),
        .vmcheck = VMCHECK_VERSION + (commit.empty() ? "" : " " + commit.substr(0, 10)),
        .machine = this_machine(),
        .seed = session.seed,
        .shard = shard,
        .programs = session.counts.programs,
        .steps = session.counts.steps,
        .reached = coverage.reached,
        .lines = coverage.all,
        .corpus = kept_,
        .left_out = left_out};
    night.findings = findings_of(session, night);
    // The search for commits takes minutes, and the night is not lost if it is ended meanwhile.
    std::string const before = report::print(night);
    if (auto written = put_line({}, before); !written) return tl::unexpected(written.error());
    std::vector<std::pair<report::Night::Finding*, Turn>> turns;
    turns.reserve(night.findings.size());
    for (auto& finding : night.findings) turns.emplace_back(&finding, turn_of(finding.name, night));
    // Those of this night first: there may be no time for all of them.
    std::stable_partition(turns.begin(), turns.end(), [&](auto const& each) { return each.second.after == &night; });
    for (auto const& [finding, turn] : turns) finding->change = change_of(finding->name, turn, session, tree);
    std::string const line = report::print(night);
    if (line != before)
        if (auto written = put_line(before, line); !written) return tl::unexpected(written.error());
    if (trouble_) return tl::unexpected(Stop{Stop::Cause::machine, trouble_->message});
    return night;
}

tl::expected<void, Stop> FuzzCorpus::put_line(std::string const& old, std::string const& line) {
    // As it is now: another kernel's night may have ended meanwhile.
    auto ledger = read_ledger(directory_);
    // One that is there and cannot be read must not be written over.
    if (!ledger) return tl::unexpected(Stop{Stop::Cause::machine, ledger.error().message});
    if (!ledger->empty() && ledger->back() != '\n') *ledger += '\n';
    std::size_t const at = old.empty() ? std::string::npos : ledger->rfind(old);
    if (at == std::string::npos)
        *ledger += line;
    else
        ledger->replace(at, old.size(), line);
    auto const written = write_ledger(directory_, *ledger);
    if (!written && !trouble_) trouble_ = written.error();
    return {};
}

}  // namespace vmcheck::cli
