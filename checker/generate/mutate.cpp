#include "checker/generate/mutate.h"

#include "checker/generate/draw.h"
#include "checker/generate/generator.h"
#include "checker/generate/hart_switches.h"
#include "checker/generate/plans.h"
#include "spec/walk.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace vmcheck::generate {

namespace {

using namespace spec;

// As for programs of which nothing is measured.
constexpr std::uint32_t kInterruptionsMax = 2'000;
constexpr std::uint32_t kOomMax = 10;

std::uint32_t next_child(std::vector<Step> const& steps) {
    std::uint32_t highest = 0;
    for (Step const& step : steps)
        if (auto const* fork = std::get_if<Fork>(&step.action)) highest = std::max(highest, fork->child.value);
    return highest + 1;
}

// Steps of another place: the children that they fork get names of their own, and who is not forked among them is one
// of `others`.
void move_in(std::vector<Step>& steps, std::uint32_t first_name, std::vector<ProcId> const& others) {
    std::vector<std::pair<ProcId, ProcId>> names;
    for (Step const& step : steps)
        if (auto const* fork = std::get_if<Fork>(&step.action))
            names.emplace_back(fork->child, ProcId{first_name + static_cast<std::uint32_t>(names.size())});
    auto const rename = [&](ProcId& id) {
        auto const named = std::ranges::find(names, id, &std::pair<ProcId, ProcId>::first);
        if (named != names.end())
            id = named->second;
        else if (!std::ranges::count(others, id))
            id = others[id.value % others.size()];
    };
    for (Step& step : steps) {
        rename(step.actor);
        if (auto* fork = std::get_if<Fork>(&step.action)) rename(fork->child);
        if (auto* kill = std::get_if<Kill>(&step.action)) rename(kill->target);
    }
}

// A machine has little memory or several harts, and steps on one hart are interrupted, on several switched.
void for_one_machine(Program& program) {
    bool const several = harts_of(program) > 1;
    if (several) program.memory.reset();
    for (Step& step : program.steps) (several ? step.faults.preempt : step.faults.switch_hart).reset();
}

class Mutator {
  public:
    Mutator(Program program, std::shared_ptr<Setting const> const& setting, Draw& draw)
        : setting_(setting), draw_(draw), program_(std::move(program)) {}

    void change() {
        switch (program_.steps.empty() ? 0 : draw_(below(14))) {
            case 0:
            case 1:
            case 2:
                return put_in_a_step();
            case 3:
                return put_in_a_plan();
            case 4:
            case 5:
                return leave_out();
            case 6:
                return repeat();
            case 7:
            case 8:
                return draw_arguments();
            case 9:
                return give_to_another();
            case 10:
                return fail_an_allocation();
            case 11:
                return overlap();
            case 12:
                return move_a_number();
            default:
                return change_memory();
        }
    }

    Program take() { return std::move(program_); }

  private:
    std::size_t place() { return draw_(below(program_.steps.size())); }
    std::size_t gap() { return draw_(below(program_.steps.size() + 1)); }
    void insert(std::size_t at, std::vector<Step> const& steps) {
        program_.steps.insert(program_.steps.begin() + static_cast<std::ptrdiff_t>(at), steps.begin(), steps.end());
    }
    World world_at(std::size_t at) const {
        std::vector<Step> const before(program_.steps.begin(),
                                       program_.steps.begin() + static_cast<std::ptrdiff_t>(at));
        return walk(World::initial(setting_for(setting_, program_)), before,
                    [](auto const&, auto const&) { return true; })
            .world;
    }
    // A step of one of `actors`, who are among those that run there.
    Step step_of(World const& world, std::vector<ProcId> const& running, std::vector<ProcId> const& actors) {
        return draw_(steps({world, draw_(one_of(actors)), running, ProcId{next_child(program_.steps)}}));
    }

