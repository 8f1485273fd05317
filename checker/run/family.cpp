#include "checker/run/family.h"

#include <algorithm>
#include <array>

namespace vmcheck::run {

namespace {

// What a kernel says when it took an exception itself: these messages are the same for every cause. The first is
// kerneltrap's in xv6, the second the reference kernel's.
constexpr std::array<std::string_view, 2> kSaysNothing{"kerneltrap", "trap in the kernel"};

}  // namespace

std::string_view to_string(Way way) {
    switch (way) {
        case Way::fault:
            return "a user access";
        case Way::copyin:
            return "copyin";
        case Way::copyout:
            return "copyout";
        case Way::copyinstr:
            return "copyinstr";
        case Way::fork:
            return "fork";
        case Way::exec:
            return "exec";
        case Way::sbrk:
            return "sbrk";
        case Way::end:
            return "the end of a process";
        case Way::none:
            return "";
    }
    return "";
}

Way way_of(spec::Action const& action) {
    struct {
        Way operator()(spec::Fork const&) const { return Way::fork; }
        Way operator()(spec::Exit const&) const { return Way::end; }
        Way operator()(spec::Wait const& wait) const { return wait.status ? Way::copyout : Way::end; }
        Way operator()(spec::Kill const&) const { return Way::end; }
        Way operator()(spec::Sbrk const&) const { return Way::sbrk; }
        Way operator()(spec::Load const&) const { return Way::fault; }
        Way operator()(spec::Store const&) const { return Way::fault; }
        Way operator()(spec::Touch const&) const { return Way::fault; }
        Way operator()(spec::PipeWrite const&) const { return Way::copyin; }
        Way operator()(spec::PipeRead const&) const { return Way::copyout; }
        Way operator()(spec::FileRead const&) const { return Way::copyout; }
        Way operator()(spec::Fstat const&) const { return Way::copyout; }
        Way operator()(spec::Pipe const&) const { return Way::copyout; }
        Way operator()(spec::Open const&) const { return Way::copyinstr; }
        Way operator()(spec::Exec const&) const { return Way::exec; }
        Way operator()(spec::SetSp const&) const { return Way::none; }
        Way operator()(spec::Fetch const&) const { return Way::fault; }
    } way;
    return std::visit(way, action);
}

Family family_of(Run const& run) {
    Divergence const& divergence = *run.divergence;
    Way const way = way_of(run.program.steps.at(divergence.at.value).action);
    if (divergence.panic.empty()) return {divergence.signature.invariant, way, {}, divergence.advice};
    // A panic for want of memory (I10) is the panic all the same.
    bool const says_nothing =
        std::find(kSaysNothing.begin(), kSaysNothing.end(), divergence.panic) != kSaysNothing.end();
    return {spec::Invariant::liveness, says_nothing ? way : Way::none, divergence.panic, false};
}

}  // namespace vmcheck::run
