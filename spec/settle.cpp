#include "spec/advance.h"
#include "spec/rules/transition.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

// What the machine's memory shows where the copy went. A page that is not mapped shows what was there before: it is
// reserved, and its zeros were not written.
std::optional<std::vector<std::byte>> seen_at(OpenCopy const& copy, Observation const& observation) {
    auto const process =
        std::find_if(observation.processes.begin(), observation.processes.end(),
                     [&](ObservedProcess const& each) { return each.id == copy.process && !each.zombie; });
    if (process == observation.processes.end() || !observation.memory) return std::nullopt;
    std::vector<std::byte> seen = copy.before;
    for (std::size_t done = 0; done < seen.size();) {
        VirtAddr const at = copy.to + done;
        std::size_t const here = std::min<std::size_t>(seen.size() - done, kPageBytes - at.offset());
        auto const page = std::find_if(process->pages.begin(), process->pages.end(),
                                       [&](ObservedPage const& each) { return each.page == at.page(); });
        if (page != process->pages.end() && page->in_ram) {
            auto const bytes = observation.memory->bytes(page->frame).subspan(at.offset(), here);
            std::copy(bytes.begin(), bytes.end(), seen.begin() + static_cast<std::ptrdiff_t>(done));
        }
        done += here;
    }
    return seen;
}

bool explains(OpenCopy const& copy, std::vector<std::byte> const& seen) {
    // The leading bytes that the copy can have written.
    std::size_t written = 0;
    while (written < seen.size() &&
           (seen[written] == copy.bytes[written] || (written < copy.anything.size() && copy.anything[written])))
        ++written;
    if (!copy.any_prefix) return written == seen.size();
    // The trailing bytes that are as before. Is there a prefix between the two?
    std::size_t untouched = seen.size();
    while (untouched > 0 && seen[untouched - 1] == copy.before[untouched - 1]) --untouched;
    return std::max(untouched, copy.prefix_min) <= written;
}

// A page that holds other bytes than before is mapped, and its own.
void keep_written(Transition& next, OpenCopy const& copy, std::vector<std::byte> const& seen) {
    for (std::size_t at = 0; at < seen.size(); ++at)
        if (seen[at] != copy.before[at]) next.touch(copy.process, copy.to + at, 1, true);
}

// A zombie that is there was not reaped. One that is not may have given up its page table early.
World without_doubts(World world, Observation const& observation) {
    std::vector<ProcId> there;
    for (ObservedProcess const& process : observation.processes) {
        Process const* known = world.find(process.id);
        if (process.zombie && known && known->perhaps_reaped) there.push_back(process.id);
    }
    if (there.empty()) return world;
    std::vector<OpenCopy> copies = world.open_copies();
    Transition next{std::move(world)};
    for (ProcId id : there) next.set_perhaps_reaped(id, false);
    next.set_open_copies(std::move(copies));
    return std::move(next).finish();
}

}  // namespace

World settle(World world, Observation const& observation) {
    world = without_doubts(std::move(world), observation);
    if (world.open_copies().empty()) return world;
    std::vector<OpenCopy> const copies = world.open_copies();
    Transition next{std::move(world)};
    auto const seen = seen_at(copies.front(), observation);
    if (!seen) return std::move(next).finish();
    bool explained = false;
    std::vector<std::vector<std::byte>> pipe;
    for (OpenCopy const& copy : copies) {
        if (!explains(copy, *seen)) continue;
        explained = true;
        pipe.insert(pipe.end(), copy.pipe_after.begin(), copy.pipe_after.end());
    }
    if (explained) {
        keep_written(next, copies.front(), *seen);
        next.write(copies.front().process, copies.front().to, *seen);
    } else {
        next.write(copies.front().process, copies.front().to, copies.front().bytes);
    }
    if (!pipe.empty()) next.set_pipe(std::move(pipe));
    return std::move(next).finish();
}

}  // namespace vmcheck::spec
