// The TLB-fill hook: every translation that the engine does not have yet comes through here.

#include "impl/board/machine.h"

namespace vmcheck::board {
namespace {

Access access_of(uc_mem_type type) {
    switch (type) {
        case UC_MEM_WRITE:
            return Access::store;
        case UC_MEM_FETCH:
            return Access::fetch;
        default:
            return Access::load;
    }
}

uc_prot protection(bool readable, bool writable, bool executable) {
    return static_cast<uc_prot>((readable ? UC_PROT_READ : 0) | (writable ? UC_PROT_WRITE : 0) |
                                (executable ? UC_PROT_EXEC : 0));
}

bool is_device(PhysAddr where) {
    return kUartRange.contains(where) || kDiskRange.contains(where) || kPlicRange.contains(where) ||
           kClintRange.contains(where);
}

}  // namespace

bool Hart::fill_hook(uc_engine*, std::uint64_t page, uc_mem_type type, uc_tlb_entry* result, void* user) {
    return static_cast<Hart*>(user)->fill(VirtAddr{page}, access_of(type), *result);
}

// satp and the effective privilege of this access. SUM and MXR are left out: see translate().
WalkRequest Hart::request_for(VirtAddr address, Access access) {
    WalkRequest request;
    request.address = address;
    request.access = access;
    request.privilege = engine_.privilege();
    if (request.privilege == Privilege::machine) {
        if (access == Access::fetch) return request;
        // With MPRV, M-mode loads and stores like the mode in MPP (privileged spec, "Memory Privilege").
        std::uint64_t const status = engine_.read_raw(UC_RISCV_REG_MSTATUS);
        if (!(status & mstatus::modify_privilege)) return request;
        request.privilege = static_cast<Privilege>((status & mstatus::machine_previous_privilege) >>
                                                   mstatus::machine_previous_privilege_shift);
    }
    request.satp = engine_.satp();
    return request;
}

tl::expected<Translation, PageFault> Hart::translate(VirtAddr address, Access access) {
    WalkRequest request = request_for(address, access);
    tl::expected<Translation, PageFault> leaf = walk_and_mark(machine_.memory, request);
    if (leaf || (leaf.error() != PageFault::privilege && leaf.error() != PageFault::permission)) return leaf;
    // Rare enough to read mstatus only now: the two bits can only turn these faults into permissions.
    std::uint64_t const status = engine_.read(Register::mstatus);
    request.supervisor_user_memory = (status & mstatus::supervisor_user_memory) != 0;
    request.make_executable_readable = (status & mstatus::make_executable_readable) != 0;
    if (!request.supervisor_user_memory && !request.make_executable_readable) return leaf;
    return walk_and_mark(machine_.memory, request);
}

bool Hart::fill(VirtAddr page, Access access, uc_tlb_entry& result) {
    ++machine_.counters.fills;
    charge_host_work(1);
    if (identity_fills_) {
        result.paddr = page.value;
        result.perms = UC_PROT_ALL;
        return true;
    }
    tl::expected<Translation, PageFault> const leaf = translate(page, access);
    if (!leaf) {
        fault_ = Fault{page, access, false};
        return false;
    }
    if (machine_.memory.contains(leaf->address.frame())) return fill_from_memory(*leaf, access, result);
    return fill_from_elsewhere(page, leaf->address, access, result);
}

// A TLB entry may grant more than this access needs, as long as nothing is missed by it: the first store to a clean
// frame, or since somebody looked, has to come here (dirty and written frames), the first store through a clean PTE too
// (its D bit), and so has the first fetch since the host has rewritten the frame (translated code).
bool Hart::fill_from_memory(Translation const& leaf, Access access, uc_tlb_entry& result) {
    Memory& memory = machine_.memory;
    FrameNo const frame = leaf.address.frame();
    memory.write_out(frame);
    if (access == Access::fetch && !code_.may_fetch(frame)) {
        rewritten_frame_ = frame;
        return false;
    }
    if (access == Access::store) {
        if (memory.has_code(frame)) memory.tell_other_listeners(frame, code_);
        // Of an sc that is the first to store there, always or never: whether one fails must not depend on who looked.
        if (!memory.is_dirty(frame)) end_reservation();
    }
    bool const no_dirty_bit_needed = leaf.pte == 0 || (leaf.pte & pte::dirty);
    bool const writable = access == Access::store || (leaf.writable && no_dirty_bit_needed &&
                                                      memory.may_be_opened(frame) && !memory.has_code(frame));
    if (writable) memory.open_to_guest(frame);
    bool const executable = access == Access::fetch || (leaf.executable && code_.is_known_good(frame));
    result.paddr = start_of(frame).value;
    result.perms = protection(leaf.readable, writable, executable);
    return true;
}

bool Hart::fill_from_elsewhere(VirtAddr page, PhysAddr where, Access access, uc_tlb_entry& result) {
    if (access == Access::fetch) {
        fault_ = Fault{page, access, true};
        return false;
    }
    PhysAddr const device_page = start_of(where.frame());
    if (is_device(device_page)) {
        result.paddr = device_page.value;
    } else {
        ++machine_.counters.void_accesses;
        machine_.reports.add(VoidAccess{device_page, access, engine_.pc_in_fill(), index_});
        result.paddr = kNothingPage.value;
    }
    result.perms = protection(true, true, false);
    return true;
}

}  // namespace vmcheck::board
