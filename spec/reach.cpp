#include "spec/reach.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

bool permits(Rights rights, Access access) {
    if (!rights.user) return false;
    switch (access) {
        case Access::read:
            return rights.read;
        case Access::write:
            return rights.write;
        case Access::execute:
            return rights.execute;
    }
    return false;
}

Reach reach(World const& world, ProcId id, VirtAddr at, std::size_t bytes, Access access, bool by_kernel) {
    VirtAddr const brk = world.find(id)->space->brk;
    Reach result;
    bool sure = true;
    while (result.possible < bytes) {
        VirtAddr const from = at + result.possible;
        auto const page = world.page_at(id, from.page());
        if (!page || !permits(page->rights, access)) break;
        std::size_t const here = std::min<std::size_t>(bytes - result.possible, kPageBytes - from.offset());
        bool const break_matters = from.page() == brk.page() && (by_kernel || page->presence != Presence::present);
        if (sure && break_matters && from + here > brk) {
            result.sure += from < brk ? brk.value - from.value : 0;
            sure = false;
        }
        if (sure) result.sure += here;
        result.possible += here;
    }
    return result;
}

}  // namespace

Reach user_reach(World const& world, ProcId id, VirtAddr at, std::size_t bytes, Access access) {
    return reach(world, id, at, bytes, access, false);
}

Reach copy_reach(World const& world, ProcId id, VirtAddr at, std::size_t bytes, Access access) {
    return reach(world, id, at, bytes, access, true);
}

}  // namespace vmcheck::spec
