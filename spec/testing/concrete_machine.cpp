#include "spec/testing/concrete_machine.h"

#include "spec/testing/concrete_syscalls.h"
#include "spec/testing/concrete_user_memory.h"

namespace vmcheck::spec::testing {

// The window that observations look through.
class ConcreteMachine::Memory : public MachineMemory {
  public:
    explicit Memory(State const& state) : state_(state) {}

    std::span<std::byte const, kPageBytes> bytes(FrameNo frame) const override { return state_.frames.bytes(frame); }
    std::optional<bool> on_free_list(FrameNo frame) const override { return state_.frames.is_free(frame); }
    std::optional<std::int64_t> reference_count(FrameNo frame) const override {
        return state_.frames.references(frame);
    }

  private:
    State const& state_;
};

ConcreteMachine::ConcreteMachine(std::shared_ptr<Setting const> setting, PlantedDefect defect, Manners manners)
    : setting_(std::move(setting)),
      defect_(defect),
      manners_(manners),
      state_{Frames{setting_->traits.frames_total}, {}, {}, 2},
      memory_(std::make_unique<Memory>(state_)) {
    // No setting of a test is too small for p0.
    UserMemory user_memory{*setting_, PlantedDefect::none, manners_, state_.frames};
    Process init;
    init.pid = 1;
    user_memory.create(init);
    user_memory.load_image(init, true);
    state_.processes.emplace(kInit, std::move(init));
}

ConcreteMachine::~ConcreteMachine() = default;

Outcome ConcreteMachine::run(Step const& step) {
    state_.frames.begin_step(step.faults.oom);
    Outcome outcome = std::visit(Syscalls{*this, step.actor}, step.action);
    outcome.allocations_failed = state_.frames.allocations_failed();
    outcome.allocator_dry = state_.frames.was_dry();
    if (defect_ == PlantedDefect::panic_on_failed_allocation &&
        (outcome.allocations_failed > 0 || outcome.allocator_dry))
        outcome.what = Panicked{"kalloc"};
    return outcome;
}

Observation ConcreteMachine::observe() const {
    Observation observation;
    observation.zombies.emplace();
    for (auto const& [id, process] : state_.processes)
        if (process.zombie) observation.zombies->push_back(id);
    for (bool zombies : {false, true})
        for (auto const& [id, process] : state_.processes) {
            if (process.zombie != zombies || !process.has_memory) continue;
            ObservedProcess observed;
            observed.id = id;
            observed.zombie = process.zombie;
            for (auto const& [page, pte] : process.table.leaves())
                observed.pages.push_back(ObservedPage{page, pte.frame, pte.rights, true});
            observed.table_frames = process.table.table_frames();
            observed.brk = process.size;
            observation.processes.push_back(std::move(observed));
        }
    observation.census = census();
    if (state_.frames.free_list_has_duplicate()) observation.free_list_broken = "a frame is on it twice";
    observation.memory = memory_.get();
    return observation;
}

}  // namespace vmcheck::spec::testing
