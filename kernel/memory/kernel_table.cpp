#include "memory/kernel_table.h"

#include "base/panic.h"
#include "memory/page_table.h"
#include "process/kernel_stacks.h"
#include "riscv/csr.h"
#include "riscv/layout.h"

namespace kernel {
namespace {

constinit PageTable table;

void map(VirtAddr at, PhysAddr from, uint64_t bytes, Rights rights) {
    for (uint64_t offset = 0; offset < bytes; offset += kPageBytes) {
        PageTableEntry* const entry = table.find_or_create(at + offset);
        if (entry == nullptr) panic("kernel table: out of memory");
        *entry = PageTableEntry::leaf(from + offset, rights);
    }
}

void map_in_place(PhysAddr from, PhysAddr to, Rights rights) {
    map(VirtAddr{from.value}, from, to - from, rights);
}

}  // namespace

void initialize_kernel_table() {
    table = PageTable::create();
    if (!table) panic("kernel table: out of memory");

    map_in_place(kPlic, kPlic + kPlicBytes, kReadable | kWritable);
    map_in_place(kUart, kUart + kPageBytes, kReadable | kWritable);
    map_in_place(kVirtioDisk, kVirtioDisk + kPageBytes, kReadable | kWritable);

    PhysAddr const text_end = address_of(kernel_text_end);
    PhysAddr const constants_end = address_of(kernel_rodata_end);
    map_in_place(kRamStart, text_end, kReadable | kExecutable);
    map_in_place(text_end, constants_end, kReadable);
    map_in_place(constants_end, kRamEnd, kReadable | kWritable);
    map(kTrampoline, address_of(trampoline_start), kPageBytes, kReadable | kExecutable);

    for (size_t i = 0; i < kProcessesMax; i++)
        *table.find(VirtAddr{address_of(kernel_stacks[i].guard).value}) = PageTableEntry{};
}

void enter_kernel_table() {
    KERNEL_CSR_WRITE("satp", kernel_satp());
    flush_translations();
}

uint64_t kernel_satp() {
    return kSatpSv39 | table.root().value / kPageBytes;
}

}  // namespace kernel
