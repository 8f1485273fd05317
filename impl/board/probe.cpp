#include "impl/board/probe.h"

namespace vmcheck::board {

std::unique_ptr<Probe> Probe::with(std::vector<std::uint32_t> const& program) {
    tl::expected<Engine, Error> engine = Engine::open();
    if (!engine) return nullptr;
    std::unique_ptr<Probe> probe{new Probe{std::move(*engine)}};
    if (!probe->install()) return nullptr;
    probe->put(kCode, program);
    probe->engine.set_privilege(Privilege::machine);
    return probe;
}

bool Probe::install() {
    return uc_mem_map_ptr(engine.handle(), kCode, kBytes, UC_PROT_ALL, memory.data()) == UC_ERR_OK &&
           engine.add_hook(UC_HOOK_TLB_FILL, fill_hook, this) == UC_ERR_OK &&
           engine.add_hook(UC_HOOK_INTR, exception_hook, this) == UC_ERR_OK &&
           engine.add_block_hook(block_hook, this) == UC_ERR_OK;
}

void Probe::at(std::uint64_t address, std::function<void()> function) {
    functions_.push_back(std::make_unique<std::function<void()>>(std::move(function)));
    engine.add_address_hook(VirtAddr{address}, address_hook, functions_.back().get());
}

bool Probe::fill_hook(uc_engine*, std::uint64_t page, uc_mem_type type, uc_tlb_entry* result, void* user) {
    auto& probe = *static_cast<Probe*>(user);
    Fill const fill{page, type};
    probe.fills.push_back(fill);
    if (!probe.allow_fill(fill)) return false;
    result->paddr = probe.translate(page);
    result->perms = type == UC_MEM_WRITE || probe.grant_writes_on_reads ? UC_PROT_ALL : UC_PROT_READ;
    if (type == UC_MEM_FETCH) result->perms = static_cast<uc_prot>(UC_PROT_READ | UC_PROT_EXEC);
    return true;
}

void Probe::exception_hook(uc_engine*, std::uint32_t number, void* user) {
    auto& probe = *static_cast<Probe*>(user);
    probe.exceptions.push_back(number);
    probe.exception_pcs.push_back(probe.engine.pc().value);
    // A program that traps for ever must not keep the doctor waiting.
    if (probe.exceptions.size() > 100) return probe.engine.stop();
    probe.on_exception();
}

void Probe::block_hook(uc_engine*, std::uint64_t address, std::uint32_t bytes, void* user) {
    auto& probe = *static_cast<Probe*>(user);
    probe.blocks.push_back(address);
    probe.block_bytes.push_back(bytes);
    // Unicorn may have another layout than is known here, and is_to_leave() say nothing: that is to be told, not waited
    // for.
    if (probe.blocks.size() > 1000) {
        probe.engine.stop();
        return probe.engine.leave_block();
    }
    probe.on_block();
    if (probe.engine.is_to_leave()) probe.engine.leave_block();
}

void Probe::address_hook(uc_engine*, std::uint64_t, std::uint32_t, void* user) {
    (*static_cast<std::function<void()>*>(user))();
}

}  // namespace vmcheck::board
