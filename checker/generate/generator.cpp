#include "checker/generate/generator.h"

#include "checker/generate/arguments.h"
#include "checker/generate/draw.h"
#include "checker/generate/plans.h"
#include "checker/shrink/candidates.h"
#include "spec/advance.h"
#include "spec/layout.h"
#include "spec/overlap.h"
#include "spec/step_kinds.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace vmcheck::generate {

namespace {

using namespace spec;

// How often a step of the kind is proposed when the swarm has it switched on.
constexpr auto kWeights = [] {
    std::array<std::uint8_t, kActionKinds> weights{};
    weights.fill(3);
    weights[index_of<Fork>()] = 12;
    weights[index_of<Exit>()] = 5;
    weights[index_of<Wait>()] = 8;
    weights[index_of<Kill>()] = 2;
    weights[index_of<Sbrk>()] = 10;
    weights[index_of<Load>()] = 12;
    weights[index_of<Store>()] = 22;
    weights[index_of<PipeWrite>()] = 7;
    weights[index_of<PipeRead>()] = 7;
    weights[index_of<FileRead>()] = 6;
    weights[index_of<Exec>()] = 2;
    weights[index_of<SetSp>()] = 2;
    weights[index_of<Fetch>()] = 2;
    return weights;
}();

// The kinds that a program draws from, each as often as it weighs: some are switched off. Without fork and store
// hardly anything happens: a program that lacks them is wasted.
rc::Gen<rc::Gen<std::size_t>> swarms() {
    return drawn([on = chance(2, 3)](Draw& draw) {
        std::vector<std::size_t> tickets;
        for (std::size_t kind = 0; kind < kActionKinds; ++kind)
            if (draw(on) || kind == index_of<Fork>() || kind == index_of<Store>())
                tickets.insert(tickets.end(), kWeights[kind], kind);
        return one_of(tickets);
    });
}

// Writes one program, step by step, along the model: each step is drawn for the state that a correct kernel would be
// in.
class Author {
  public:
    Author(std::shared_ptr<Setting const> const& setting, GeneratorConfig const& config, Draw& draw)
        : config_(config),
          draw_(draw),
          program_{setting->profile, {}, {}, draw_memory()},
          world_(World::initial(setting_for(setting, program_))),
          kinds_(draw(swarms())) {
        faulty_ = config_.allocation_faults && draw_(chance(1, 4));
        plan_at_ = draw_(below(config_.little_memory ? 32U : 96U));
        if (config_.overlaps_max > 0) overlaps_left_ = draw_(rc::gen::inRange(1U, config_.overlaps_max + 1));
    }

    // `most` steps, or fewer; more only to reach what the configuration wants to be reached.
    Program write(std::uint32_t most) {
        // Long programs find more; some short ones are wanted as well.
        std::size_t wanted = draw_(chance(1, 4)) ? draw_(rc::gen::inRange(1U, most + 1)) : most;
        if (config_.limit) {
            plan_ = draw_(plans_to(*config_.limit, plan_context()));
            wanted += plan_.size();
        }
        constexpr unsigned kProposalsPerStep = 12;
        for (std::size_t proposals = 0; (program_.steps.size() < wanted || is_filling_up()) && !world_.over() &&
                                        proposals < wanted * kProposalsPerStep;
             ++proposals) {
            Step const step = next_step(proposals);
            if (wants_overlap(step) && append_overlap(step)) continue;
            if (why_not(world_, step)) continue;
            if (auto prediction = predict(world_, step)) append(step, std::move(prediction->after));
        }
        return std::move(program_);
    }

  private:
    void append(Step step, World after) {
        if (std::holds_alternative<Fork>(step.action)) ++children_;
        program_.steps.push_back(step);
        world_ = std::move(after);
        std::vector<ProcId> running = world_.running();
        if (running == running_) return;
        running_ = std::move(running);
        actors_ = one_of(running_);
    }

    // What takes many steps to reach a limit goes on until it does.
    bool is_filling_up() const { return config_.little_memory && !plan_.empty(); }

