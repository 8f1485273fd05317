#include "spec/rules/reach.h"

#include "spec/rules/path_rules.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

// What may be done with a page: surely, at most, or not at all.
enum class Grant : std::uint8_t { no, perhaps, yes };

struct Request {
    Access access;
    bool by_kernel = false;
    bool is_path = false;
};

Grant granted(Page const& page, Request request, Traits const& traits) {
    if (!page.rights.user) return Grant::no;
    switch (request.access) {
        case Access::none:
            return Grant::no;
        case Access::read:
            if (!page.rights.read) return Grant::no;
            if (request.is_path && traits.copyinstr_skips_reserved && page.presence != Presence::present)
                return Grant::perhaps;
            return Grant::yes;
        case Access::write:
            if (page.rights.write) return Grant::yes;
            return request.by_kernel && traits.copyout_ignores_write_right ? Grant::perhaps : Grant::no;
        case Access::execute:
            return page.rights.execute ? Grant::yes : Grant::no;
    }
    return Grant::no;
}

Reach reach(World const& world, ProcId id, VirtAddr at, std::size_t bytes, Request request) {
    VirtAddr const brk = world.find(id)->space->brk;
    Reach result;
    bool sure = true;
    while (result.possible < bytes) {
        VirtAddr const from = at + result.possible;
        auto const page = world.page_at(id, from.page());
        Grant const grant = page ? granted(*page, request, world.setting().traits) : Grant::no;
        if (grant == Grant::no) break;
        sure = sure && grant == Grant::yes;
        std::size_t const here = std::min<std::size_t>(bytes - result.possible, kPageBytes - from.offset());
        bool const break_matters =
            from.page() == brk.page() && (request.by_kernel || page->presence != Presence::present);
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
    return reach(world, id, at, bytes, {access});
}

Reach copy_reach(World const& world, ProcId id, VirtAddr at, std::size_t bytes, Access access) {
    return reach(world, id, at, bytes, {access, true});
}

Reach path_reach(World const& world, ProcId id, VirtAddr at) {
    return reach(world, id, at, kPathBytesMax, {Access::read, true, true});
}

}  // namespace vmcheck::spec
