#pragma once
// How a program is run, beyond what the program itself says.

#include "checker/generate/generator.h"
#include "checker/run/effort.h"
#include "impl/target.h"
#include "spec/program.h"

namespace vmcheck::run {

// Called before and after each step, with the machine as it stands then. For evidence; costs time.
struct Watcher {
    virtual void before(spec::StepIndex at, Execution& execution) = 0;
    virtual void after(spec::StepIndex at, Execution& execution) = 0;

  protected:
    ~Watcher() = default;
};

struct RunOptions {
    // After the last step: every child exits and is waited for, and p0's heap shrinks to its start; what is missing
    // then is lost for good.
    bool close = true;
    // Then the same steps once more, from the machine as it was left (children under new names), and to their end
    // again.
    bool twice = false;
    // End at what is no more than advice, as at a divergence.
    bool stop_at_advice = false;
    Mode mode = Mode::plain;  // what it is counted as
    bool records = false;
    Watcher* watcher = nullptr;  // not owned
    // Adds where steps can be interrupted; costs time. Not owned.
    generate::Interruptions* interruptions = nullptr;
};

}  // namespace vmcheck::run
