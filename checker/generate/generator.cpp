#include "checker/generate/generator.h"

#include "checker/generate/arguments.h"
#include "checker/generate/dice.h"
#include "checker/generate/plans.h"
#include "spec/advance.h"
#include "spec/overlap.h"
#include "spec/predict.h"
#include "spec/scarcity.h"
#include "spec/step_kinds.h"

#include <rapidcheck/shrinkable/Create.h>

#include <xxhash.h>

#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace vmcheck::generate {

namespace {

// How often a step kind is proposed when the swarm has it switched on, by its index in spec::Action.
constexpr std::array<std::uint8_t, spec::kActionKinds> kWeights = {
    12,  // fork
    5,   // exit
    8,   // wait
    2,   // kill
    10,  // sbrk
    12,  // load
    22,  // store
    3,   // touch
    7,   // pipe_write
    7,   // pipe_read
    6,   // file_read
    3,   // fstat
    3,   // pipe
    3,   // open
    2,   // exec
    2,   // sp
    2,   // fetch
};

class Author {
  public:
    Author(std::shared_ptr<spec::Setting const> const& setting, GeneratorConfig config, Dice dice)
        : config_(std::move(config)),
          dice_(dice),
          program_{setting->profile, {}, {}, draw_memory()},
          world_(spec::World::initial(spec::setting_for(setting, program_))) {
        draw_swarm();
        faulty_ = config_.allocation_faults && dice_.chance(1, 4);
        if (config_.overlaps_max > 0) overlaps_left_ = 1 + dice_.below(config_.overlaps_max);
    }

    spec::Program write() {
        // Long programs find more; some short ones are wanted as well.
        std::int64_t const most = config_.steps_max;
        auto wanted = static_cast<std::size_t>(dice_.chance(1, 4) ? dice_.between(1, most) : most);
        if (config_.limit) {
            plan_ = plan_to(*config_.limit, dice_, context());
            planned_ = true;
            wanted += plan_.size();
        }
        constexpr unsigned kProposalsPerStep = 12;
        for (std::size_t proposals = 0;
             (program_.steps.size() < wanted || is_filling_up()) && proposals < wanted * kProposalsPerStep;
             ++proposals) {
            spec::Step step = next_planned().value_or(propose());
            if (wants_overlap(step))
                if (auto pair = overlap_with(dice_.chance(1, 4) ? spec::Step{step.actor, releasing(), {}} : step)) {
                    --overlaps_left_;
                    program_.steps.push_back(pair->first);
                    program_.steps.push_back(pair->second);
                    if (world_.over()) break;
                    continue;
                }
            if (spec::why_not(world_, step)) continue;
            auto prediction = spec::predict(world_, step);
            if (!prediction) continue;
            world_ = std::move(prediction->after);
            if (std::holds_alternative<spec::Fork>(step.action)) ++children_;
            program_.steps.push_back(step);
            if (world_.over()) break;
        }
        return std::move(program_);
    }

  private:
    // What takes many steps to reach a limit goes on until it does.
    bool is_filling_up() const { return config_.little_memory && !plan_.empty(); }

    PlanContext context() {
        std::vector<spec::ProcId> const running = world_.running();
        spec::ProcId const actor = running[dice_.below(running.size())];
        return {world_, actor, spec::ProcId{children_ + 1}, config_.allocation_faults, program_.memory};
    }

    // Mostly so few that a step or two may be the last to get what it needs.
    std::optional<std::uint32_t> draw_memory() {
        if (!config_.little_memory) return std::nullopt;
        constexpr std::array<std::uint32_t, 6> kLarger{80, 100, 150, 250, 500, 1000};
        if (dice_.chance(1, 6)) return dice_.pick(std::span<std::uint32_t const>(kLarger));
        return static_cast<std::uint32_t>(dice_.below(65));
    }

    bool wants_overlap(spec::Step const& step) {
        bool const does_little = std::holds_alternative<spec::SetSp>(step.action) ||
                                 std::holds_alternative<spec::Fetch>(step.action) ||
                                 std::holds_alternative<spec::Load>(step.action);
        return overlaps_left_ > 0 && world_.running().size() > 1 && dice_.chance(1, does_little ? 16 : 2);
    }

