#include "checker/run/campaign.h"

#include "checker/generate/generator.h"
#include "checker/generate/hart_switches.h"
#include "checker/run/interruption_places.h"
#include "checker/run/runner.h"
#include "checker/run/sweep.h"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace vmcheck::run {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// One program to be run, in one of the modes.
struct Case {
    Mode mode = Mode::plain;
    std::uint64_t index = 0;  // among those of its mode
    Corpus::Entry const* given = nullptr;
};

struct CaseResult {
    Swept ended;
    Counts counts{};
    bool done = false;   // and not cut short
    bool fresh = false;  // it reached code that none before did
};

// A batch that was run.
struct BatchResult {
    std::vector<Case> cases;
    std::vector<CaseResult> results;
};

// While nothing fails, so many batches are run at a time: then nobody waits at the end of each for the longest of its
// programs. What comes after a batch at whose end something is to be avoided is run again, now that this is known.
constexpr std::uint64_t kBatchesTogether = 4;

// How many plain programs the batch holds; 0: it is none any more.
std::uint64_t plain_in(Effort const& effort, std::uint64_t batch) {
    std::uint64_t const size = effort.batch.plain;
    return batch > effort.programs / size ? 0 : std::min(size, effort.programs - batch * size);
}

// The programs of one mode, batch after batch.
class Series {
  public:
    // Programs come from each of the generators in turn. REQUIRES: there is one, when a program is asked for.
    Series(Mode mode, std::vector<rc::Gen<spec::Program>> programs, std::uint64_t seed)
        : mode_(mode),
          programs_(std::move(programs)),
          // Cases of different modes have nothing in common, whatever their numbers.
          seed_(seed + static_cast<std::uint64_t>(mode) * 0x9e37'79b9'7f4a'7c15) {}

    // The first batch holds at least one program of each mode; a batch that is cut short, its share.
    void add_batch(std::uint64_t batch, std::uint64_t size, std::uint64_t parts, std::uint64_t whole,
                   std::vector<Case>& cases) const {
        std::uint64_t const count = size == 0 ? 0 : std::max<std::uint64_t>(batch == 0 ? 1 : 0, size * parts / whole);
        for (std::uint64_t i = 0; i < count; ++i) cases.push_back({mode_, batch * size + i, nullptr});
    }

    spec::Program program(std::uint64_t index) const {
        return generate::program_of_case(programs_[index % programs_.size()], seed_, index);
    }

  private:
    Mode mode_;
    std::vector<rc::Gen<spec::Program>> programs_;
    std::uint64_t seed_;
};

generate::GeneratorConfig plain(Effort const& effort) {
    return {.allocation_faults = effort.faults_in_plain};
}

// Short, since all that follows a step is run once for each of its allocations.
generate::GeneratorConfig swept() {
    return {.steps_max = 12, .allocation_faults = false};
}

generate::GeneratorConfig pressed() {
    return {.allocation_faults = false, .little_memory = true};
}

generate::GeneratorConfig preempted(Execution& machine, Reference const& reference) {
    auto interruptions = std::make_shared<generate::Interruptions const>(measure_interruptions(machine, reference));
    // Of a frame that two processes share, each may be the last: with more, that is rare.
    return {.steps_max = 14,
            .processes_max = 3,
            .allocation_faults = false,
            .overlaps_max = 3,
            .kills_sleepers = true,
            .interruptions = std::move(interruptions)};
}

// A third hart adds little: what it does beside the other two is to take up who wakes.
std::vector<rc::Gen<spec::Program>> side_by_side(Reference const& reference) {
    auto const programs = generate::programs(
        reference.setting, {.steps_max = 14, .processes_max = 3, .allocation_faults = false, .overlaps_max = 3});
    std::vector<rc::Gen<spec::Program>> series(3, generate::on_several_harts(programs, 2));
    series.push_back(generate::on_several_harts(programs, 3));
    return series;
}

// A few steps at the limit, each of which costs as much as there is.
std::vector<rc::Gen<spec::Program>> to_limits(Reference const& reference) {
    std::vector<rc::Gen<spec::Program>> programs;
    programs.reserve(generate::kLimits.size());
    for (generate::Limit limit : generate::kLimits)
        programs.push_back(
            generate::programs(reference.setting, {.steps_max = 6, .allocation_faults = false, .limit = limit}));
    return programs;
}

// Which programs are begun first: those that take long, since workers that have nothing left to do wait for them.
constexpr std::array kLongestFirst{Mode::limits, Mode::harts, Mode::preempt, Mode::sweep, Mode::pressure, Mode::plain};
static_assert(kLongestFirst.size() == kModes);

// The cases by number, in stages that do not overlap, of which the first two are empty but for the first batch. There,
// the second has what takes a place in a step to interrupt, and a program that goes to a limit; the third, what takes a
// machine for little memory or with several harts. Such a machine is made when it is first asked for, which takes as
// much of the host's memory as the guest has, and so does the program. Each has a part of the plain programs, for
// workers that would wait; the first has nothing else, since they find most, and time may be up before the rest.
std::array<std::vector<std::size_t>, 3> stages_of(std::vector<Case> const& cases, bool is_first) {
    std::array<std::vector<std::size_t>, 3> stages;
    auto const plain = static_cast<std::size_t>(std::ranges::count(cases, Mode::plain, &Case::mode));
    for (Mode const mode : kLongestFirst) {
        std::size_t nth = 0;
        bool const needs_no_machine = mode == Mode::limits || mode == Mode::preempt || mode == Mode::sweep;
        for (std::size_t i = 0; i < cases.size(); ++i) {
            if (cases[i].mode != mode) continue;
            std::size_t const stage = mode == Mode::plain ? nth++ * stages.size() / plain : needs_no_machine ? 1 : 2;
            stages[is_first ? stage : 2].push_back(i);
        }
    }
    return stages;
}

CaseResult run_case(Execution& machine, Reference const& reference, Case const& which, spec::Program const& program,
                    Steering const& known) {
    CaseResult result;
    auto const& [mode, index, given] = which;
    if (given != nullptr && given->as_it_is) {
        Run run = run_program(machine, reference, program, {.go_on = true, .mode = mode}, result.counts);
        result.ended.cannot_start = run.cannot_start;
        result.ended.failures = endings(std::move(run));
        return result;
    }
    // Each place where a step can be interrupted, instead of one: costs as much as so many programs.
    constexpr std::uint64_t kSweepEvery = 32;
    if (mode == Mode::sweep || mode == Mode::harts || (mode == Mode::preempt && index % kSweepEvery == 0)) {
        result.ended = sweep(machine, reference, program, mode, result.counts);
        return result;
    }
    // A second run costs as much as the first, and tells more only where the first left something behind.
    constexpr std::uint64_t kTwiceEvery = 8;
    // Some go there still: what is known may hide something of the same kind.
    constexpr std::uint64_t kStraightEvery = 8;
    RunOptions const options{.twice = mode != Mode::limits && index % kTwiceEvery == 0,
                             .go_on = true,
                             .mode = mode,
                             .steering = index % kStraightEvery == 7 ? nullptr : &known};
    Run run = run_program(machine, reference, program, options, result.counts);
    result.ended.cannot_start = std::move(run.cannot_start);
    result.ended.failures = endings(std::move(run));
    return result;
}

// Tells of each family of defects once, as soon as it has been seen twice.
class FirstSeen {
  public:
    FirstSeen(Reference const& reference, std::function<void(Run const&)> const& tell)
        : reference_(reference), tell_(tell) {}

