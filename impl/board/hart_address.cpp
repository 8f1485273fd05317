// What happens at particular addresses: breakpoints, calls that the host does for the guest, and reads of mhartid.

#include "impl/board/machine.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace vmcheck::board {
namespace {

// Below this, the guest's own loop is done sooner than the host has looked at the arguments.
constexpr std::uint64_t kAcceleratedBytesMin = 32;

// What an accelerated call costs in virtual time, so that budgets hold for it too.
constexpr std::uint64_t kBytesPerParcel = 8;

constexpr std::uint64_t kWordBytes = 8;

// What it costs to pass over a slot, or a word: less than the guest's own look, no less than the host's.
constexpr std::uint64_t kParcelsPerSlot = 16;
constexpr std::uint64_t kParcelsPerWord = 2;

bool stops(BreakpointEntry const& breakpoint, Memory const& memory) {
    if (breakpoint.armed != Armed::where_zero) return breakpoint.armed == Armed::always;
    return !breakpoint.words.empty() &&
           std::ranges::all_of(breakpoint.words, [&](PhysAddr word) { return memory.load<std::uint64_t>(word) == 0U; });
}

}  // namespace

void Hart::address_hook(uc_engine*, std::uint64_t address, std::uint32_t, void* user) {
    static_cast<Hart*>(user)->on_address(VirtAddr{address});
}

// Unicorn's mhartid is always 0. `csrr rd, mhartid` is found in the image and answered here.
void Hart::hart_number_hook(uc_engine*, std::uint64_t address, std::uint32_t, void* user) {
    Hart& hart = *static_cast<Hart*>(user);
    std::optional<std::uint32_t> const bits = hart.instruction_at(VirtAddr{address});
    if (!bits || (*bits & ~kReadHartNumberVaries) != kReadHartNumber) return;
    if (hart.engine_.privilege() != Privilege::machine) return;
    hart.engine_.write_general((*bits & kReadHartNumberVaries) >> 7, hart.index_.value);
    hart.engine_.set_pc(VirtAddr{address} + 4);
}

// Unicorn keeps its TLB over a write of satp that leaves the ASID alone; QEMU flushes its own (target/riscv/csr.c,
// write_satp). Called before the instruction, which itself needs no translation any more.
void Hart::satp_hook(uc_engine*, std::uint64_t, std::uint32_t, void* user) {
    static_cast<Hart*>(user)->flush_tlb();
}

// Of a single hart. Unicorn flushes its TLB next; where the fence is illegal, on_illegal_instruction() undoes this.
void Hart::fence_hook(uc_engine*, std::uint64_t address, std::uint32_t, void* user) {
    Hart& hart = *static_cast<Hart*>(user);
    VirtAddr const pc{address};
    // There may be other code by now.
    if (WatchedInstruction{hart.instruction_at(pc).value_or(0), pc}.fences()) hart.machine_.memory.close_to_guest();
}

// Of several harts. What the block has loaded may be old when it goes on.
void Hart::update_hook(uc_engine*, std::uint64_t address, std::uint32_t, void* user) {
    Hart& hart = *static_cast<Hart*>(user);
    if (hart.stop_ || hart.turn_over_) return;
    if (++hart.machine_.counters.blocks < hart.machine_.limits.slice_end) return;
    if (hart.machine_.reports.before_turn.is_on()) hart.machine_.reports.before_turn.end_before(VirtAddr{address});
    hart.end_turn(Pause::slice_over);
}

void Hart::scan_hook(uc_engine*, std::uint64_t address, std::uint32_t, void* user) {
    Hart& hart = *static_cast<Hart*>(user);
    Machine const& machine = hart.machine_;
    // A user program may have code of its own at that address.
    if (!machine.passes_over_idle() || hart.engine_.privilege() == Privilege::user) return;
    for (TableScan const& scan : machine.config.scans)
        if (scan.at == VirtAddr{address}) return hart.pass_over_slots(scan);
    for (WordScan const& scan : machine.config.word_scans)
        if (scan.at == VirtAddr{address}) return hart.pass_over_zeros(scan);
}

// The last of a row is left to the guest, which then goes on to what comes next by itself.
void Hart::pass_over_slots(TableScan const& scan) {
    std::uint64_t const from = engine_.read_general(scan.element) - scan.first.value;
    std::uint64_t const begin = from / scan.stride;
    if (from % scan.stride != 0 || begin >= scan.count) return;
    // To the end of the table, and no less: what the register holds is known only here.
    if (engine_.read_general(scan.end) != (scan.first + scan.count * scan.stride).value) return;
    auto const compared = static_cast<std::uint32_t>(engine_.read_general(scan.idle.compared));
    auto const is_idle = [&](std::uint64_t i) {
        PhysAddr const at = scan.first + i * scan.stride;
        if (machine_.memory.load<std::uint32_t>(at) != 0u) return false;
        auto const now = machine_.memory.load<std::uint32_t>(at + scan.state_offset);
        return now && (*now == compared) == scan.idle.if_equal;
    };
    std::uint64_t end = begin;
    while (end < scan.count && is_idle(end)) ++end;
    if (end < begin + 2) return;
    engine_.write_general(scan.element, scan.first.value + (end - 1) * scan.stride);
    machine_.counters.passed_over += end - 1 - begin;
    machine_.clock.parcels += (end - 1 - begin) * kParcelsPerSlot;
}

