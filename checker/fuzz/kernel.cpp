#include "checker/fuzz/kernel.h"

#include "checker/finding/finding.h"
#include "checker/generate/generator.h"
#include "checker/generate/hart_switches.h"
#include "checker/generate/mutate.h"
#include "checker/report/story.h"
#include "checker/report/violation_words.h"
#include "checker/run/runner.h"
#include "checker/session/reproduce.h"
#include "spec/circumstances.h"
#include "spec/text.h"
#include "spec/walk.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

namespace vmcheck::fuzz {

namespace {

using namespace spec;

// ---- what is told of the model

// Who else has the frame of the page that the step is about, as bits: its parent, its children, others; and itself
// elsewhere.
std::uint64_t sharers(World const& world, Step const& step) {
    auto const use = address_of(step.action);
    if (!use) return 0;
    Vpn const at = world.resolve(step.actor, use->at).page();
    auto const page = world.page_at(step.actor, at);
    if (!page) return 0;
    std::uint64_t bits = 0;
    for (ProcId id : world.running())
        for (auto const& [other, mapped] : world.find(id)->space->pages) {
            if (mapped.frame != page->frame || (id == step.actor && other == at)) continue;
            bool const is_parent = world.find(step.actor)->parent == id;
            bool const is_child = world.find(id)->parent == step.actor;
            bits |= id == step.actor ? 8U : is_parent ? 1U : is_child ? 2U : 4U;
        }
    return bits;
}

class Features {
  public:
    explicit Features(Reached& reached) : counters_(reached.features) {}

    // Before the step, in the state that it meets. `role`: it is by itself, or the first or second of two.
    void meets(World const& world, Program const& program, Step const& step, std::uint64_t role) {
        if (why_not(world, step)) return note(1, {step.action.index(), role});
        Circumstances const met = circumstances_of(world, step);
        std::uint64_t grounds = 0;
        for (std::size_t i = 0; i < kGrounds; ++i)
            grounds |= std::uint64_t{met.grounds.contains(static_cast<Ground>(i))} << i;
        std::uint64_t const where = grounds << 1 | std::uint64_t{met.crosses};
        note(2, {step.action.index(), where, role, program.memory.has_value(), step.faults.oom.has_value()});
        note(3, {step.action.index(), where, sharers(world, step)});
        note(4, {world.running().size(), world.processes().size()});
        note(5, {previous_.action.index(), step.action.index(), previous_.actor == step.actor});
        previous_ = step;
    }
    // What came of it, among what may.
    void came(run::StepRecord const& record) {
        if (!record.seen) return;
        auto const* returned = std::get_if<Returned>(&record.seen->what);
        bool const failed = returned && static_cast<std::int64_t>(returned->value) < 0;
        auto const answer =
            std::ranges::find_if(record.expected, [&](Result const& each) { return shows(each, *record.seen); });
        note(6, {record.step.action.index(), record.seen->what.index(), failed, allocation_failed(*record.seen),
                 static_cast<std::uint64_t>(answer - record.expected.begin()),
                 answer == record.expected.end() ? 0 : 1 + answer->index(), record.step.faults.oom.value_or(0)});
    }
    void ended(run::Run const& run, run::Counts const& counts) {
        for (std::size_t i = 0; i < counts.checks.evaluated.size(); ++i)
            note(7, {i, std::bit_width(counts.checks.evaluated[i]), counts.checks.skipped[i] > 0});
        for (run::Divergence const& each : run.passed)
            note(8, {static_cast<std::uint64_t>(each.signature.invariant), each.signature.kind});
        note(9, {counts.pairs, counts.preempted, run.undecided, run.unfinished});
    }

  private:
    void note(std::uint64_t what, std::initializer_list<std::uint64_t> parts) {
        std::uint64_t hash = what;
        for (std::uint64_t part : parts) hash = (hash ^ part) * 0x9e37'79b9'7f4a'7c15 + (hash >> 29);
        counters_[(hash >> 32) % counters_.size()] = 1;
    }