    // Mostly so few that a step or two may be the last to get what it needs.
    std::optional<std::uint32_t> draw_memory() {
        if (!config_.little_memory) return std::nullopt;
        return draw_(
            weighted<std::uint32_t>({{5, below(65U)}, {1, rc::gen::element(80U, 100U, 150U, 250U, 500U, 1000U)}}));
    }

    // ---- one step

    // For the state that has been reached; may be one that cannot be asked.
    rc::Gen<Step> const steps_ = drawn([this](Draw& draw) {
        Step step{draw(actors_), {}};
        step.action = draw(actions_for(draw(kinds_), step.actor));
        step.faults.oom = draw_failing_allocation(draw, step);
        return step;
    });

    rc::Gen<Action> actions_for(std::size_t kind, ProcId actor) const {
        // Beyond the wanted number of processes, wait for room instead.
        if (kind == index_of<Fork>() && world_.processes().size() >= config_.processes_max)
            return rc::gen::just(Action{Wait{}});
        return actions(kind, scene(actor));
    }

    Scene scene(ProcId actor) const { return {world_, actor, running_, ProcId{children_ + 1}}; }

    // Which allocation of the step fails, if any. p0 may not be killed, so it has them fail in system calls only. A
    // copy for p0 that fails may end p0, and then nothing more is compared: mostly the others have them. fork, sbrk and
    // exec have a result to fail with.
    std::optional<std::uint32_t> draw_failing_allocation(Draw& draw, Step const& step) const {
        if (!faulty_ || (step.actor == kInit && is_user_access(step.action))) return std::nullopt;
        Way const way = way_of(step.action);
        bool const may_end_the_world = step.actor == kInit && way != Way::fork && way != Way::sbrk && way != Way::exec;
        if (!draw(chance(1, may_end_the_world ? 12 : 4))) return std::nullopt;
        return draw(rc::gen::oneOf(rc::gen::inRange(1U, 3U), rc::gen::inRange(1U, 11U)));
    }

    // ---- steps that belong together

    PlanContext plan_context() {
        return {world_, draw_(actors_), ProcId{children_ + 1}, config_.allocation_faults, program_.memory};
    }

    // Some places are reached only by steps that belong together: now and then such a sequence is planned as a whole.
    Step next_step(std::size_t proposals) {
        if (proposals == plan_at_ && !config_.limit) plan_ = draw_(plans(plan_context()));
        if (plan_.empty()) return draw_(steps_);
        Step const step = plan_.front();
        plan_.erase(plan_.begin());
        return step;
    }

    // ---- steps that overlap

    bool wants_overlap(Step const& step) {
        if (overlaps_left_ == 0 || running_.size() < 2) return false;
        // What writes has something to lose; what only reads, or does nothing, seldom has.
        auto const use = address_of(step.action);
        Access const access = use ? use->access : Access::none;
        bool const does_little =
            is_user_access(step.action) ? access != Access::write : way_of(step.action) == Way::none;
        return draw_(access == Access::write ? chance(3, 4) : chance(1, does_little ? 16 : 2));
    }

    // The step, interrupted or asleep while another process does one of its own; the state is then the one after both.
    bool append_overlap(Step const& wanted) {
        constexpr unsigned kProposals = 8;
        Step const first = draw_(chance(1, 4)) ? Step{wanted.actor, draw_(releasing()), {}} : wanted;
        for (unsigned i = 0; i < kProposals; ++i) {
            Pair pair{first, draw_(companions_of(first))};
            if (why_not_together(world_, pair)) continue;
            auto after = predict(world_, pair);
            if (!after) continue;
            pair.first.faults = {std::nullopt, draw_(interruptions_of(pair.first))};
            pair.second.faults = {std::nullopt, std::nullopt, true};
            // Back into the first before the second has ended.
            if (draw_(chance(1, 4))) pair.second.faults.preempt = draw_(interruptions_of(pair.second));
            append(pair.first, world_);
            append(pair.second, std::move(*after));
            --overlaps_left_;
            return true;
        }
        return false;
    }

