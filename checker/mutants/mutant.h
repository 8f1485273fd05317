#pragma once
// A planted defect, as the header of its patch describes it (kernel/README.md, "Mutants").

#include "checker/mutants/named_places.h"
#include "impl/base/error.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace vmcheck::mutants {

struct Mutant {
    std::string name;                     // NN-name
    std::string origin;                   // "labs.md 16", "our own", ...
    std::string story;                    // one sentence
    std::string profile;                  // the kernel that it is made from
    std::vector<std::string> expected{};  // signatures: "I3 fork", "I7 *", "I1 boot", "boot", "I10 store (advice)"
    std::string survives{};               // why `vmcheck verify` does not find it; empty: it does
    std::vector<ChangedLine> changed{};   // by the patch
    std::string needs{};                  // what it does not show without: "oom", "preempt or harts", "boot", ...

    // A defect of the labs' list, or one that stock kernels have; else an invention of ours.
    bool numbered() const { return origin != "our own"; }
    // Whether a finding with this signature is this defect's.
    bool expects(std::string const& signature) const;
    // Options of `vmcheck verify` that keep it from bringing about the faults that this defect needs; none where it
    // shows without any.
    std::vector<std::string> options_without_its_faults() const;
};

// Reads the header of a patch. Fails where it cannot be read, or says no origin, story, profile or expectation.
tl::expected<Mutant, base::Error> read_mutant(std::filesystem::path const& patch);

// All of a directory, by name.
tl::expected<std::vector<Mutant>, base::Error> read_mutants(std::filesystem::path const& directory);

}  // namespace vmcheck::mutants
