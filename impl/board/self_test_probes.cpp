#include "impl/board/self_test_probes.h"

#include "impl/board/assembler.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vmcheck::board::probes {
namespace {

constexpr std::uint64_t kCode = Probe::kCode;
constexpr std::uint64_t kData = Probe::kData;

Finding expect(bool holds, std::string seen) {
    return holds ? Finding{} : Finding{std::move(seen)};
}

}  // namespace

// --- exceptions ----------------------------------------------------------------------------------

Finding exception_pc(Probe& probe) {
    probe.run();
    if (probe.exception_pcs != std::vector<std::uint64_t>{kCode + 4 + 4}) {
        return fmt::format("after an ecall at {:#x} the hook saw pc {:#x}", kCode + 4,
                           probe.exception_pcs.empty() ? 0 : probe.exception_pcs[0]);
    }
    probe.put(kCode, {assembler::two_illegal_halves});
    probe.engine.flush_code();
    probe.exception_pcs.clear();
    probe.run();
    return expect(probe.exception_pcs == std::vector<std::uint64_t>{kCode + 4},
                  fmt::format("after an illegal instruction of two bytes at {:#x} the hook saw pc {:#x}", kCode,
                              probe.exception_pcs.empty() ? 0 : probe.exception_pcs[0]));
}

Finding ecall_number(Probe& probe) {
    for (Privilege const privilege : {Privilege::machine, Privilege::supervisor, Privilege::user}) {
        probe.engine.set_privilege(privilege);
        probe.exceptions.clear();
        probe.run();
        if (probe.exceptions != std::vector<std::uint32_t>{8}) {
            return fmt::format("from privilege {} it was {}", static_cast<int>(privilege),
                               probe.exceptions.empty() ? -1 : static_cast<int>(probe.exceptions[0]));
        }
    }
    return {};
}

Finding ebreak_ends_the_run(Probe& probe) {
    uc_err const error = probe.run();
    return expect(error != UC_ERR_OK && probe.exceptions.empty() && probe.engine.pc().value == kCode + 4,
                  fmt::format("uc_emu_start returned \"{}\" at pc {:#x}", uc_strerror(error), probe.engine.pc().value));
}

Finding exceptions_do_nothing(Probe& probe) {
    probe.engine.write(Register::mtvec, kCode + 0x100);
    probe.on_exception = [&probe] { probe.engine.stop(); };
    probe.run();
    return expect(probe.engine.read(Register::mcause) == 0 && probe.engine.privilege() == Privilege::machine &&
                      probe.engine.read(Register::mepc) == 0,
                  "mcause or mepc was changed");
}

Finding exception_hook_may_redirect(Probe& probe) {
    probe.put(kCode + 0x100, {assembler::li(kA0, 7), assembler::wfi});
    probe.on_exception = [&probe] { probe.engine.set_pc(VirtAddr{kCode + 0x100}); };
    uc_err const error = probe.run();
    return expect(error == UC_ERR_OK && probe.engine.read(Register::a0) == 7,
                  fmt::format("a0 is {} and the error \"{}\"", probe.engine.read(Register::a0), uc_strerror(error)));
}

// --- translation ---------------------------------------------------------------------------------

Finding refused_fill(Probe& probe) {
    probe.engine.write(Register::a1, kData + 0x123);
    probe.allow_fill = [](Probe::Fill const& fill) { return fill.page != kData; };
    uc_err const error = probe.run();
    if (error != UC_ERR_EXCEPTION) return fmt::format("uc_emu_start returned \"{}\"", uc_strerror(error));
    if (probe.fills_of(kData, UC_MEM_READ) != 1) return "the hook was not asked for the page once";
    return expect(probe.engine.pc().value == kCode + 4 && probe.engine.read(Register::a0) == 5,
                  fmt::format("pc is {:#x} and a0 {}", probe.engine.pc().value, probe.engine.read(Register::a0)));
}

