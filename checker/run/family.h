#pragma once
// Which failures are one to a reader. A defect in copyout shows at fstat, at read and at wait; a panic in the code that
// frees memory shows at exit, at exec and at sbrk. Signatures tell such failures apart, which is right for shrinking
// and wrong for a report: a family holds those that go the same way through the kernel.

#include "checker/run/result.h"

#include <string>
#include <string_view>

namespace vmcheck::run {

// The way through the kernel by which a step meets memory; the names are xv6's where it has one.
enum class Way : std::uint8_t { fault, copyin, copyout, copyinstr, fork, exec, sbrk, end, none };
std::string_view to_string(Way way);  // "copyout", "a page fault", ...

// A wait with an address copies a status out; one without only frees the child.
Way way_of(spec::Action const& action);

struct Family {
    spec::Invariant invariant = spec::Invariant::contents;
    Way way = Way::none;
    std::string panic;  // its message says more than the way to it; empty where there is none
    bool advice = false;
    friend auto operator<=>(Family const&, Family const&) = default;
};
// REQUIRES: run.divergence.
Family family_of(Run const& run);

}  // namespace vmcheck::run