    // A step of another process that may get in the way: the same deed, one of its kind elsewhere, one that gives
    // frames back, or any.
    rc::Gen<Step> companions_of(Step const& first) const {
        return drawn([this, &first](Draw& draw) -> Step {
            std::vector<ProcId> others = running_;
            std::erase(others, first.actor);
            ProcId const actor = draw(one_of(others));
            auto const* fork = std::get_if<Fork>(&first.action);
            // What the first may be asleep for, and an end of it.
            if (config_.kills_sleepers && first.actor != kInit && why_not(world_, first) && draw(chance(1, 4)))
                return {actor, Kill{first.actor}, {}};
            if (std::holds_alternative<Wait>(first.action) && draw(chance(1, 2))) return {actor, Exit{1}, {}};
            if (std::holds_alternative<PipeRead>(first.action))
                return {actor, PipeWrite{draw(addresses(scene(actor), Access::read)), draw(copy_bytes(64))}, {}};
            std::uint32_t const lot = draw(below(8U));
            if (lot >= 4 && lot < 6) return {actor, draw(releasing()), {}};
            Action action = lot < 2   ? first.action
                            : lot < 4 ? draw(actions_for(first.action.index(), actor))
                                      : draw(steps_).action;
            if (auto* another = std::get_if<Fork>(&action)) another->child = ProcId{children_ + (fork ? 2U : 1U)};
            return {actor, action, {}};
        });
    }

    // Gives frames back. An exit does so in few kernels: a zombie keeps its memory until it is waited for.
    static rc::Gen<Action> const& releasing() {
        static rc::Gen<Action> const actions =
            rc::gen::weightedElement<Action>({{4, Exec{}}, {2, Sbrk{-kPage}}, {1, Exit{0}}, {1, Wait{}}});
        return actions;
    }

    // After how many instructions: mostly where it is known to make a difference.
    rc::Gen<std::uint32_t> interruptions_of(Step const& step) const {
        constexpr std::uint32_t kUnmeasured = 2'000;
        if (!config_.interruptions) return below(kUnmeasured);
        std::vector<std::uint32_t> const& known = config_.interruptions->by_kind[step.action.index()];
        if (known.empty()) return below(kUnmeasured);
        return weighted<std::uint32_t>({{3, one_of(known)}, {1, below(known.back() + 1)}});
    }

    GeneratorConfig const& config_;
    Draw& draw_;
    Program program_;
    World world_;
    std::vector<ProcId> running_ = world_.running();
    rc::Gen<ProcId> actors_ = one_of(running_);
    rc::Gen<std::size_t> kinds_;
    std::uint32_t children_ = 0;
    std::uint32_t overlaps_left_ = 0;
    bool faulty_ = false;
    std::vector<Step> plan_;     // steps to be proposed before any other
    std::uint32_t plan_at_ = 0;  // which proposal is planned; in most programs none is
};

}  // namespace

rc::Gen<Program> programs(std::shared_ptr<Setting const> setting, GeneratorConfig config) {
    return rc::Gen<Program>(
        [setting = std::move(setting), config = std::move(config)](rc::Random const& random, int size) {
            Draw draw(random);
            auto const share = static_cast<std::uint32_t>(std::clamp(size, 0, rc::kNominalSize));
            std::uint32_t const most = std::max(1U, config.steps_max * share / rc::kNominalSize);
            return shrink::shrinks(Author(setting, config, draw).write(most), setting);
        });
}

rc::Gen<Step> steps(Scene const& scene) {
    static auto const kinds = [] {
        std::vector<std::size_t> tickets;
        for (std::size_t kind = 0; kind < kActionKinds; ++kind) tickets.insert(tickets.end(), kWeights[kind], kind);
        return one_of(tickets);
    }();
    return drawn([scene](Draw& draw) { return Step{scene.actor, draw(actions(draw(kinds), scene)), {}}; });
}

spec::Program program_of_case(rc::Gen<spec::Program> const& generator, std::uint64_t seed, std::uint64_t index) {
    std::array<std::uint64_t, 2> const key{seed, index};
    return generator(rc::Random(XXH3_64bits(key.data(), sizeof key))).value();
}

}  // namespace vmcheck::generate
