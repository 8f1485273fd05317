#include "checker/cli/corpus_found.h"

#include "spec/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace vmcheck::cli {

namespace {

using report::Night;

// The invariant that a program's comment begins with, as fuzz writes it: "I3 isolation at step 1: ...".
std::optional<spec::Invariant> invariant_in(std::string const& about) {
    std::string_view const word = std::string_view(about).substr(0, about.find(' '));
    for (std::size_t i = 1; i <= spec::kInvariants; ++i)
        if (auto const each = static_cast<spec::Invariant>(i); word == spec::short_name(each)) return each;
    return std::nullopt;
}

// When each night began: a shard's, when the first of its shards did.
class Beginnings {
  public:
    explicit Beginnings(std::vector<FoundIn> const& corpora) {
        std::map<std::pair<std::string, std::string>, Night> each_once;
        for (FoundIn const& corpus : corpora)
            for (Night night : corpus.nights) {
                night.findings.clear();
                std::string text = report::print(night);
                each_once.try_emplace({night.began, std::move(text)}, std::move(night));
            }
        std::vector<Night> nights;
        nights.reserve(each_once.size());
        for (auto& [key, night] : each_once) nights.push_back(std::move(night));
        whole_ = report::together(nights);
    }

    std::string of(Night const& night) const {
        auto const whole = std::find_if(whole_.rbegin(), whole_.rend(), [&](Night const& each) {
            return report::are_shards_of_one(each, night) && each.began <= night.began;
        });
        return whole == whole_.rend() ? night.began : whole->began;
    }

  private:
    std::vector<Night> whole_{};
};

// By its name, the newest night that saw each finding fail.
std::map<std::string, std::string> last_seen(FoundIn const& corpus, Beginnings const& beginnings) {
    std::map<std::string, std::string> seen;
    for (Night const& night : corpus.nights)
        for (Night::Finding const& each : night.findings)
            if (each.state != Night::State::gone) seen[each.name] = std::max(seen[each.name], beginnings.of(night));
    return seen;
}

// One of the programs that a finding has.
struct Candidate {
    std::size_t corpus;
    std::string name;
    CorpusEntry const* entry;
    std::string seen;  // last

    bool is_better_than(Candidate const& other) const {
        return seen != other.seen ? seen > other.seen : *entry < *other.entry;
    }
};
using Candidates = std::vector<Candidate>;

Candidate const& best_of(Candidates const& candidates) {
    return *std::ranges::min_element(candidates,
                                     [](Candidate const& a, Candidate const& b) { return a.is_better_than(b); });
}

// `alike`: of one kind, in the order of their corpora.
std::vector<Candidates> findings_of(Candidates const& alike) {
    if (std::ranges::adjacent_find(alike, {}, &Candidate::corpus) == alike.end()) return {alike};
    std::map<std::string, Candidates> by_program;
    for (Candidate const& each : alike) {
        spec::Program program = each.entry->program;
        program.about.clear();
        by_program[spec::print(program)].push_back(each);
    }
    std::vector<Candidates> findings;
    findings.reserve(by_program.size());
    for (auto& [program, candidates] : by_program) findings.push_back(std::move(candidates));
    return findings;
}

}  // namespace

FoundKind kind_of(std::string const& name, spec::Program const& program) {
    return {mistake_in(name), invariant_in(program.about),
            program.steps.empty() ? spec::Way::none : spec::way_of(program.steps.back().action)};
}

std::optional<run::Signature> signature_in(spec::Program const& program) {
    auto const invariant = invariant_in(program.about);
    if (!invariant || program.steps.empty()) return std::nullopt;
    return run::Signature{*invariant, program.steps.back().action.index()};
}

std::string mistake_in(std::string const& name) {
    constexpr std::size_t kHashLetters = 8;  // of the kernel, with which a name of fuzz ends that has no number
    std::size_t const at = name.rfind('-');
    if (at == std::string::npos || at == 0) return name;
    std::string_view const number = std::string_view(name).substr(at + 1);
    bool const is_numbered = !number.empty() && number.size() < kHashLetters && number.front() != '0' &&
                             number != "1" && number.find_first_not_of("0123456789") == std::string_view::npos;
    return is_numbered ? name.substr(0, at) : name;
}

std::string numbered(std::string const& mistake, std::size_t number) {
    return number == 1 ? mistake : fmt::format("{}-{}", mistake, number);
}

bool operator<(CorpusEntry const& a, CorpusEntry const& b) {
    if (a.program.steps.size() != b.program.steps.size()) return a.program.steps.size() < b.program.steps.size();
    return std::tie(a.text, a.beside, a.players) < std::tie(b.text, b.beside, b.players);
}

FoundInAll merge_found(std::vector<FoundIn> const& corpora) {
    FoundInAll all;
    all.names.resize(corpora.size());
    Beginnings const beginnings(corpora);
    std::map<FoundKind, Candidates> kinds;
    // Names in the first of them stay, of programs that cannot be read too.
    std::set<std::string> taken = corpora.empty() ? std::set<std::string>() : corpora.front().unread;
    std::map<std::string, std::size_t> last_number;
    for (std::size_t i = 0; i < corpora.size(); ++i) {
        auto seen = last_seen(corpora[i], beginnings);
        for (auto const& [name, entry] : corpora[i].entries) {
            kinds[kind_of(name, entry.program)].push_back({i, name, &entry, seen[name]});
            if (i == 0) taken.insert(name);
        }
    }
    auto const call = [&](Candidates const& finding, std::string const& name) {
        all.entries[name] = *best_of(finding).entry;
        for (Candidate const& each : finding) all.names[each.corpus][each.name] = name;
    };
    for (auto const& [kind, alike] : kinds) {
        auto findings = findings_of(alike);
        std::ranges::sort(
            findings, [](Candidates const& a, Candidates const& b) { return *best_of(a).entry < *best_of(b).entry; });
        for (Candidates const& finding : findings) {
            std::size_t& number = last_number.try_emplace(kind.mistake, 1).first->second;
            bool const is_there = finding.front().corpus == 0;
            while (!is_there && taken.contains(numbered(kind.mistake, number))) ++number;
            std::string const name = is_there ? finding.front().name : numbered(kind.mistake, number);
            taken.insert(name);
            call(finding, name);
        }
    }
    return all;
}

}  // namespace vmcheck::cli
