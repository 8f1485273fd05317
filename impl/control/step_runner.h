#pragma once
// Translates each kind of step into orders for the agents, and what they come to into an Outcome.

#include "impl/control/conductor.h"
#include "spec/layout.h"
#include "spec/observation.h"
#include "spec/program.h"

#include <cstdint>
#include <functional>

namespace vmcheck {

// File descriptors that p0 has opened before the golden image is taken; every process inherits them.
struct Descriptors {
    std::uint64_t pipe_read = 0;
    std::uint64_t pipe_write = 0;
    std::uint64_t data_file = 0;
};

class StepRunner {
  public:
    // REQUIRES: `conductor` and `setting` outlive the runner.
    StepRunner(Conductor& conductor, spec::Setting const& setting, Descriptors descriptors)
        : conductor_(conductor), setting_(setting), descriptors_(descriptors) {}

    // Does the step. REQUIRES: its addresses are absolute; the conductor's begin_step() was called for it.
    spec::Outcome run(spec::Step const& step);

  private:
    // One for each kind of step. Those that bring up or end another process say so in `outcome`.
    spec::Completion perform(spec::ProcId actor, spec::Fork const& fork, spec::Outcome& outcome);
    spec::Completion perform(spec::ProcId actor, spec::Kill const& kill, spec::Outcome& outcome);
    spec::Completion perform(spec::ProcId actor, spec::Exit const& exit);
    spec::Completion perform(spec::ProcId actor, spec::Wait const& wait);
    spec::Completion perform(spec::ProcId actor, spec::Sbrk const& sbrk);
    spec::Completion perform(spec::ProcId actor, spec::Load const& load);
    spec::Completion perform(spec::ProcId actor, spec::Store const& store);
    spec::Completion perform(spec::ProcId actor, spec::Touch const& touch);
    spec::Completion perform(spec::ProcId actor, spec::PipeWrite const& write);
    spec::Completion perform(spec::ProcId actor, spec::PipeRead const& read);
    spec::Completion perform(spec::ProcId actor, spec::FileRead const& read);
    spec::Completion perform(spec::ProcId actor, spec::Fstat const& fstat);
    spec::Completion perform(spec::ProcId actor, spec::Pipe const& pipe);
    spec::Completion perform(spec::ProcId actor, spec::Open const& open);
    spec::Completion perform(spec::ProcId actor, spec::Exec const& exec);
    spec::Completion perform(spec::ProcId actor, spec::SetSp const& set_sp);
    spec::Completion perform(spec::ProcId actor, spec::Fetch const& fetch);
    spec::Completion perform(spec::ProcId actor, spec::Yield const& yield);

    // Opens what `path` names, has `between` done with the descriptor, and closes it again.
    spec::Completion with_open(spec::ProcId actor, std::uint64_t path,
                               std::function<spec::Completion(std::uint64_t)> const& between);

    Conductor& conductor_;
    spec::Setting const& setting_;
    Descriptors descriptors_;
};

}  // namespace vmcheck
