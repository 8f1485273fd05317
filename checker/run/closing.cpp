#include "checker/run/closing.h"

#include "spec/advance.h"

#include <vector>

namespace vmcheck::run {

std::optional<spec::Step> next_ending(spec::World const& world) {
    std::vector<spec::ProcId> const running = world.running();
    if (running.size() > 1) return spec::Step{running.back(), spec::Exit{0}, {}};
    if (!world.children(spec::kInit).empty()) return spec::Step{spec::kInit, spec::Wait{}, {}};
    return std::nullopt;
}

std::optional<spec::Step> heap_returned(spec::World const& world) {
    std::uint64_t const start = world.setting().layout.heap.value;
    std::uint64_t const brk = world.find(spec::kInit)->space->brk.value;
    // A heap that was shrunk below its start, or grown beyond what one sbrk can say, stays as it is.
    if (brk <= start || brk - start >= (std::uint64_t{1} << 31)) return std::nullopt;
    spec::Step shrink{spec::kInit, spec::Sbrk{static_cast<std::int64_t>(start - brk)}, {}};
    if (spec::why_not(world, shrink)) return std::nullopt;
    return shrink;
}

}  // namespace vmcheck::run
