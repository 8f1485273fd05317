#include "checker/cli/corpus.h"

#include "checker/cli/print.h"
#include "checker/finding/cause.h"
#include "checker/report/coverage.h"
#include "checker/report/escape.h"
#include "checker/report/story.h"
#include "impl/base/files.h"
#include "spec/text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;

constexpr char const* kKept = "kept";
constexpr char const* kFound = "found";
constexpr char const* kLedger = "nightly.jsonl";
constexpr char const* kPage = "nightly.html";
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

std::string first_line(fs::path const& file) {
    std::string const text = base::read_file(file).value_or(std::string());
    return text.substr(0, text.find('\n'));
}

// Of a stranger's tree, whose files may name any other for the place of one.
std::string if_commit(std::string id) {
    bool const is_one =
        (id.size() == 40 || id.size() == 64) && id.find_first_not_of("0123456789abcdef") == std::string::npos;
    return is_one ? id : std::string{};
}

// The commit that the git tree around `path` stands at, from its files: a stranger's configuration can name programs
// for git to run. Empty where there is none.
std::string commit_of(fs::path const& path) {
    std::error_code error;
    fs::path git;
    for (fs::path at = fs::weakly_canonical(path, error); !at.empty() && at != at.parent_path(); at = at.parent_path())
        if (fs::exists(at / ".git", error)) {
            git = at / ".git";
            break;
        }
    if (git.empty()) return {};
    constexpr std::string_view kElsewhere = "gitdir: ", kReference = "ref: ";
    if (std::string const line = first_line(git); line.starts_with(kElsewhere))
        git = git.parent_path() / line.substr(kElsewhere.size());
    std::string head = first_line(git / "HEAD");
    if (!head.starts_with(kReference)) return if_commit(std::move(head));
    std::string const name = head.substr(kReference.size());
    fs::path const common = git / first_line(git / "commondir");
    if (std::string id = first_line(common / name); !id.empty()) return if_commit(std::move(id));
    std::string const packed = base::read_file(common / "packed-refs").value_or(std::string());
    std::size_t const at = packed.find(' ' + name + '\n');
    std::size_t const begin = at == std::string::npos ? at : packed.rfind('\n', at) + 1;
    return at == std::string::npos ? "" : if_commit(packed.substr(begin, at - begin));
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

std::vector<report::Night> nights_in(std::string_view ledger) {
    std::vector<report::Night> nights;
    for (std::size_t at = 0; at < ledger.size();) {
        std::size_t const end = std::min(ledger.find('\n', at), ledger.size());
        if (auto night = report::parse_night(ledger.substr(at, end - at))) nights.push_back(std::move(*night));
        at = end + 1;
    }
    return nights;
}

// A line for each night, each of a few thousand bytes.
tl::expected<std::string, base::Error> read_ledger(fs::path const& directory) {
    return base::read_file(directory / kLedger, {.bytes_max = std::uint64_t{1} << 30});
}

}  // namespace

tl::expected<FuzzCorpus, Stop> FuzzCorpus::open(fs::path directory) {
    FuzzCorpus corpus(std::move(directory));
    for (char const* folder : {"", kKept, kFound}) base::remove_left_parts(corpus.directory_ / folder);
    corpus.read(corpus.directory_ / kKept, false);
    corpus.read(corpus.directory_ / kFound, true);
    auto const ledger = read_ledger(corpus.directory_);
    if (!ledger && ledger.error().kind != base::Error::Kind::no_such_file)
        return tl::unexpected(Stop{Stop::Cause::machine, ledger.error().message});
    corpus.nights_ = nights_in(ledger.value_or(std::string()));
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

run::Corpus FuzzCorpus::for_campaign() {
    return {entries_,
            [this](std::size_t index, bool failed, bool fresh) {
                files_[index].ran = true;
                files_[index].failed = failed;
                files_[index].fresh = fresh;
            },
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
    std::size_t const alike = ++names_[name];
    return alike == 1 ? name : fmt::format("{}-{}", name, alike);
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

tl::expected<report::Night, Stop> FuzzCorpus::end(SessionResult const& session, Options const& options,
                                                  std::chrono::system_clock::time_point began) {
    // What this kernel asked for, and reaches nothing with any more.
    for (std::size_t i = 0; i < files_.size(); ++i) {
        File const& file = files_[i];
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
        .kernel_commit = options.kernel.kernel ? commit_of(*options.kernel.kernel) : "",
        .vmcheck = VMCHECK_VERSION + (commit.empty() ? "" : " " + commit.substr(0, 10)),
        .machine = this_machine(),
        .seed = session.seed,
        .programs = session.counts.programs,
        .steps = session.counts.steps,
        .reached = coverage.reached,
        .lines = coverage.all,
        .corpus = kept_};
    night.findings = findings_of(session, night);
    // As it is now: another kernel's night may have ended meanwhile.
    auto read = read_ledger(directory_);
    // One that is there and cannot be read must not be written over.
    if (!read && read.error().kind != base::Error::Kind::no_such_file)
        return tl::unexpected(Stop{Stop::Cause::machine, read.error().message});
    std::string ledger = read ? std::move(*read) : std::string();
    if (!ledger.empty() && ledger.back() != '\n') ledger += '\n';
    ledger += report::print(night);
    auto written = base::write_file_for_good(directory_ / kLedger, ledger);
    if (written) written = base::write_file_for_good(directory_ / kPage, report::night_page(nights_in(ledger)));
    if (!written && !trouble_) trouble_ = written.error();
    if (trouble_) return tl::unexpected(Stop{Stop::Cause::machine, trouble_->message});
    return night;
}

}  // namespace vmcheck::cli
