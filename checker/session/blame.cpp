#include "checker/session/blame.h"

#include "checker/run/runner.h"
#include "checker/shrink/candidates.h"
#include "impl/base/files.h"
#include "spec/step_kinds.h"
#include "spec/text.h"
#include "spec/walk.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>

namespace vmcheck::session {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNeighboursOfAKind = 40;
// Together: a fork that copies many pages takes long.
constexpr std::uint64_t kPagesOfNeighbours = 16'384;

std::vector<spec::Program> simpler(spec::Program const& program) {
    constexpr std::size_t kMost = 400;
    std::vector<spec::Program> programs;
    auto candidates = shrink::tree({program, 0}).shrinks();
    for (auto next = candidates.next(); next && programs.size() < kMost; next = candidates.next())
        programs.push_back(next->value().program);
    return programs;
}

template <std::size_t... I>
std::vector<spec::Action> each_kind(std::index_sequence<I...>) {
    return {spec::Action{std::in_place_index<I>}...};
}

// The same with another last step: of the same kind at other addresses, and of the other kinds.
std::vector<spec::Program> with_other_ends(spec::Program const& program) {
    using spec::Anchor;
    constexpr std::array kPlaces{spec::Address{Anchor::heap, 0},  spec::Address{Anchor::bss, 0},
                                 spec::Address{Anchor::text, 0},  spec::Address{Anchor::stack, -16},
                                 spec::Address{Anchor::guard, 0}, spec::Address{Anchor::brk, 0},
                                 spec::Address{Anchor::brk, -1},  spec::Address{Anchor::maxva, 0}};
    std::vector<spec::Program> programs;
    auto const add = [&](spec::Action const& action) {
        programs.push_back(program);
        spec::Step& last = programs.back().steps.back();
        last.action = action;
        last.faults = {};
    };
    spec::Action const& last = program.steps.back().action;
    add(last);
    auto const use = spec::address_of(last);
    auto const at = [](spec::Action action, spec::Address const& place) {
        spec::for_each_address(action, [&](spec::Address& each, auto&&...) { each = place; });
        if (auto* read = std::get_if<spec::FileRead>(&action); read && read->bytes == 0) read->bytes = 8;
        if (auto* write = std::get_if<spec::PipeWrite>(&action); write && write->bytes == 0) write->bytes = 8;
        return action;
    };
    for (spec::Address const& place : kPlaces) add(at(last, place));
    for (spec::Action const& kind : each_kind(std::make_index_sequence<spec::kActionKinds>())) {
        add(at(kind, use ? use->at : kPlaces.front()));
        add(at(kind, kPlaces[1]));
    }
    for (std::int64_t bytes : {std::int64_t{4096}, std::int64_t{1}, std::int64_t{-4096}}) add(spec::Sbrk{bytes});
    return programs;
}

class LinesRan final : public run::Watcher {
  public:
    void before(spec::StepIndex, Execution& execution) override { execution.record(true); }
    void after(spec::StepIndex, Execution& execution) override {
        by_step.push_back(execution.lines());
        execution.record(false);
    }
    // In the first steps, so many.
    std::set<VirtAddr> until(std::size_t steps) const {
        std::set<VirtAddr> lines;
        for (std::size_t i = 0; i < std::min(steps, by_step.size()); ++i)
            lines.insert(by_step[i].begin(), by_step[i].end());
        return lines;
    }

    std::vector<std::vector<VirtAddr>> by_step;
};

// What ran in one program, and whether that fails; where it fails otherwise, nobody knows what of.
struct Ran {
    std::optional<bool> fails;
    std::set<VirtAddr> lines;
};

Ran run_neighbour(Execution& machine, run::Reference const& reference, spec::Program const& program,
                  run::Signature signature) {
    LinesRan watcher;
    run::Counts uncounted;
    run::Run run =
        run::run_program(machine, reference, program, {.close = false, .go_on = true, .watcher = &watcher}, uncounted);
    bool const known = !run.cannot_start && !run.undecided && !run.unfinished && !run.engine_failed;
    auto endings = run::endings(std::move(run));
    std::erase_if(endings, [](run::Run const& each) { return each.divergence->advice; });
    if (endings.empty()) return {known ? std::optional(false) : std::nullopt, watcher.until(SIZE_MAX)};
    for (run::Run const& each : endings)
        if (each.divergence->signature.invariant == signature.invariant)
            return {true, watcher.until(each.divergence->at.value + 1)};
    return {};
}

// By sbrk, at most.
std::uint64_t pages_asked(spec::Program const& program) {
    std::uint64_t pages = 0;
    for (spec::Step const& step : program.steps)
        if (auto const* sbrk = std::get_if<spec::Sbrk>(&step.action); sbrk && sbrk->bytes > 0)
            pages += static_cast<std::uint64_t>(sbrk->bytes) / kPageBytes;
    return pages;
}

}  // namespace