    void put_in_a_step() {
        std::size_t const at = gap();
        World const world = world_at(at);
        std::vector<ProcId> const running = world.running();
        if (!running.empty()) insert(at, {step_of(world, running, running)});
    }
    void put_in_a_plan() {
        std::size_t const at = gap();
        World const world = world_at(at);
        std::vector<ProcId> const running = world.running();
        if (running.empty()) return;
        insert(
            at,
            draw_(plans({world, draw_(one_of(running)), ProcId{next_child(program_.steps)}, true, program_.memory})));
    }
    void leave_out() {
        auto const from = program_.steps.begin() + static_cast<std::ptrdiff_t>(place());
        std::ptrdiff_t const most = std::min<std::ptrdiff_t>(4, program_.steps.end() - from);
        program_.steps.erase(from, from + 1 + draw_(below(most)));
    }
    void repeat() {
        std::size_t const from = place();
        std::size_t const count = 1 + draw_(below(std::min<std::size_t>(6, program_.steps.size() - from)));
        std::vector<Step> again(program_.steps.begin() + static_cast<std::ptrdiff_t>(from),
                                program_.steps.begin() + static_cast<std::ptrdiff_t>(from + count));
        std::size_t const at = gap();
        std::vector<ProcId> const running = world_at(at).running();
        if (running.empty()) return;
        move_in(again, next_child(program_.steps), running);
        insert(at, again);
    }
    void draw_arguments() {
        std::size_t const at = place();
        World const world = world_at(at);
        Step& step = program_.steps[at];
        std::vector<ProcId> const running = world.running();
        auto const* fork = std::get_if<Fork>(&step.action);
        if (!std::ranges::count(running, step.actor) || fork) return;
        step.action = draw_(actions(step.action.index(), {world, step.actor, running, ProcId{}}));
    }
    void give_to_another() {
        std::size_t const at = place();
        std::vector<ProcId> const running = world_at(at).running();
        if (!running.empty()) program_.steps[at].actor = draw_(one_of(running));
    }
    void fail_an_allocation() {
        auto& oom = program_.steps[place()].faults.oom;
        oom = oom && draw_(chance(1, 2)) ? std::nullopt : std::optional(1 + draw_(below(kOomMax)));
    }
    // With the step behind it, where another process does that, or else with a new one.
    void overlap() {
        std::size_t const at = place();
        Step const first = program_.steps[at];
        bool const other_comes = at + 1 < program_.steps.size() && program_.steps[at + 1].actor != first.actor;
        if (!other_comes || draw_(chance(1, 2))) {
            World const world = world_at(at);
            std::vector<ProcId> const running = world.running();
            std::vector<ProcId> others = running;
            std::erase(others, first.actor);
            if (others.empty()) return;
            insert(at + 1, {step_of(world, running, others)});
        }
        Faults& begins = program_.steps[at].faults;
        Faults& within = program_.steps[at + 1].faults;
        within.meanwhile = true;
        if (harts_of(program_) > 1 || (!program_.memory && draw_(chance(1, 3)))) {
            begins.switch_hart = draw_(numbers_of_blocks());
            if (draw_(chance(1, 4))) within.switch_hart = draw_(numbers_of_blocks());
        } else {
            begins.preempt = draw_(below(kInterruptionsMax));
        }
    }
    // Of faults: which of a step's moments is met decides.
    void move_a_number() {
        Faults& faults = program_.steps[place()].faults;
        for (auto* number : {&faults.oom, &faults.preempt, &faults.switch_hart}) {
            if (!*number) continue;
            std::uint32_t& at = **number;
            std::uint32_t const by = 1 + draw_(below(at / 4 + 1));
            at = at < 2 || draw_(chance(1, 2)) ? at + by : at - std::min(by, at - 1);
        }
    }
    void change_memory() {
        if (harts_of(program_) > 1) {
            program_.harts = program_.harts || draw_(chance(1, 2)) ? std::nullopt : std::optional(kHartsMax);
            return;
        }
        program_.memory = program_.memory && draw_(chance(1, 2)) ? std::nullopt : std::optional(draw_(below(100U)));
    }

    std::shared_ptr<Setting const> const& setting_;
    Draw& draw_;
    Program program_;
};

}  // namespace

Program askable(Program const& program, std::shared_ptr<Setting const> const& setting) {
    Program kept{.profile = setting->profile, .steps = program.steps, .memory = program.memory, .harts = program.harts};
    for_one_machine(kept);
    std::vector<Step> const all = std::exchange(kept.steps, {});
    walk(World::initial(setting_for(setting, kept)), all, [&](World const&, Turn const& turn) {
        if (auto const* pair = std::get_if<Pair>(&turn)) {
            kept.steps.insert(kept.steps.end(), {pair->first, pair->second});
        } else if (auto const* step = std::get_if<Step>(&turn)) {
            kept.steps.push_back(*step);
            kept.steps.back().faults.meanwhile = false;
            kept.steps.back().faults.switch_hart.reset();
        }
        return kept.steps.size() < kMutantStepsMax;
    });
    if (kept.steps.size() > kMutantStepsMax) kept.steps.resize(kMutantStepsMax);
    return kept;
}

Program mutated(Program const& program, std::shared_ptr<Setting const> const& setting, std::uint64_t seed) {
    Draw draw{rc::Random(seed)};
    Mutator mutator(askable(program, setting), setting, draw);
    for (int changes = 1 + draw(below(4)); changes > 0; --changes) mutator.change();
    return askable(mutator.take(), setting);
}

Program spliced(Program const& beginning, Program const& end, std::shared_ptr<Setting const> const& setting,
                std::uint64_t seed) {
    Draw draw{rc::Random(seed)};
    Program both = askable(beginning, setting);
    both.steps.resize(draw(below(both.steps.size() + 1)));
    auto const reached =
        walk(World::initial(setting_for(setting, both)), both.steps, [](World const&, Turn const&) { return true; });
    std::vector<Step> rest(end.steps.begin() + static_cast<std::ptrdiff_t>(draw(below(end.steps.size() + 1))),
                           end.steps.end());
    if (auto const running = reached.world.running(); !running.empty()) {
        move_in(rest, next_child(both.steps), running);
        both.steps.insert(both.steps.end(), rest.begin(), rest.end());
    }
    return askable(both, setting);
}

}  // namespace vmcheck::generate
