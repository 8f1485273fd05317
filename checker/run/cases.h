#pragma once
// Which programs a campaign runs: batch after batch, in each mode its share (effort.h).

#include "checker/generate/generator.h"
#include "checker/run/campaign.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vmcheck::run {

// One program to be run, in one of the modes.
struct Case {
    Mode mode = Mode::plain;
    std::uint64_t index = 0;  // among those of its mode
    Corpus::Entry const* given = nullptr;
};

// The programs of one mode, batch after batch.
class Series {
  public:
    // Programs come from each of the generators in turn. REQUIRES: there is one, when a program is asked for.
    Series(Mode mode, std::vector<rc::Gen<spec::Program>> programs, std::uint64_t seed);

    // `size`: of a whole batch; this one has `parts` of `whole` parts of it, and the first of all at least one program.
    void add_batch(std::uint64_t batch, std::uint64_t size, std::uint64_t parts, std::uint64_t whole,
                   std::vector<Case>& cases) const;
    spec::Program program(std::uint64_t index) const;

  private:
    Mode mode_;
    std::vector<rc::Gen<spec::Program>> programs_;
    std::uint64_t seed_;
};

class Cases {
  public:
    // REQUIRES: both outlive this.
    Cases(Reference const& reference, Effort const& effort, std::uint64_t seed);

    // Of each mode but limits, in a whole batch.
    std::uint64_t size_of(Mode mode) const { return sizes_[static_cast<std::size_t>(mode)]; }
    // How many plain programs the batch holds; 0: it is none any more.
    std::uint64_t plain_in(std::uint64_t batch) const;
    std::vector<Case> batch(std::uint64_t number) const;

    // Whether prepare_preemption() is to be called, before a program of that mode is asked for.
    bool needs_preparation() const { return size_of(Mode::preempt) > 0; }
    // Measures on the machine where steps can be interrupted. No other program waits for that.
    void prepare_preemption(Execution& machine);
    // On any thread.
    spec::Program program(Case const& which) const;

  private:
    Reference const& reference_;
    Effort const& effort_;
    std::uint64_t seed_;
    std::array<std::uint64_t, kModes> sizes_;
    std::array<Series, kModes> series_;
};

// In which order the cases of a batch are run, by their places: in stages that do not overlap.
using Stages = std::array<std::vector<std::size_t>, 3>;
Stages stages_of(std::vector<Case> const& cases, bool is_first_batch);

}  // namespace vmcheck::run