    // To be called on the machine that they were seen on.
    void look(Execution& machine, std::vector<Run> const& failures) {
        if (!tell_) return;
        for (Run const& failure : failures)
            if (!failure.divergence->advice && is_new(family_of(failure))) run_again(machine, failure);
    }

  private:
    bool is_new(Family const& family) {
        std::scoped_lock const lock(mutex_);
        if (std::any_of(known_.begin(), known_.end(), [&](Family const& each) { return explains(each, family); }))
            return false;
        known_.push_back(family);
        return true;
    }

    void run_again(Execution& machine, Run const& failure) {
        Counts uncounted;
        auto const again =
            endings(run_program(machine, reference_, failure.program, {.close = false, .go_on = true}, uncounted));
        auto const same = std::find_if(again.begin(), again.end(),
                                       [&](Run const& each) { return family_of(each) == family_of(failure); });
        if (same == again.end()) return;
        std::scoped_lock const lock(mutex_);
        tell_(*same);
    }

    Reference const& reference_;
    std::function<void(Run const&)> const& tell_;
    std::mutex mutex_;
    std::vector<Family> known_;
};

Progress progress_of(Counts const& counts, std::size_t families, Effort const& effort, Clock::time_point started) {
    Progress progress;
    progress.counts = counts;
    progress.programs_wanted = effort.programs;
    progress.families = families;
    progress.elapsed = std::chrono::duration_cast<milliseconds>(Clock::now() - started);
    std::uint64_t const done = counts.programs;
    if (done > 0 && effort.programs < UINT64_MAX)
        progress.left = milliseconds{static_cast<std::int64_t>(static_cast<double>(progress.elapsed.count()) *
                                                               static_cast<double>(effort.programs - done) /
                                                               static_cast<double>(done))};
    if (effort.time) {
        milliseconds const by_clock = std::max(milliseconds{0}, *effort.time - progress.elapsed);
        progress.left = progress.left ? std::min(*progress.left, by_clock) : by_clock;
    }
    return progress;
}

// A family that another one explains goes into it.
std::vector<Failure> causes(std::map<Family, Failure> by_family) {
    std::vector<std::pair<Family, Failure>> families(std::make_move_iterator(by_family.begin()),
                                                     std::make_move_iterator(by_family.end()));
    std::stable_sort(families.begin(), families.end(), [](auto const& a, auto const& b) {
        return std::pair(spec::count_of(a.first.circumstances), b.second.seen) <
               std::pair(spec::count_of(b.first.circumstances), a.second.seen);
    });
    std::vector<std::pair<Family, Failure>> causes;
    for (auto& each : families) {
        auto const cause = std::find_if(causes.begin(), causes.end(),
                                        [&](auto const& known) { return explains(known.first, each.first); });
        if (cause == causes.end()) {
            causes.push_back(std::move(each));
            continue;
        }
        cause->second.seen += each.second.seen;
        cause->second.also.insert(each.second.also.begin(), each.second.also.end());
    }
    std::vector<Failure> failures;
    for (auto& [family, failure] : causes) {
        failure.also.erase(failure.run.divergence->signature);
        failures.push_back(std::move(failure));
    }
    return failures;
}

}  // namespace

