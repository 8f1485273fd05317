#pragma once
// Which failures are one to a reader. A defect in copyout shows at fstat, at read and at wait; a panic in the code that
// frees memory shows at exit, at exec and at sbrk. Signatures tell such failures apart, which is right for shrinking
// and wrong for a report: a family holds those that go the same way through the kernel.

#include "checker/run/result.h"
#include "spec/step_kinds.h"

#include <string>

namespace vmcheck::run {

struct Family {
    spec::Invariant invariant = spec::Invariant::contents;
    spec::Way way = spec::Way::none;
    std::string panic;  // its message says more than the way to it; empty where there is none
    bool advice = false;
    friend auto operator<=>(Family const&, Family const&) = default;
};
// REQUIRES: run.divergence.
Family family_of(Run const& run);

}  // namespace vmcheck::run
