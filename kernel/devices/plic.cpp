#include "devices/plic.h"

#include "riscv/csr.h"
#include "riscv/layout.h"

namespace kernel {
namespace {

uint32_t volatile& at(uint64_t offset) {
    return *pointer_to<uint32_t volatile>(kPlic + offset);
}

// Each hart of `virt` has two contexts, machine and supervisor; ours is the second.
uint64_t context() {
    return 2 * hart_number() + 1;
}

uint32_t volatile& priority(uint32_t interrupt) {
    return at(UINT64_C(4) * interrupt);
}
uint32_t volatile& enabled() {
    return at(0x2000 + 0x80 * context());
}
uint32_t volatile& threshold() {
    return at(0x200000 + 0x1000 * context());
}
uint32_t volatile& claim() {
    return at(0x200004 + 0x1000 * context());
}

}  // namespace

void initialize_plic() {
    priority(kVirtioDiskInterrupt) = 1;
    priority(kUartInterrupt) = 1;
    enabled() = 1u << kVirtioDiskInterrupt | 1u << kUartInterrupt;
    threshold() = 0;
}

uint32_t plic_claim() {
    return claim();
}

void plic_complete(uint32_t interrupt) {
    claim() = interrupt;
}

}  // namespace kernel
