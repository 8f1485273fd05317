#include "checker/run/campaign.h"

#include "checker/run/cases.h"
#include "checker/run/runner.h"
#include "checker/run/sweep.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

namespace vmcheck::run {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

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
// programs. What comes after a batch at whose end something is to be avoided is run again, now that this is known;
// where there is no time for it any more, it counts as it was.
constexpr std::uint64_t kBatchesTogether = 4;

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

class Campaign {
  public:
    Campaign(MachinePool& pool, Reference const& reference, std::uint64_t seed, Effort const& effort,
             std::stop_token const& stop, std::function<void(Progress const&)> const& report,
             std::function<void(Run const&)> const& first_seen, Corpus const& corpus, Division const& division)
        : pool_(pool),
          reference_(reference),
          effort_(effort),
          stop_(stop),
          report_(report),
          corpus_(corpus),
          division_(division),
          cases_(reference, effort, seed),
          news_(reference, first_seen) {}

    CampaignResult run() {
        run_corpus();
        for (std::uint64_t batch = 0; cases_.plain_in(batch) > 0 && begin(batch); ++batch)
            if (!take_next()) break;
        if (result_.counts.of(Mode::pressure).programs > 0) result_.no_pressure.reset();
        result_.failures = causes(std::move(by_family_));
        std::sort(result_.failures.begin(), result_.failures.end(), [](Failure const& a, Failure const& b) {
            return std::pair(a.mode, a.index) < std::pair(b.mode, b.index);
        });
        return std::move(result_);
    }

  private:
    bool share_is_up(int parts) const { return effort_.time && parts * (Clock::now() - started_) >= *effort_.time; }
    bool time_is_up() const { return share_is_up(1); }
    bool is_part() const { return division_.shard && !division_.alone; }

    void tell(Counts const& counts) const { report_(progress_of(counts, by_family_.size(), effort_, started_)); }

    // ---- running

    // What is known must not keep the night from what is new.
    void run_corpus() {
        BatchResult begun;
        for (Corpus::Entry const& each : corpus_.first)
            if (each.program.profile == reference_.setting->profile &&
                (each.mode == Mode::limits || cases_.size_of(each.mode) > 0))
                begun.cases.push_back({each.mode, 0, &each});
        begun.results.resize(begun.cases.size());
        std::vector<Place> order;
        Stages const stages = stages_of(begun.cases, false);
        for (std::size_t i : stages.back()) order.push_back({&begun, i});
        run_cases(order, [this] { return share_is_up(2); });
        for (std::size_t i = 0; i < begun.cases.size(); ++i) {
            CaseResult& result = begun.results[i];
            auto const index = static_cast<std::size_t>(begun.cases[i].given - corpus_.first.data());
            if (!result.done && corpus_.left_out) corpus_.left_out(index);
            bool const failed = !result.ended.failures.empty();
            if (result.done && !result.ended.cannot_start) corpus_.ran(index, failed, result.fresh);
            take_failures(begun.cases[i], result);
        }
    }

    // Runs this batch, and perhaps more, unless it has been run. Returns false where it is not to be.
    bool begin(std::uint64_t batch) {
        if (!ahead_.empty()) return true;
        if (time_is_up() || stop_.stop_requested()) {
            ahead_ = std::exchange(to_be_run_again_, {});
            if (!ahead_.empty()) return true;
            result_.interrupted = !time_is_up();
            return false;
        }
        for (std::uint64_t i = batch; i < batch + together(batch) && cases_.plain_in(i) > 0; ++i) {
            BatchResult& next = ahead_.emplace_back(BatchResult{cases_.batch(i), {}});
            if (division_.shard)
                std::erase_if(next.cases, [&](Case const& each) { return !division_.shard->takes(each.index); });
            next.results.resize(next.cases.size());
        }
        counted_ = result_.counts;
        std::array<std::vector<Place>, std::tuple_size_v<Stages>> order;
        for (BatchResult& each : ahead_) {
            Stages const stages = stages_of(each.cases, batch == 0);
            for (std::size_t stage = 0; stage < stages.size(); ++stage)
                for (std::size_t i : stages[stage]) order[stage].push_back({&each, i});
        }
        if (batch == 0 && cases_.needs_preparation()) {
            // Of a short run something is to come.
            constexpr std::size_t kProgramsBefore = 8;
            auto const at = std::min(kProgramsBefore, order.front().size());
            order.front().insert(order.front().begin() + static_cast<std::ptrdiff_t>(at), Place{});
        }
        for (std::vector<Place> const& stage : order) run_cases(stage, [this] { return time_is_up(); });
        if (!to_be_run_again_.empty()) {
            take_from_before(to_be_run_again_.front(), ahead_.front());
            to_be_run_again_.pop_front();
        }
        return true;
    }

    // How many batches are run at a time from this one on.
    std::uint64_t together(std::uint64_t batch) const {
        bool const is_divided = division_.shard || division_.known || division_.batch_done;
        // Who wants no more than the first failures is not to hear of those behind them.
        bool const wants_all = effort_.families_max == Effort{}.families_max;
        return batch > 0 && by_family_.empty() && wants_all && !is_divided ? kBatchesTogether : 1;
    }

    // Of a batch that was run again: what there was no time for any more, and what reached code that now was known.
    static void take_from_before(BatchResult& before, BatchResult& again) {
        for (std::size_t i = 0; i < again.results.size(); ++i) {
            if (!again.results[i].done)
                again.results[i] = std::move(before.results[i]);
            else
                again.results[i].fresh = again.results[i].fresh || before.results[i].fresh;
        }
    }

