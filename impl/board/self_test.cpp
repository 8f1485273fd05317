#include "impl/board/self_test.h"

#include "impl/board/assembler.h"
#include "impl/board/self_test_probes.h"

#include <fmt/core.h>

namespace vmcheck::board {
namespace {

using probes::Finding;

struct SelfTest {
    char const* name;
    char const* relies_on;
    Finding (*probe)(Probe&);
    std::vector<std::uint32_t> program;
};

std::vector<SelfTest> all_self_tests() {
    using namespace assembler;
    using namespace probes;
    return {
        {"exception pc",
         "In UC_HOOK_INTR the pc is 4 more than the faulting instruction's, whatever that one's length.",
         exception_pc,
         {li(kA0, 0), ecall}},
        {"ecall number", "An ecall is exception 8 from every privilege.", ecall_number, {ecall}},
        {"ebreak",
         "An ebreak makes uc_emu_start return an error with the pc at the ebreak, and calls no hook.",
         ebreak_ends_the_run,
         {li(kA0, 0), ebreak}},
        {"exceptions are left to the board",
         "An exception changes no CSR and no privilege by itself.",
         exceptions_do_nothing,
         {ecall}},
        {"redirecting from the exception hook",
         "Writing the pc in UC_HOOK_INTR makes execution go on there.",
         exception_hook_may_redirect,
         {ecall}},
        {"refused translation",
         "Refusing a TLB fill ends uc_emu_start with UC_ERR_EXCEPTION, the pc at the instruction, registers up to "
         "date.",
         refused_fill,
         {li(kA0, 5), ld(kA0, kA1), wfi}},
        {"pc in a fill",
         "In the TLB hook the pc can be found out, although Unicorn does not yet know it.",
         fill_tells_pc,
         {li(kA0, 1), ld(kA0, kA1), sd(kA0, kA1), wfi}},
        {"no exit address",
         "With an empty list of exits nothing but the code's own page is looked up.",
         no_exit_lookup,
         {wfi}},
        {"first store to a page",
         "A page that was granted for reading only is asked for again at its first store.",
         first_store_is_seen,
         {ld(kA0, kA1), sd(kA0, kA1), sd(kA0, kA1), wfi}},
        {"flushing after a restore",
         "After uc_ctl_flush_tlb every page is asked for again.",
         context_keeps_the_tlb,
         {ld(kA0, kA1), wfi}},
        {"privilege register", "UC_RISCV_REG_PRIV reads and writes the present privilege.", privilege_register, {wfi}},
        {"CSRs through M-mode",
         "With the privilege set to M-mode, every CSR can be read and written.",
         csr_window,
         {wfi}},
        {"contexts",
         "A context holds general registers, CSRs and the privilege, and may be restored in another engine.",
         context_restores_csrs,
         {wfi}},
        {"wfi", "A wfi makes uc_emu_start return UC_ERR_OK with the pc after it.", wfi_returns, {li(kA0, 0), wfi}},
        {"S-mode interrupts",
         "SSIP, STIP and SEIP, once set in mip, are delivered by Unicorn before the next instruction.",
         native_interrupts,
         {loop}},
        {"interrupts that an instruction lets in",
         "An interrupt that is pending is taken right after the instruction that sets sstatus.SIE.",
         interrupts_after_a_csr,
         {csrr(kA0, 0x100), csrw(0x100, kA1), li(kA0, 1), wfi}},
        {"CSRs that are missing",
         "time, stimecmp and menvcfg are illegal instructions, and execution goes on after them when the hook returns.",
         missing_csrs,
         {csrr(kA0, 0xc01), csrw(0x14d, kA0), csrw(0x30a, kA0), wfi}},
        {"mhartid", "mhartid reads as 0.", hart_number, {li(kA0, 9), csrr(kA0, 0xf14), wfi}},
        {"no PMP",
         "Memory is accessible from S-mode although no PMP entry was set.",
         no_physical_protection,
         {ld(kA0, kA1), wfi}},
        {"dropping translated code",
         "After uc_ctl_remove_cache, code that the host has rewritten is translated anew.",
         removed_code_is_translated_anew,
         {li(kA0, 1), wfi}},
        {"self-modifying code",
         "Code that the guest itself rewrites is translated anew.",
         guest_writes_to_code_are_seen,
         {jalr(1, kA1), sw(6, kA1), fence_i, jalr(1, kA1), wfi}},
        {"code whose page moves",
         "After a flush, the guest's own too, code is executed from where its page is then.",
         code_follows_its_page,
         {jalr(1, kA1), sfence_vma, jalr(1, kA1), wfi}},
        {"block sizes",
         "The block hook is called before each block, with its size in bytes.",
         block_hook_tells_size,
         {li(kA0, 1), li(kA0, 2), wfi}},
        {"stopping from the block hook",
         "uc_emu_stop in the block hook ends even a one-instruction loop, before the block.",
         block_hook_may_stop,
         {loop}},
        {"redirecting from the block hook",
         "Writing the pc in the block hook leaves even a one-instruction loop.",
         block_hook_may_redirect,
         {loop}},
        {"interrupting from the block hook",
         "An interrupt that is set in mip in the block hook, followed by writing the pc, is taken before the block.",
         interrupt_from_block_hook,
         {loop}},
        {"hooks at an address",
         "A code hook for one address is called before that instruction, which uc_emu_stop prevents.",
         address_hook_comes_first,
         {li(kA0, 1), sd(kA0, kA1), li(kA0, 2), wfi}},
    };
}

SelfTestResult check_version() {
    // A byte each of major, minor and patch number, and one more.
    unsigned const version = uc_version(nullptr, nullptr);
    std::string const seen =
        fmt::format("it is {}.{}.{}", version >> 24, (version >> 16) & 0xff, (version >> 8) & 0xff);
    bool const recent = version >= (UC_MAKE_VERSION(2u, 1u) | (2u << 8));
    return {"version", "Unicorn is 2.1.2 or later.", recent, recent ? std::string{} : seen};
}

}  // namespace

std::vector<SelfTestResult> run_self_tests() {
    std::vector<SelfTestResult> results{check_version()};
    for (SelfTest const& test : all_self_tests()) {
        std::unique_ptr<Probe> const probe = Probe::with(test.program);
        Finding const finding = probe ? test.probe(*probe) : Finding{"Unicorn could not make an engine"};
        results.push_back({test.name, test.relies_on, !finding, finding.value_or("")});
    }
    return results;
}

}  // namespace vmcheck::board