// Of one page at a time, and the last of a row is left to the guest here too.
void Hart::pass_over_zeros(WordScan const& scan) {
    VirtAddr const from{engine_.read_general(scan.element)}, last{engine_.read_general(scan.end)};
    if (from.value % kWordBytes != 0 || last.value % kWordBytes != 0 || last <= from) return;
    for (unsigned number = 1; number < scan.not_zero.size(); ++number)
        if (scan.not_zero[number] && engine_.read_general(number) == 0) return;
    std::uint64_t const most = std::min(last.value, start_of(from.page() + 1).value) - from.value;
    if (!is_plain_memory(from, most, Access::load)) return;
    std::span<std::byte const> const words = *machine_.memory.view(PhysAddr{from.value}, most);
    std::uint64_t zeros = 0;
    for (std::uint64_t word = 0; zeros < most / kWordBytes; ++zeros) {
        std::memcpy(&word, &words[zeros * kWordBytes], kWordBytes);
        if (word != 0) break;
    }
    if (zeros < 2) return;
    engine_.write_general(scan.element, from.value + (zeros - 1) * kWordBytes);
    machine_.counters.passed_over += zeros - 1;
    machine_.clock.parcels += (zeros - 1) * kParcelsPerWord;
}

// Of every instruction, where there is a debugger. It comes after those at particular addresses.
void Hart::instruction_hook(uc_engine*, std::uint64_t address, std::uint32_t, void* user) {
    Hart& hart = *static_cast<Hart*>(user);
    if (hart.stop_ || hart.turn_over_ || hart.machine_.watcher == nullptr) return;
    VirtAddr const pc{address};
    if (hart.machine_.watcher->stops_before(hart.index_, pc)) hart.stop(stop::Breakpoint{hart.index_, pc});
}

void Hart::on_address(VirtAddr pc) {
    // A user program may have code of its own at that address.
    if (stop_ || engine_.privilege() == Privilege::user) return;
    for (BreakpointEntry const& breakpoint : machine_.breakpoints) {
        if (breakpoint.address != pc) continue;
        bool const pass = std::exchange(state.pass_breakpoint, std::nullopt) == pc;
        if (!pass && stops(breakpoint, machine_.memory)) {
            state.pass_breakpoint = pc;
            return stop(stop::Breakpoint{index_, pc});
        }
    }
    if (accelerate(pc)) {
        ++machine_.counters.accelerated_calls;
        engine_.set_pc(VirtAddr{engine_.read_general(static_cast<unsigned>(Register::ra))});
    }
}

// Whether these bytes are RAM, at the same physical as virtual address, and may be accessed. Sets A and D bits on the
// way, as the guest's own accesses would.
bool Hart::is_plain_memory(VirtAddr address, std::uint64_t bytes, Access access) {
    if (!machine_.memory.contains(PhysAddr{address.value}, bytes)) return false;
    for (Vpn page = address.page(); start_of(page) < address + bytes; page = page + 1) {
        auto const leaf = translate(start_of(page), access);
        if (!leaf || leaf->address.value != start_of(page).value) return false;
    }
    return true;
}

// Calling convention: destination in a0, which is also the result; value or source in a1; size in a2.
bool Hart::accelerate(VirtAddr pc) {
    bool const is_set = pc == machine_.config.memset_at;
    bool const is_move = pc == machine_.config.memmove_at;
    bool const is_copy = pc == machine_.config.memcpy_at;
    if (!is_set && !is_move && !is_copy) return false;
    auto argument = [this](Register which) { return engine_.read_general(static_cast<unsigned>(which)); };
    VirtAddr const destination{argument(Register::a0)};
    std::uint64_t const source = argument(Register::a1);
    std::uint64_t const bytes = argument(Register::a2);
    // A size is 32 bits wide in some kernels and 64 in others; above 4 GiB, where they would differ, it is not RAM
    // anyway.
    if (bytes < kAcceleratedBytesMin || !is_plain_memory(destination, bytes, Access::store)) return false;
    if (!is_set && !is_plain_memory(VirtAddr{source}, bytes, Access::load)) return false;
    // Overlap is undefined for memcpy: what the guest's own does is what the checker wants to see.
    bool const overlaps = source < destination.value + bytes && destination.value < source + bytes;
    if (is_copy && overlaps) return false;

    auto const target = *machine_.memory.open_for_write(PhysAddr{destination.value}, bytes);
    if (is_set) {
        std::memset(target.data(), static_cast<int>(source & 0xff), bytes);
    } else {
        std::memmove(target.data(), machine_.memory.view(PhysAddr{source}, bytes)->data(), bytes);
    }
    machine_.clock.parcels += bytes / kBytesPerParcel;
    if (code_.flush_requested()) machine_.limits.attention = 0;
    return true;
}

}  // namespace vmcheck::board
