#pragma once
// The single self tests: each runs its probe's program and compares. Which behaviour each stands for is said in
// self_test.cpp, where the programs are.

#include "impl/board/probe.h"

#include <optional>
#include <string>

namespace vmcheck::board::probes {

// What was seen that should not have been; nothing when all was well.
using Finding = std::optional<std::string>;

// In a0 and a1, programs keep a value and an address.
inline constexpr unsigned kA0 = 10;
inline constexpr unsigned kA1 = 11;

Finding exception_pc(Probe& probe);
Finding ecall_number(Probe& probe);
Finding ebreak_ends_the_run(Probe& probe);
Finding exceptions_do_nothing(Probe& probe);
Finding exception_hook_may_redirect(Probe& probe);
Finding refused_fill(Probe& probe);
Finding fill_tells_pc(Probe& probe);
Finding no_exit_lookup(Probe& probe);
Finding first_store_is_seen(Probe& probe);
Finding context_keeps_the_tlb(Probe& probe);
Finding privilege_register(Probe& probe);
Finding csr_window(Probe& probe);
Finding context_restores_csrs(Probe& probe);
Finding wfi_returns(Probe& probe);
Finding native_interrupts(Probe& probe);
Finding interrupts_after_a_csr(Probe& probe);
Finding missing_csrs(Probe& probe);
Finding hart_number(Probe& probe);
Finding no_physical_protection(Probe& probe);
Finding removed_code_is_translated_anew(Probe& probe);
Finding guest_writes_to_code_are_seen(Probe& probe);
Finding code_follows_its_page(Probe& probe);
Finding block_hook_tells_size(Probe& probe);
Finding block_hook_may_stop(Probe& probe);
Finding block_hook_may_redirect(Probe& probe);
Finding interrupt_from_block_hook(Probe& probe);
Finding address_hook_comes_first(Probe& probe);

}  // namespace vmcheck::board::probes