Finding fill_tells_pc(Probe& probe) {
    probe.engine.write(Register::a1, kData);
    std::vector<std::uint64_t> pcs;
    probe.allow_fill = [&](Probe::Fill const& fill) {
        if (fill.page == kData) pcs.push_back(probe.engine.pc_in_fill().value);
        return true;
    };
    probe.run();
    return expect(pcs == std::vector{kCode + 4, kCode + 8}, fmt::format("pc {:#x}", fmt::join(pcs, ", ")));
}

Finding no_exit_lookup(Probe& probe) {
    probe.run();
    for (Probe::Fill const& fill : probe.fills) {
        if (fill.page != kCode || fill.type != UC_MEM_FETCH) return fmt::format("page {:#x} was asked for", fill.page);
    }
    return {};
}

Finding first_store_is_seen(Probe& probe) {
    probe.engine.write(Register::a1, kData);
    probe.run();
    return expect(probe.fills_of(kData, UC_MEM_READ) == 1 && probe.fills_of(kData, UC_MEM_WRITE) == 1,
                  fmt::format("the hook was asked {} times for reading and {} times for writing",
                              probe.fills_of(kData, UC_MEM_READ), probe.fills_of(kData, UC_MEM_WRITE)));
}

Finding context_keeps_the_tlb(Probe& probe) {
    probe.engine.write(Register::a1, kData);
    auto const context = probe.engine.save();
    probe.run();
    probe.engine.restore(*context);
    probe.engine.flush_tlb();
    probe.run();
    return expect(probe.fills_of(kData, UC_MEM_READ) == 2,
                  fmt::format("after a flush the page was asked for {} times", probe.fills_of(kData, UC_MEM_READ)));
}

// --- registers -----------------------------------------------------------------------------------

Finding privilege_register(Probe& probe) {
    for (Privilege const privilege : {Privilege::user, Privilege::supervisor, Privilege::machine}) {
        probe.engine.set_privilege(privilege);
        if (probe.engine.privilege() != privilege) return fmt::format("{} did not stay", static_cast<int>(privilege));
    }
    return {};
}

Finding csr_window(Probe& probe) {
    probe.engine.set_privilege(Privilege::user);
    probe.engine.write(Register::stvec, 0x1230);
    probe.engine.write(Register::medeleg, 0x100);
    return expect(probe.engine.read(Register::stvec) == 0x1230 && probe.engine.read(Register::medeleg) == 0x100 &&
                      probe.engine.privilege() == Privilege::user,
                  "a CSR that was written through M-mode did not keep its value");
}

Finding context_restores_csrs(Probe& probe) {
    probe.engine.write(Register::stvec, 0x1230);
    probe.engine.write(Register::a0, 77);
    probe.engine.set_privilege(Privilege::supervisor);
    auto const context = probe.engine.save();
    auto const other = Probe::with({assembler::wfi});
    if (context == nullptr || other == nullptr) return "no second engine or context could be made";
    other->engine.restore(*context);
    bool const moved = other->engine.read(Register::a0) == 77 && other->engine.read(Register::stvec) == 0x1230 &&
                       other->engine.privilege() == Privilege::supervisor;
    if (!moved) return "in another engine the registers came out differently";
    return expect(other->run() == UC_ERR_OK && other->engine.pc().value == kCode + 4, "that engine does not run");
}

// --- interrupts, waiting, CSRs -------------------------------------------------------------------

Finding wfi_returns(Probe& probe) {
    uc_err const error = probe.run();
    return expect(error == UC_ERR_OK && probe.engine.pc().value == kCode + 8,
                  fmt::format("uc_emu_start returned \"{}\" at pc {:#x}", uc_strerror(error), probe.engine.pc().value));
}