    std::span<std::uint8_t> counters_;
    Step previous_{kInit, Yield{}};
};

bool is_blank(std::string_view input) {
    return input.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

// ---- running

tl::expected<KernelUnderFuzz, BootError> KernelUnderFuzz::boot(std::filesystem::path const& image) {
    KernelUnderFuzz kernel;
    auto target = KernelTarget::boot({.kernel = image});
    if (!target) return tl::unexpected(target.error());
    kernel.target_ = std::move(*target);
    if (auto started = kernel.start(); !started) return tl::unexpected(started.error());
    for (Violation const& each : kernel.target_->summary().wrong)
        kernel.wrong_at_boot_.push_back(report::words_of(each).story);
    run::FirstLook look = run::first_look(*kernel.machine_, kernel.target_->setting());
    for (Violation const& each : look.violations) kernel.wrong_at_boot_.push_back(report::words_of(each).story);
    if (!look.can_go_on)
        return tl::unexpected(BootError{"Nothing could be judged: " + kernel.wrong_at_boot_.front() + "."});
    kernel.reference_ = std::move(look.reference);
    return kernel;
}

tl::expected<void, BootError> KernelUnderFuzz::start() {
    auto machine = target_->start();
    if (!machine) return tl::unexpected(machine.error());
    machine_ = std::move(*machine);
    return {};
}

Taken KernelUnderFuzz::take(std::string_view input, Reached& reached) {
    reached.edges.fill(0);
    reached.features.fill(0);
    Program program{reference_.setting->profile, {}};
    if (!is_blank(input)) {
        auto parsed = parse(input);
        if (!parsed) return {};
        program = std::move(*parsed);
    }
    run::Counts counts;
    run::Stepper stepper(*machine_, reference_, {.records = true}, counts);
    stepper.begin(program);
    if (stepper.so_far().cannot_start) return {};
    machine_->count_edges(reached.edges);
    Features features(reached);
    for (run::Steps rest = program.steps; !rest.empty() && !stepper.done();) {
        Turn const turn = next_turn(stepper.world(), rest);
        if (auto const* step = std::get_if<Step>(&turn)) features.meets(stepper.world(), program, *step, 0);
        if (auto const* pair = std::get_if<Pair>(&turn)) {
            features.meets(stepper.world(), program, pair->first, 1);
            features.meets(stepper.world(), program, pair->second, 2);
        }
        run::take_turn(stepper, rest);
    }
    run::close(stepper);
    machine_->count_edges({});
    run::Run const run = stepper.take();
    // That says nothing about the kernel, and is for good.
    if (run.engine_failed) {
        if (!start()) return {};
        return {.program = true};
    }
    for (run::StepRecord const& record : run.records) features.came(record);
    features.ended(run, counts);
    return {true, run.divergence ? report_of(run) : std::nullopt};
}

// Nothing where it does not come again.
std::optional<std::string> KernelUnderFuzz::report_of(run::Run const& run) const {
    auto const fresh = target_->reboot(target_->setting()->profile, {});
    if (!fresh) return std::nullopt;
    auto again = session::reproduce(**fresh, run.program, *run.divergence);
    if (!again || again->times == 0) return std::nullopt;
    // It may have come in some runs, and not in the last, which has the evidence.
    bool const has_evidence = !again->divergence.violations.empty();
    Finding finding{.signature = run.divergence->signature,
                    .family = run::family_of(run),
                    .divergence = has_evidence ? again->divergence : *run.divergence,
                    .program = run.program,
                    .records = has_evidence ? again->records : run.records,
                    .original = run.program,
                    .also = {},
                    .reproduced = again->times,
                    .attempts = again->attempts,
                    .evidence = std::move(again->evidence)};
    return report::paragraph_of(finding) + print(run.program);
}

SessionResult KernelUnderFuzz::session() const {
    SessionResult session;
    session.kernel = target_->summary();
    session.coverage = target_->coverage();
    return session;
}

// ---- changing

namespace {

// Those of a campaign's modes, in some proportion.
rc::Gen<Program> some_programs(std::shared_ptr<Setting const> const& setting, std::uint64_t number) {
    constexpr std::uint32_t kOverlaps = 3;
    generate::GeneratorConfig const overlapping{
        .steps_max = 14, .processes_max = 3, .allocation_faults = false, .overlaps_max = kOverlaps};
    switch (number % 8) {
        case 0:
            return generate::programs(setting, {.allocation_faults = false, .little_memory = true});
        case 1:
        case 2:
            return generate::programs(setting, overlapping);
        case 3:
        case 4:
            return generate::on_several_harts(generate::programs(setting, overlapping),
                                              number / 8 % 4 == 0 ? kHartsMax : 2);
        default:
            return generate::programs(setting, {});
    }
}

}  // namespace

std::string KernelUnderFuzz::fitting(Program program, std::size_t bytes_max) const {
    std::string text = print(program);
    for (; text.size() > bytes_max && !program.steps.empty(); text = print(program)) program.steps.pop_back();
    return text.size() <= bytes_max ? text : "\n";
}

std::string KernelUnderFuzz::mutated(std::string_view input, std::uint64_t seed, std::size_t bytes_max) const {
    // What nothing that is kept leads to has to come from somewhere.
    constexpr std::uint64_t kNewEvery = 2;
    auto const program = parse(input);
    if (program && seed % kNewEvery != 0)
        return fitting(generate::mutated(*program, reference_.setting, seed), bytes_max);
    return fitting(generate::program_of_case(some_programs(reference_.setting, seed / kNewEvery), seed, 0), bytes_max);
}

std::string KernelUnderFuzz::crossed(std::string_view one, std::string_view other, std::uint64_t seed,
                                     std::size_t bytes_max) const {
    auto const beginning = parse(one), end = parse(other);
    if (!beginning || !end) return mutated(beginning ? one : other, seed, bytes_max);
    return fitting(generate::spliced(*beginning, *end, reference_.setting, seed), bytes_max);
}

std::optional<std::string> KernelUnderFuzz::mended(std::string_view input, std::size_t bytes_max) const {
    auto const program = parse(input);
    if (!program) return std::nullopt;
    return fitting(generate::askable(*program, reference_.setting), bytes_max);
}

std::string dictionary() {
    std::vector<std::string> words{
        "vmcheck 1\n", "profile ", "memory ", "harts ", "!oom ", "@",     "@h ", "meanwhile",
        "+1p",         "-1p",      "large",   "broken", "lazy",  "eager", "cow", "0xfffffffffffffff8",
        " = 0x1"};
    for (std::size_t kind = 0; kind < kActionKinds; ++kind) words.push_back(std::string(kind_name(kind)) + ' ');
    for (auto anchor = static_cast<unsigned>(Anchor::text); anchor <= static_cast<unsigned>(Anchor::kernel); ++anchor)
        words.push_back(print(Address{static_cast<Anchor>(anchor), 0}));
    for (unsigned process = 0; process < 4; ++process) words.push_back(fmt::format("\np{} ", process));
    std::string text = "# The words of vmcheck's programs (corpus/README.md).\n";
    for (std::string word : words) {
        for (std::size_t at = 0; (at = word.find('\n', at)) != std::string::npos;) word.replace(at, 1, "\\x0A");
        text += fmt::format("\"{}\"\n", word);
    }
    return text;
}

}  // namespace vmcheck::fuzz