    // The step, interrupted or asleep while another process does one of its own; the state is then the one after both.
    std::optional<spec::Pair> overlap_with(spec::Step const& first) {
        constexpr unsigned kProposals = 8;
        for (unsigned i = 0; i < kProposals; ++i) {
            spec::Pair pair{first, companion_of(first)};
            if (spec::why_not_together(world_, pair)) continue;
            auto after = spec::predict(world_, pair);
            if (!after) continue;
            world_ = std::move(*after);
            for (spec::Step const& step : {pair.first, pair.second})
                if (std::holds_alternative<spec::Fork>(step.action)) ++children_;
            pair.first.faults = {std::nullopt, interruption_of(pair.first)};
            pair.second.faults = {std::nullopt, std::nullopt, true};
            // Back into the first before the second has ended.
            if (dice_.chance(1, 4)) pair.second.faults.preempt = interruption_of(pair.second);
            return pair;
        }
        return std::nullopt;
    }

    // A step of another process that may get in the way: the same deed, one that gives frames back, or any.
    spec::Step companion_of(spec::Step const& first) {
        using namespace spec;
        std::vector<ProcId> others = world_.running();
        std::erase(others, first.actor);
        ProcId const actor = others[dice_.below(others.size())];
        std::uint32_t const name = children_ + (std::holds_alternative<Fork>(first.action) ? 2 : 1);
        // What the first may be asleep for, and an end of it.
        if (config_.kills_sleepers && first.actor != kInit && why_not(world_, first) && dice_.chance(1, 4))
            return {actor, Kill{first.actor}, {}};
        if (std::holds_alternative<Wait>(first.action) && dice_.chance(1, 2)) return {actor, Exit{1}, {}};
        if (std::holds_alternative<PipeRead>(first.action))
            return {actor, PipeWrite{address(dice_, world_, actor, Use::read), copy_bytes(dice_, 64)}, {}};
        std::uint64_t const lot = dice_.below(8);
        if (lot < 3) {
            if (std::holds_alternative<Fork>(first.action)) return {actor, Fork{ProcId{name}}, {}};
            return {actor, first.action, {}};
        }
        if (lot < 6) return {actor, releasing(), {}};
        Step step = propose();
        if (auto* fork = std::get_if<Fork>(&step.action)) fork->child = ProcId{name};
        return {actor, step.action, {}};
    }

    // Gives frames back. An exit does so in few kernels: a zombie keeps its memory until it is waited for.
    spec::Action releasing() {
        using namespace spec;
        switch (dice_.below(8)) {
            case 0:
                return Exit{0};
            case 1:
                return Wait{};
            case 2:
            case 3:
                return Sbrk{-kPage};
            default:
                return Exec{};
        }
    }

    // After how many instructions: mostly where it is known to make a difference.
    std::uint32_t interruption_of(spec::Step const& step) {
        constexpr std::uint64_t kUnmeasured = 2'000;
        static std::vector<std::uint32_t> const none;
        auto const& known = config_.interruptions ? config_.interruptions->by_kind[step.action.index()] : none;
        if (known.empty()) return static_cast<std::uint32_t>(dice_.below(kUnmeasured));
        if (dice_.chance(3, 4)) return known[dice_.below(known.size())];
        return static_cast<std::uint32_t>(dice_.below(std::uint64_t{known.back()} + 1));
    }

    void draw_swarm() {
        for (std::size_t kind = 0; kind < weights_.size(); ++kind)
            weights_[kind] = dice_.chance(2, 3) ? kWeights[kind] : 0;
        // Without these hardly anything happens: a program that lacks them is wasted.
        weights_[index_of<spec::Fork>()] = kWeights[index_of<spec::Fork>()];
        weights_[index_of<spec::Store>()] = kWeights[index_of<spec::Store>()];
        total_ = 0;
        for (std::uint32_t weight : weights_) total_ += weight;
    }

    template <class Kind>
    static constexpr std::size_t index_of() {
        return spec::Action(Kind{}).index();
    }

    // Some places are reached only by steps that belong together: now and then such a sequence is planned as a whole.
    std::optional<spec::Step> next_planned() {
        if (!planned_ && dice_.chance(1, config_.little_memory ? 32 : 96)) make_plan();
        if (plan_.empty()) return std::nullopt;
        spec::Step const step = plan_.front();
        plan_.erase(plan_.begin());
        return step;
    }

    void make_plan() {
        planned_ = true;
        plan_ = plan(dice_, context());
    }

    spec::Step propose() {
        std::vector<spec::ProcId> const running = world_.running();
        spec::ProcId const actor = running[dice_.below(running.size())];
        std::uint64_t ticket = dice_.below(total_);
        std::size_t kind = 0;
        while (ticket >= weights_[kind]) ticket -= weights_[kind++];
        spec::Step step{actor, propose(kind, actor, running), {}};
        if (faulty_ && may_fail(step) && dice_.chance(1, may_end_the_world(step) ? 12 : 4))
            step.faults.oom = static_cast<std::uint32_t>(1 + dice_.below(dice_.chance(1, 2) ? 2 : 10));
        return step;
    }