Finding native_interrupts(Probe& probe) {
    probe.put(kCode + 0x100, {assembler::wfi});
    for (unsigned const number : {1u, 5u, 9u}) {
        Engine& engine = probe.engine;
        engine.write(Register::stvec, kCode + 0x100);
        engine.write(Register::mideleg, 0x222);
        engine.write(Register::mie, 0x222);
        engine.write(Register::mip, std::uint64_t{1} << number);
        engine.set_privilege(Privilege::user);
        probe.run();
        std::uint64_t const expected = (std::uint64_t{1} << 63) | number;
        if (engine.read(Register::scause) != expected || engine.read(Register::sepc) != kCode ||
            engine.privilege() != Privilege::supervisor) {
            return fmt::format("interrupt {} gave scause {:#x}, sepc {:#x}", number, engine.read(Register::scause),
                               engine.read(Register::sepc));
        }
        engine.write(Register::mip, 0);
    }
    return {};
}

Finding interrupts_after_a_csr(Probe& probe) {
    probe.put(kCode + 0x100, {assembler::wfi});
    Engine& engine = probe.engine;
    engine.write(Register::stvec, kCode + 0x100);
    engine.write(Register::mideleg, 0x2);
    engine.write(Register::mie, 0x2);
    engine.write(Register::a1, 0x2);
    engine.set_privilege(Privilege::supervisor);
    for (bool const is_pending : {false, true}) {
        engine.write(Register::mip, is_pending ? 0x2 : 0);
        engine.write(Register::sstatus, 0);
        engine.write(Register::a0, 0);
        probe.run();
        std::uint64_t const end = is_pending ? kCode + 0x104 : kCode + 16;
        if (engine.pc().value != end || (engine.read(Register::a0) == 1) == is_pending ||
            (is_pending && engine.read(Register::sepc) != kCode + 8))
            return fmt::format("with {} pending it ended at {:#x}, sepc {:#x}", is_pending ? "one" : "none",
                               engine.pc().value, engine.read(Register::sepc));
    }
    return {};
}

Finding missing_csrs(Probe& probe) {
    probe.on_exception = [] {};
    uc_err const error = probe.run();
    return expect(error == UC_ERR_OK && probe.exceptions == std::vector<std::uint32_t>{2, 2, 2} &&
                      probe.engine.read(Register::a0) == 0,
                  fmt::format("{} illegal instructions were reported, and the run ended with \"{}\"",
                              probe.exceptions.size(), uc_strerror(error)));
}

Finding hart_number(Probe& probe) {
    probe.run();
    return expect(probe.engine.read(Register::a0) == 0, fmt::format("it is {}", probe.engine.read(Register::a0)));
}

Finding no_physical_protection(Probe& probe) {
    probe.engine.write(Register::a1, kData);
    probe.engine.set_privilege(Privilege::supervisor);
    uc_err const error = probe.run();
    return expect(error == UC_ERR_OK && probe.exceptions.empty(), "a load from S-mode was refused");
}

// --- translated code -----------------------------------------------------------------------------

Finding removed_code_is_translated_anew(Probe& probe) {
    probe.run();
    probe.put(kCode, {assembler::li(kA0, 2), assembler::wfi});
    probe.engine.flush_tlb();
    uc_ctl_remove_cache(probe.engine.handle(), kCode, kCode + kPageBytes);
    probe.run();
    return expect(probe.engine.read(Register::a0) == 2,
                  fmt::format("the old code ran: a0 is {}", probe.engine.read(Register::a0)));
}

// t1 holds the instruction to store at a1, in the page that is executed.
Finding guest_writes_to_code_are_seen(Probe& probe) {
    probe.grant_writes_on_reads = true;
    probe.put(kCode + 0x100, {assembler::li(kA0, 1), assembler::ret});
    probe.engine.write(Register::a1, kCode + 0x100);
    probe.engine.write(Register::x6, assembler::li(kA0, 2));
    uc_err const error = probe.run();
    return expect(error == UC_ERR_OK && probe.engine.read(Register::a0) == 2,
                  fmt::format("the old code ran: a0 is {}", probe.engine.read(Register::a0)));
}