Spectrum spectrum_of(run::MachinePool& pool, run::Reference const& reference, spec::Program const& program,
                     spec::Program const& original, run::Signature signature) {
    std::vector<spec::Program> programs;
    std::set<std::string> known;
    std::uint64_t pages_left = kPagesOfNeighbours;
    auto const add = [&](std::vector<spec::Program> const& some) {
        std::size_t const most = programs.size() + kNeighboursOfAKind;
        for (auto each = some.begin(); each != some.end() && programs.size() < most; ++each) {
            std::uint64_t const pages = pages_asked(*each);
            if (each->steps.empty() || pages > pages_left || !known.insert(spec::print(*each)).second ||
                !shrink::can_be_asked(reference.setting, *each))
                continue;
            pages_left -= pages;
            programs.push_back(*each);
        }
    };
    known.insert(spec::print(program));
    programs.push_back(program);
    add({original});
    add(with_other_ends(program));
    add(simpler(program));
    add(simpler(original));
    std::vector<Ran> ran(programs.size());
    pool.for_each(programs.size(), [&](Execution& machine, std::size_t i) {
        ran[i] = run_neighbour(machine, reference, programs[i], signature);
    });

    using Place = std::pair<std::string, unsigned>;
    Spectrum spectrum;
    std::map<VirtAddr, Place> places;
    std::map<Place, Spectrum::Line> lines;
    for (Ran const& each : ran) {
        if (!each.fails) continue;
        ++(*each.fails ? spectrum.failing : spectrum.passing);
        std::set<Place> counted;
        for (VirtAddr code : each.lines) {
            auto const [place, is_new] = places.try_emplace(code);
            if (is_new) {
                CodePlace const where = pool.first().places_of(code).front();
                place->second = {where.file, where.line};
                lines[place->second].place = where;
            }
            if (!counted.insert(place->second).second) continue;
            Spectrum::Line& line = lines.at(place->second);
            ++(*each.fails ? line.failing : line.passing);
        }
    }
    // What the shrunk program fails by is something that it runs.
    bool const itself = ran.front().fails.value_or(false);
    std::set<Place> own;
    if (itself)
        for (VirtAddr code : ran.front().lines) own.insert(places.at(code));
    for (auto& [place, line] : lines)
        if (itself ? own.contains(place) : line.failing > 0) spectrum.lines.push_back(std::move(line));
    std::stable_sort(spectrum.lines.begin(), spectrum.lines.end(), [&](auto const& a, auto const& b) {
        return suspiciousness(spectrum, a) > suspiciousness(spectrum, b);
    });
    return spectrum;
}

namespace {

std::string without_spaces_around(std::string const& line) {
    constexpr char const* kSpaces = " \t\r";
    std::size_t const from = std::min(line.find_first_not_of(kSpaces), line.size());
    return line.substr(from, line.find_last_not_of(kSpaces) + 1 - from);
}

}  // namespace

std::vector<SourceText> source_of(Evidence const& evidence, fs::path const& image) {
    constexpr std::size_t kLines = 400, kLongest = 200;
    std::map<std::string, std::set<unsigned>> wanted;
    std::size_t left = kLines;
    auto const want = [&](CodePlace const& place) {
        // The name is a file's that nobody vouches for: it must not lead out of the tree.
        fs::path const path(place.file);
        bool const inside = path.is_relative() && std::find(path.begin(), path.end(), "..") == path.end();
        if (place.line != 0 && inside && left > 0 && wanted[place.file].insert(place.line).second) --left;
    };
    for (auto const* access : {&evidence.written, &evidence.raised, &evidence.read})
        if (*access) std::ranges::for_each((*access)->stack, want);
    for (CodePlace const& place : evidence.died_by) want(place);
    for (Deed const& deed : evidence.played.deeds)
        if (deed.stop) std::ranges::for_each(deed.stop->places, want);
    for (Spectrum::Line const& line : evidence.spectrum.lines) want(line.place);

    std::vector<SourceText> source;
    for (auto const& [file, lines] : wanted) {
        // Kernels lie in their tree or in a directory of it; those of our own beside their sources.
        std::error_code error;
        fs::path const directory = fs::weakly_canonical(image, error).parent_path();
        fs::path const trees[] = {directory, directory.parent_path(), directory / "source"};
        // Neither a link to somebody else's file, nor one without an end.
        constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 20;
        tl::expected<std::string, base::Error> contents = tl::unexpected(base::Error{});
        for (fs::path const& tree : trees)
            if (!contents && fs::weakly_canonical(tree / file, error) == tree / fs::path(file).lexically_normal())
                contents = base::read_file(tree / file, {.bytes_max = kBytesMax});
        if (!contents) continue;
        std::istringstream text(*contents);
        std::string line, above;
        for (unsigned number = 1; number <= *lines.rbegin() && std::getline(text, line); ++number) {
            std::string const here = without_spaces_around(line);
            if (lines.contains(number))
                source.push_back({file, number, (here == "{" ? above + " {" : here).substr(0, kLongest)});
            above = here;
        }
    }
    return source;
}

}  // namespace vmcheck::session