    // A case of a batch that is being run; without one, what cases of preemption wait for.
    struct Place {
        BatchResult* batch = nullptr;
        std::size_t index = 0;
    };

    void run_cases(std::vector<Place> const& places, std::function<bool()> const& is_end) {
        pool_.for_each(places.size(), [&](Execution& machine, std::size_t i) {
            auto const& [batch, index] = places[i];
            if (stop_.stop_requested() || is_end()) return;
            if (batch == nullptr) return cases_.prepare_preemption(machine);
            run_one(machine, batch->cases[index], batch->results[index]);
        });
    }

    void run_one(Execution& machine, Case const& which, CaseResult& result) {
        if (division_.known && known_.empty() && which.given == nullptr)
            if (auto const* const record = division_.known(which.mode, which.index)) {
                result.counts = record->counts;
                result.ended.cannot_start = record->cannot_start;
                return;
            }
        std::uint64_t const before = machine.fresh_code();
        CaseResult ran = run_case(machine, reference_, which, cases_.program(which), known_);
        // It may have been cut short, which says nothing about the kernel.
        if (stop_.stop_requested()) return;
        result = std::move(ran);
        result.done = true;
        result.fresh = machine.fresh_code() > before;
        news_.look(machine, result.ended.failures);
        if (which.given == nullptr) count(which.mode, result.counts);
        // What it used up goes back to the host.
        if (which.mode == Mode::limits) machine.reset();
    }

    // For who waits.
    void count(Mode mode, Counts const& counts) {
        std::scoped_lock const lock(counting_);
        counted_.add(counts);
        bool const is_news = to_be_run_again_.empty();  // what is run again has been told of
        if (is_news && mode == Mode::plain && counted_.programs % effort_.batch.plain == 0) tell(counted_);
    }

    // ---- what came of it

    // Of the first of those that were run. Returns whether there is to be another.
    bool take_next() {
        auto [cases, results] = std::move(ahead_.front());
        ahead_.pop_front();
        std::size_t endless = 0;
        for (std::size_t i = 0; i < cases.size(); ++i) endless += take_case(cases[i], results[i]);
        if (known_.empty()) {
            ++result_.batches;
            if (division_.batch_done) division_.batch_done();
        }
        avoid_what_is_known();
        if (stop_.stop_requested()) {
            result_.interrupted = !time_is_up();
            return !ahead_.empty() || !to_be_run_again_.empty();
        }
        if ((result_.engine_failure = pool_.engine_failure())) return false;
        auto const is_defect = [](auto const& each) { return !each.first.advice; };
        bool const enough = std::count_if(by_family_.begin(), by_family_.end(), is_defect) >= effort_.families_max;
        // A kernel that hangs wherever one goes costs much time for nothing new.
        bool const hangs = 2 * endless > cases.size() && !is_part();
        // What is still to come depends on what others have seen.
        bool const depends = is_part() && !known_.empty();
        bool const is_last = enough || hangs || depends;
        if (is_last || (ahead_.empty() && to_be_run_again_.empty())) tell(result_.counts);
        return !is_last;
    }

    // Returns how many of its failures are that a step does not end.
    std::size_t take_case(Case const& which, CaseResult& of) {
        result_.counts.add(of.counts);
        if (division_.clean && of.done && of.ended.failures.empty())
            division_.clean(which.mode, which.index, {of.counts, of.ended.cannot_start});
        if (auto& why = of.ended.cannot_start; why && which.mode == Mode::harts)
            result_.no_harts.insert(std::move(*why));
        else if (why && !result_.no_pressure)
            result_.no_pressure = std::move(why);
        return take_failures(which, of);
    }

    std::size_t take_failures(Case const& which, CaseResult& of) {
        std::size_t endless = 0;
        bool is_news = of.fresh;
        for (Run& run : of.ended.failures) {
            auto const [at, fresh] = by_family_.try_emplace(family_of(run));
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
        if (is_news) keep(which);
        return endless;
    }

    void keep(Case const& which) const {
        if (corpus_.keep && which.given == nullptr) corpus_.keep(which.mode, cases_.program(which));
    }

    void avoid_what_is_known() {
        // Often enough to be sure of it; what hides nothing need not be avoided.
        constexpr std::uint64_t kSightings = 8;
        for (auto const& [family, failure] : by_family_)
            if (failure.seen >= kSightings && !failure.run.divergence->settled && known_.avoid(family) &&
                !ahead_.empty())
                to_be_run_again_ = std::exchange(ahead_, {});
    }

    Clock::time_point started_ = Clock::now();
    MachinePool& pool_;
    Reference const& reference_;
    Effort const& effort_;
    std::stop_token const& stop_;
    std::function<void(Progress const&)> const& report_;
    Corpus const& corpus_;
    Division const& division_;
    Cases cases_;
    FirstSeen news_;
    Steering known_;
    CampaignResult result_;
    std::map<Family, Failure> by_family_;
    std::deque<BatchResult> ahead_;            // these have been run, and not been counted yet
    std::deque<BatchResult> to_be_run_again_;  // before something was to be avoided, these had been run
    std::mutex counting_;
    Counts counted_;  // with those of `ahead_`
};

}  // namespace

CampaignResult run_campaign(MachinePool& pool, Reference const& reference, std::uint64_t seed, Effort const& effort,
                            std::stop_token const& stop, std::function<void(Progress const&)> const& report,
                            std::function<void(Run const&)> const& first_seen, Corpus const& corpus,
                            Division const& division) {
    return Campaign(pool, reference, seed, effort, stop, report, first_seen, corpus, division).run();
}

}  // namespace vmcheck::run