    // p0 may not be killed, so it has allocations fail in system calls only.
    static bool may_fail(spec::Step const& step) {
        return step.actor != spec::kInit || !spec::is_user_access(step.action);
    }

    // A copy for p0 that fails may end p0, and then nothing more is compared: mostly the others have them. fork, sbrk
    // and exec have a result to fail with.
    static bool may_end_the_world(spec::Step const& step) {
        return step.actor == spec::kInit && !std::holds_alternative<spec::Fork>(step.action) &&
               !std::holds_alternative<spec::Sbrk>(step.action) && !std::holds_alternative<spec::Exec>(step.action);
    }

    spec::Action propose(std::size_t kind, spec::ProcId actor, std::vector<spec::ProcId> const& running) {
        using namespace spec;
        auto const place = [&](Use use) { return address(dice_, world_, actor, use); };
        std::size_t const pipe_filled = world_.pipe().empty() ? 0 : world_.pipe().front().size();
        switch (kind) {
            case index_of<Fork>():
                // Beyond the wanted number of processes, wait for room instead.
                if (world_.processes().size() >= config_.processes_max) return Wait{};
                return Fork{ProcId{children_ + 1}};
            case index_of<Exit>():
                return Exit{static_cast<std::int32_t>(dice_.between(-1, 255))};
            case index_of<Wait>():
                return dice_.chance(1, 3) ? Wait{} : Wait{place(Use::write)};
            case index_of<Kill>():
                return Kill{running[dice_.below(running.size())]};
            case index_of<Sbrk>():
                return Sbrk{sbrk_bytes(dice_, world_, actor), sbrk_mode()};
            case index_of<Load>():
                return Load{place(Use::read), access_size(dice_)};
            case index_of<Store>():
                return Store{place(Use::write), access_size(dice_), store_value(dice_)};
            case index_of<Touch>():
                return Touch{place(Use::read), static_cast<std::uint32_t>(dice_.between(1, 4))};
            case index_of<PipeWrite>(): {
                std::size_t const room = world_.setting().traits.pipe_bytes - pipe_filled;
                return PipeWrite{place(Use::read),
                                 copy_bytes(dice_, room == 0 ? 1U : static_cast<std::uint32_t>(room))};
            }
            case index_of<PipeRead>():
                return PipeRead{place(Use::write), copy_bytes(dice_, 600)};
            case index_of<FileRead>():
                return FileRead{place(Use::write), copy_bytes(dice_, 6100)};
            case index_of<Fstat>():
                return Fstat{place(Use::write)};
            case index_of<Pipe>():
                return Pipe{place(Use::write)};
            case index_of<Open>():
                return Open{path(actor)};
            case index_of<Exec>():
                return Exec{};
            case index_of<SetSp>():
                return SetSp{place(Use::write)};
            default:
                return Fetch{dice_.chance(1, 2) ? Address{Anchor::text, 2 * dice_.between(0, 60)} : place(Use::read)};
        }
    }

    spec::SbrkMode sbrk_mode() {
        if (!world_.setting().traits.sbrk_takes_mode) return spec::SbrkMode::by_profile;
        return static_cast<spec::SbrkMode>(dice_.below(3));
    }

    // Mostly where a path really is: in read-only and in writable memory.
    spec::Address path(spec::ProcId actor) {
        switch (dice_.below(4)) {
            case 0:
                return {spec::Anchor::rodata, 0};
            case 1:
                return {spec::Anchor::data, 0};
            default:
                return address(dice_, world_, actor, Use::read);
        }
    }

    GeneratorConfig config_;
    Dice dice_;
    spec::Program program_;
    spec::World world_;
    std::array<std::uint32_t, spec::kActionKinds> weights_{};
    std::uint64_t total_ = 0;
    std::uint32_t children_ = 0;
    std::uint64_t overlaps_left_ = 0;
    bool faulty_ = false;
    std::vector<spec::Step> plan_;  // steps to be proposed before any other
    bool planned_ = false;          // at most once in a program
};

}  // namespace

rc::Gen<spec::Program> programs(std::shared_ptr<spec::Setting const> setting, GeneratorConfig config) {
    return rc::Gen<spec::Program>(
        [setting = std::move(setting), config = std::move(config)](rc::Random const& random, int) {
            return rc::shrinkable::just(Author(setting, config, Dice(random)).write());
        });
}

spec::Program program_of_case(rc::Gen<spec::Program> const& generator, std::uint64_t seed, std::uint64_t index) {
    std::array<std::uint64_t, 2> const key{seed, index};
    return generator(rc::Random(XXH3_64bits(key.data(), sizeof key))).value();
}

}  // namespace vmcheck::generate
