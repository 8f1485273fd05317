#pragma once
// Which lines of the kernel are to blame for a failure, by which ran in programs that fail so and not in near
// neighbours that do not.

#include "checker/finding/finding.h"
#include "checker/run/machine_pool.h"
#include "checker/run/stepper.h"

#include <filesystem>
#include <optional>
#include <vector>

namespace vmcheck::session {

// Runs `program`, which fails under that signature, and neighbours of it: simpler ones, others with another last step,
// and simpler ones than `original`, from which it was shrunk. The same on any number of machines.
Spectrum spectrum_of(run::MachinePool& pool, run::Reference const& reference, spec::Program const& program,
                     spec::Program const& original, run::Signature signature);

// The text of each line that the evidence is about, from the tree that the kernel's image lies in.
std::vector<SourceText> source_of(Evidence const& evidence, std::filesystem::path const& image);

}  // namespace vmcheck::session