Finding code_follows_its_page(Probe& probe) {
    constexpr std::uint64_t kCalled = Probe::kCode + 0x1000, kOne = kCalled + 0x1000, kTwo = kOne + 0x1000;
    probe.put(kOne, {assembler::li(kA0, 1), assembler::ret});
    probe.put(kTwo, {assembler::li(kA0, 2), assembler::ret});
    std::uint64_t place = kOne;
    probe.translate = [&](std::uint64_t page) { return page == kCalled ? place : page; };
    std::string got;
    auto const note = [&] { got += fmt::format("{}", probe.engine.read(Register::a0)); };
    // Before the flush in the program, and after it.
    probe.at(Probe::kCode + 4, [&] {
        note();
        place = place == kOne ? kTwo : kOne;
    });
    for (int i = 0; i < 3; ++i) {
        probe.engine.write(Register::a1, kCalled);
        probe.run();
        note();
        probe.engine.flush_tlb();
    }
    // Elsewhere and back, while it did not run.
    place = kTwo;
    probe.engine.flush_tlb();
    probe.run();
    note();
    // Unicorn flushes by itself, for the mode by whose rights M-mode may load is another (mstatus.MPP).
    place = kTwo;
    probe.engine.write_mstatus(probe.engine.read(Register::mstatus) ^ 0x1800);
    probe.run();
    note();
    return expect(got == "1221122121", fmt::format("the functions that were called are {}", got));
}

Finding block_hook_tells_size(Probe& probe) {
    probe.run();
    return expect(
        probe.blocks == std::vector<std::uint64_t>{kCode} && probe.block_bytes == std::vector<std::uint32_t>{12},
        fmt::format("it reported {} blocks, the first of {} bytes", probe.blocks.size(),
                    probe.block_bytes.empty() ? 0 : probe.block_bytes[0]));
}

Finding block_hook_may_stop(Probe& probe) {
    int rounds = 0;
    probe.on_block = [&] {
        if (++rounds == 10) probe.engine.stop();
    };
    uc_err const error = probe.run();
    return expect(
        error == UC_ERR_OK && rounds == 10 && probe.engine.pc().value == kCode,
        fmt::format("after {} rounds of a one-instruction loop pc was {:#x}", rounds, probe.engine.pc().value));
}

Finding block_hook_may_redirect(Probe& probe) {
    probe.put(kCode + 0x100, {assembler::li(kA0, 7), assembler::wfi});
    probe.on_block = [&] {
        if (probe.blocks.size() == 5) probe.engine.set_pc(VirtAddr{kCode + 0x100});
    };
    uc_err const error = probe.run();
    return expect(error == UC_ERR_OK && probe.engine.read(Register::a0) == 7, "the loop was not left");
}

Finding interrupt_from_block_hook(Probe& probe) {
    Engine& engine = probe.engine;
    probe.put(kCode + 0x100, {assembler::wfi});
    engine.write(Register::stvec, kCode + 0x100);
    engine.write(Register::mideleg, 0x222);
    engine.write(Register::mie, 0x222);
    engine.set_privilege(Privilege::user);
    probe.on_block = [&] {
        if (probe.blocks.size() != 5) return;
        engine.write(Register::mip, 1 << 5);
        engine.set_pc(VirtAddr{kCode});
    };
    uc_err const error = probe.run();
    return expect(
        error == UC_ERR_OK && engine.read(Register::sepc) == kCode && probe.blocks.size() == 6,
        fmt::format("it was taken after {} blocks at {:#x}", probe.blocks.size(), engine.read(Register::sepc)));
}

// After a store, since the engine asks whether to stop only where a block begins and after such hooks (engine.cpp).
Finding address_hook_comes_first(Probe& probe) {
    int calls = 0;
    probe.engine.write(Register::a1, kData);
    probe.at(kCode + 8, [&] {
        ++calls;
        probe.engine.stop();
    });
    uc_err const error = probe.run();
    return expect(
        error == UC_ERR_OK && calls == 1 && probe.engine.pc().value == kCode + 8 &&
            probe.engine.read(Register::a0) == 1,
        fmt::format("{} calls, pc {:#x}, a0 {}", calls, probe.engine.pc().value, probe.engine.read(Register::a0)));
}

}  // namespace vmcheck::board::probes