CampaignResult run_campaign(MachinePool& pool, Reference const& reference, std::uint64_t seed, Effort const& effort,
                            std::stop_token const& stop, std::function<void(Progress const&)> const& report,
                            std::function<void(Run const&)> const& first_seen, Corpus const& corpus,
                            Division const& division) {
    Clock::time_point const started = Clock::now();
    CampaignResult result;
    std::map<Family, Failure> by_family;
    std::array<Series, kModes> series{
        Series{Mode::plain, {generate::programs(reference.setting, plain(effort))}, seed},
        Series{Mode::sweep, {generate::programs(reference.setting, swept())}, seed},
        Series{Mode::pressure, {generate::programs(reference.setting, pressed())}, seed},
        Series{Mode::preempt, {}, seed},
        Series{Mode::harts, side_by_side(reference), seed},
        Series{Mode::limits, to_limits(reference), seed},
    };
    std::array<std::uint64_t, kModes> const sizes{effort.batch.plain,   effort.batch.sweep, effort.batch.pressure,
                                                  effort.batch.preempt, effort.batch.harts, 0};
    std::uint32_t const batches_to_limits = effort.batch.batches_to_limits;
    auto const share_is_up = [&](int parts) { return effort.time && parts * (Clock::now() - started) >= *effort.time; };
    auto const time_is_up = [&] { return share_is_up(1); };
    Steering known;
    FirstSeen news(reference, first_seen);
    std::mutex counting;
    auto const program_of = [&](Case const& each) {
        if (each.given != nullptr) return each.given->program;
        return series[static_cast<std::size_t>(each.mode)].program(each.index);
    };
    // What no program but theirs waits for.
    auto const prepare_preemption = [&](Execution& machine) {
        series[static_cast<std::size_t>(Mode::preempt)] = {
            Mode::preempt, {generate::programs(reference.setting, preempted(machine, reference))}, seed};
    };
    auto const run_cases = [&](std::vector<Case> const& cases, auto const& is_end, bool is_first) {
        std::vector<CaseResult> results(cases.size());
        Counts so_far = result.counts;
        auto const run_one = [&](Execution& machine, std::size_t i) {
            if (stop.stop_requested() || is_end()) return;
            auto const* const record = division.known && known.empty() && cases[i].given == nullptr
                                           ? division.known(cases[i].mode, cases[i].index)
                                           : nullptr;
            if (record != nullptr) {
                results[i].counts = record->counts;
                results[i].ended.cannot_start = record->cannot_start;
                return;
            }
            std::uint64_t const before = machine.fresh_code();
            results[i] = run_case(machine, reference, cases[i], program_of(cases[i]), known);
            // It may have been cut short, which says nothing about the kernel.
            if (stop.stop_requested()) {
                results[i] = {};
                return;
            }
            results[i].done = true;
            results[i].fresh = machine.fresh_code() > before;
            news.look(machine, results[i].ended.failures);
            if (cases[i].given == nullptr) {
                std::scoped_lock const lock(counting);
                so_far.add(results[i].counts);
                if (cases[i].mode == Mode::plain && so_far.programs % effort.batch.plain == 0)
                    report(progress_of(so_far, by_family.size(), effort, started));
            }
            // What it used up goes back to the host.
            if (cases[i].mode == Mode::limits) machine.reset();
        };
        auto const stages = stages_of(cases, is_first);
        for (std::vector<std::size_t> const& stage : stages) {
            std::size_t const before = is_first && &stage == &stages.front() && effort.batch.preempt > 0 ? 1 : 0;
            pool.for_each(before + stage.size(), [&](Execution& machine, std::size_t i) {
                if (i >= before) return run_one(machine, stage[i - before]);
                if (!stop.stop_requested() && !is_end()) prepare_preemption(machine);
            });
        }
        return results;
    };
    // How many of the failures are that a step does not end.
    auto const take_failures = [&](Case const& which, CaseResult& of) {
        std::size_t endless = 0;
        bool is_news = of.fresh;
        for (Run& run : of.ended.failures) {
            auto const [at, fresh] = by_family.try_emplace(family_of(run));
            if (at->first.symptom == Symptom::no_end) ++endless;
            Failure& failure = at->second;
            is_news = is_news || fresh;
            failure.seen += fresh ? 0 : 1;
            failure.also.insert(run.divergence->signature);
            // The shortest speaks for its family: it is likely to shrink to something simple.
            if (fresh || run.program.steps.size() < failure.run.program.steps.size()) {
                failure.mode = which.mode;
                failure.index = which.index;
                failure.run = std::move(run);
            }
        }
        if (is_news && corpus.keep && which.given == nullptr) corpus.keep(which.mode, program_of(which));
        return endless;
    };
    std::vector<Case> begins;
    for (Corpus::Entry const& each : corpus.first)
        if (each.program.profile == reference.setting->profile &&
            (each.mode == Mode::limits || sizes[static_cast<std::size_t>(each.mode)] > 0))
            begins.push_back({each.mode, 0, &each});
    // What is known must not keep the night from what is new.
    auto begun = run_cases(
        begins, [&] { return share_is_up(2); }, false);
    for (std::size_t i = 0; i < begins.size(); ++i) {
        auto const index = static_cast<std::size_t>(begins[i].given - corpus.first.data());
        if (!begun[i].done && corpus.left_out) corpus.left_out(index);
        bool const failed = !begun[i].ended.failures.empty();
        if (begun[i].done && !begun[i].ended.cannot_start) corpus.ran(index, failed, begun[i].fresh);
        take_failures(begins[i], begun[i]);
    }
    auto const cases_of = [&](std::uint64_t batch) {
        std::uint64_t const count = plain_in(effort, batch);
        std::vector<Case> cases;
        // It takes long, so it comes first.
        if (batches_to_limits > 0 && batch % batches_to_limits == 0)
            cases.push_back({Mode::limits, batch / batches_to_limits, nullptr});
        for (std::size_t mode = 0; mode < kModes; ++mode)
            series[mode].add_batch(batch, sizes[mode], count, effort.batch.plain, cases);
        if (division.shard) std::erase_if(cases, [&](Case const& each) { return !division.shard->takes(each.index); });
        return cases;
    };
    // From this one on.
    auto const run_batches = [&](std::uint64_t batch) {
        bool const is_divided = division.shard || division.known || division.batch_done;
        std::uint64_t const together = batch == 0 || is_divided || !by_family.empty() ? 1 : kBatchesTogether;
        std::vector<Case> all;
        std::deque<BatchResult> batches;
        for (std::uint64_t i = batch; i < batch + together && plain_in(effort, i) > 0; ++i) {
            batches.push_back({cases_of(i), {}});
            all.insert(all.end(), batches.back().cases.begin(), batches.back().cases.end());
        }
        auto results = run_cases(all, time_is_up, batch == 0);
        auto from = std::make_move_iterator(results.begin());
        for (BatchResult& each : batches) {
            auto const end = from + static_cast<std::ptrdiff_t>(each.cases.size());
            each.results.assign(from, end);
            from = end;
        }
        return batches;
    };
    // The code that they reached has been reached.
    auto const let_go_of = [&](std::deque<BatchResult>& batches) {
        for (auto const& [cases, results] : std::exchange(batches, {}))
            for (std::size_t i = 0; i < cases.size(); ++i)
                if (results[i].fresh && corpus.keep) corpus.keep(cases[i].mode, program_of(cases[i]));
    };
    std::deque<BatchResult> ahead;  // these have been run, and not been counted yet
    for (std::uint64_t batch = 0; plain_in(effort, batch) > 0; ++batch) {
        if (ahead.empty()) {
            if (time_is_up()) break;
            if (stop.stop_requested()) {
                result.interrupted = true;
                break;
            }
            ahead = run_batches(batch);
        }
        auto [cases, results] = std::move(ahead.front());
        ahead.pop_front();
        std::size_t endless = 0;
        for (std::size_t i = 0; i < cases.size(); ++i) {
            result.counts.add(results[i].counts);
            if (division.clean && results[i].done && results[i].ended.failures.empty())
                division.clean(cases[i].mode, cases[i].index, {results[i].counts, results[i].ended.cannot_start});
            if (auto& why = results[i].ended.cannot_start; why && cases[i].mode == Mode::harts)
                result.no_harts.insert(std::move(*why));
            else if (why && !result.no_pressure)
                result.no_pressure = std::move(why);
            endless += take_failures(cases[i], results[i]);
        }
        if (known.empty()) {
            ++result.batches;
            if (division.batch_done) division.batch_done();
        }
        // Often enough to be sure of it; what hides nothing need not be avoided.
        constexpr std::uint64_t kSightings = 8;
        for (auto const& [family, failure] : by_family)
            if (failure.seen >= kSightings && !failure.run.divergence->settled && known.avoid(family)) let_go_of(ahead);
        if (stop.stop_requested()) {
            result.interrupted = !time_is_up();
            if (ahead.empty()) break;
            continue;
        }
        if ((result.engine_failure = pool.engine_failure())) break;
        auto const is_defect = [](auto const& each) { return !each.first.advice; };
        bool const enough = std::count_if(by_family.begin(), by_family.end(), is_defect) >= effort.families_max;
        bool const is_part = division.shard && !division.alone;
        // A kernel that hangs wherever one goes costs much time for nothing new.
        bool const hangs = 2 * endless > cases.size() && !is_part;
        // What is still to come depends on what others have seen.
        bool const depends = is_part && !known.empty();
        bool const is_last = enough || hangs || depends;
        if (is_last || ahead.empty()) report(progress_of(result.counts, by_family.size(), effort, started));
        if (is_last) break;
    }
    if (result.counts.of(Mode::pressure).programs > 0) result.no_pressure.reset();
    result.failures = causes(std::move(by_family));
    std::sort(result.failures.begin(), result.failures.end(), [](Failure const& a, Failure const& b) {
        return std::pair(a.mode, a.index) < std::pair(b.mode, b.index);
    });
    return result;
}

}  // namespace vmcheck::run
