#include "spec/testing/concrete_user_memory.h"

#include <algorithm>

namespace vmcheck::spec::testing {

namespace {

Vpn pages_up_to(std::uint64_t size) {
    return round_up_to_page(VirtAddr{size}).page();
}

bool permits(Rights rights, Want want) {
    if (!rights.user) return false;
    return want == Want::read ? rights.read : want == Want::write ? rights.write : rights.execute;
}

}  // namespace

bool UserMemory::create(Process& process) {
    auto const trapframe = frames_.allocate();
    if (!trapframe) return false;
    auto table = PageTable::create(frames_);
    if (!table) {
        frames_.drop(*trapframe);
        return false;
    }
    process.table = std::move(*table);
    process.trapframe = *trapframe;
    Layout const& layout = setting_.layout;
    Pte const trampoline{frames_.trampoline(), Rights{true, false, true, false}, false};
    Pte const registers{*trapframe, Rights{true, true, false, false}, false};
    if (process.table.map(frames_, layout.trampoline.page(), trampoline) &&
        process.table.map(frames_, layout.trapframe.page(), registers))
        return true;
    process.table.unmap(layout.trampoline.page());
    process.table.release(frames_);
    frames_.drop(*trapframe);
    return false;
}

bool UserMemory::load_image(Process& process, bool first_process) {
    Layout const& layout = setting_.layout_of(process.program);
    Vpn const stack = (layout.stack - 1).page();
    for (ImagePage const& page : layout.image) {
        if (!page.mapped) continue;
        auto const frame = frames_.allocate();
        if (!frame) return false;
        bool const arguments = first_process && page.page == stack && setting_.traits.first_stack;
        Contents const& contents = arguments ? setting_.traits.first_stack : page.contents;
        frames_.bytes(*frame) = contents ? *contents : PageBytes{};
        if (!process.table.map(frames_, page.page, Pte{*frame, page.rights, false})) {
            frames_.drop(*frame);
            return false;
        }
    }
    process.size = layout.heap.value;
    return true;
}

bool UserMemory::share(Process& child, Vpn page, Pte& parents) {
    if (parents.rights.write) {
        parents.copy_on_write = true;
        if (defect_ != PlantedDefect::parent_keeps_write) parents.rights.write = false;
    }
    Pte childs = parents;
    childs.rights.write = false;
    if (defect_ == PlantedDefect::guard_opened) childs.rights.user = true;
    if (!child.table.map(frames_, page, childs)) return false;
    if (defect_ != PlantedDefect::count_not_raised) frames_.add_reference(parents.frame);
    return true;
}

bool UserMemory::duplicate(Process& child, Vpn page, Pte const& parents) {
    auto const frame = frames_.allocate();
    if (!frame) return false;
    frames_.bytes(*frame) = frames_.bytes(parents.frame);
    Pte childs{*frame, parents.rights, parents.copy_on_write};
    if (defect_ == PlantedDefect::guard_opened) childs.rights.user = true;
    if (child.table.map(frames_, page, childs)) return true;
    frames_.drop(*frame);
    return false;
}

bool UserMemory::copy(Process& parent, Process& child) {
    bool const shares = setting_.profile.fork == ForkPolicy::cow && defect_ != PlantedDefect::fork_copies;
    auto const pages = parent.table.leaves();
    for (auto const& [page, pte] : pages) {
        if (page >= setting_.layout.trapframe.page()) continue;
        bool const mapped = shares && page < setting_.layout.top.page()
                                ? share(child, page, *parent.table.find(page))
                                : duplicate(child, page, *parent.table.find(page));
        if (!mapped) return false;
    }
    child.size = parent.size;
    child.program = parent.program;
    return true;
}

void UserMemory::release(Process& process) {
    auto const pages = process.table.leaves();
    for (auto const& [page, pte] : pages) {
        if (page != setting_.layout.trampoline.page()) frames_.drop(pte.frame);
        process.table.unmap(page);
    }
    if (defect_ == PlantedDefect::trapframe_freed_twice) frames_.put_on_free_list(process.trapframe);
    if (defect_ == PlantedDefect::root_leaked)
        process.table.release_all_but_root(frames_);
    else
        process.table.release(frames_);
}

bool UserMemory::map_zero_page(Process& process, Vpn page) {
    auto const frame = frames_.allocate();
    if (!frame) return false;
    if (defect_ != PlantedDefect::uncleared_page) frames_.bytes(*frame) = PageBytes{};
    if (process.table.map(frames_, page, Pte{*frame, setting_.layout.heap_rights, false})) return true;
    frames_.drop(*frame);
    return false;
}

bool UserMemory::grow(Process& process, std::uint64_t size) {
    Vpn const first = pages_up_to(process.size);
    for (Vpn page = first; page < pages_up_to(size); page = page + 1) {
        if (map_zero_page(process, page)) continue;
        for (Vpn mapped = first; mapped < page; mapped = mapped + 1) {
            frames_.drop(process.table.find(mapped)->frame);
            process.table.unmap(mapped);
        }
        return false;
    }
    return true;
}

void UserMemory::shrink(Process& process, std::uint64_t size) {
    auto const pages = process.table.leaves();
    for (auto it = pages.lower_bound(pages_up_to(size)); it != pages.end(); ++it) {
        if (it->first >= setting_.layout.top.page()) break;
        frames_.drop(it->second.frame);
        process.table.unmap(it->first);
    }
}

bool UserMemory::lies_below_break(Process const& process, VirtAddr at, bool by_user) const {
    if (defect_ == PlantedDefect::break_off_by_one)
        return at.page() <= pages_up_to(process.size) && at.page() < setting_.layout.top.page();
    // As in xv6: the fault handler compares the address, copyin and copyout have rounded it down before.
    if (by_user && !manners_.break_counts_in_pages) return at.value < process.size;
    return at.page() < pages_up_to(process.size);
}

Served UserMemory::serve_reserved(Process& process, VirtAddr at, Want want, bool by_user) {
    bool const lazy = setting_.profile.sbrk == SbrkPolicy::lazy || setting_.traits.sbrk_takes_mode;
    if (!lazy || want == Want::execute || !lies_below_break(process, at, by_user)) return Served::bad_address;
    if (defect_ == PlantedDefect::copyin_refuses_reserved && !by_user && want == Want::read) return Served::bad_address;
    return map_zero_page(process, at.page()) ? Served::yes : Served::no_memory;
}

Served UserMemory::serve_store(Pte& pte) {
    if (frames_.references(pte.frame) > 1 || manners_.sole_owner_copies) {
        auto const frame = frames_.allocate();
        if (!frame) return Served::no_memory;
        frames_.bytes(*frame) = defect_ == PlantedDefect::stale_cow_copy ? PageBytes{} : frames_.bytes(pte.frame);
        if (defect_ == PlantedDefect::freed_while_shared) {
            frames_.set_references(pte.frame, 0);
            frames_.put_on_free_list(pte.frame);
        } else {
            frames_.drop(pte.frame);
        }
        pte.frame = *frame;
        if (defect_ == PlantedDefect::heap_becomes_executable) pte.rights.execute = true;
    }
    pte.rights.write = true;
    pte.copy_on_write = false;
    return Served::yes;
}

Served UserMemory::reach(Process& process, VirtAddr at, Want want, bool by_user) {
    if (at >= setting_.layout.maxva) return Served::bad_address;
    bool const above_break = at.value >= process.size;
    if (above_break && !by_user && manners_.copies_end_at_the_break) return Served::bad_address;
    Pte* const pte = process.table.find(at.page());
    if (!pte) return serve_reserved(process, at, want, by_user);
    if (permits(pte->rights, want)) return Served::yes;
    if (want != Want::write || !pte->rights.user) return Served::bad_address;
    if (above_break && by_user && manners_.stores_end_at_the_break) return Served::bad_address;
    if (above_break && !by_user && defect_ == PlantedDefect::copyout_shares_above_break) return Served::yes;
    if (pte->copy_on_write || defect_ == PlantedDefect::text_becomes_writable) return serve_store(*pte);
    if (!by_user && defect_ == PlantedDefect::copyout_ignores_rights) return Served::yes;
    return Served::bad_address;
}

std::byte& UserMemory::byte_at(Process& process, VirtAddr at) {
    return frames_.bytes(process.table.find(at.page())->frame)[at.offset()];
}

}  // namespace vmcheck::spec::testing
