#pragma once
// Translates each kind of step into orders for the agents, and their answers into an Outcome.

#include "impl/control/conductor.h"
#include "spec/layout.h"
#include "spec/observation.h"
#include "spec/program.h"

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
    using What = decltype(spec::Outcome::what);

    What perform(spec::ProcId actor, spec::Fork const& fork, spec::Outcome& outcome);
    What perform(spec::ProcId actor, spec::Kill const& kill, spec::Outcome& outcome);
    What perform(spec::ProcId actor, spec::Exit const& exit);
    What perform(spec::ProcId actor, spec::Wait const& wait);
    What perform(spec::ProcId actor, spec::Sbrk const& sbrk);
    What perform(spec::ProcId actor, spec::Load const& load);
    What perform(spec::ProcId actor, spec::Store const& store);
    What perform(spec::ProcId actor, spec::Touch const& touch);
    What perform(spec::ProcId actor, spec::PipeWrite const& write);
    What perform(spec::ProcId actor, spec::PipeRead const& read);
    What perform(spec::ProcId actor, spec::FileRead const& read);
    What perform(spec::ProcId actor, spec::Fstat const& fstat);
    What perform(spec::ProcId actor, spec::Pipe const& pipe);
    What perform(spec::ProcId actor, spec::Open const& open);
    What perform(spec::ProcId actor, spec::Exec const& exec);
    What perform(spec::ProcId actor, spec::SetSp const& set_sp);
    What perform(spec::ProcId actor, spec::Fetch const& fetch);

    Answer system_call(spec::ProcId actor, std::uint64_t number, std::uint64_t a0 = 0, std::uint64_t a1 = 0,
                       std::uint64_t a2 = 0);

    Conductor& conductor_;
    spec::Setting const& setting_;
    Descriptors descriptors_;
};

}  // namespace vmcheck
