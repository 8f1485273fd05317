#pragma once
// One Unicorn engine, in the modes that the board uses it in. No header that includes Unicorn's is included by one of
// another directory.
//
// Unicorn lets the host reach a CSR only when the guest's present privilege could, and otherwise fails without saying
// so. So every CSR access here happens with the PRIV pseudo register set to M-mode, by a CsrWindow.

#include "impl/board/types.h"
#include "impl/board/unicorn_functions.h"
#include "spec/address.h"

#include <tl/expected.hpp>
#include <unicorn/unicorn.h>

#include <memory>
#include <type_traits>

namespace vmcheck::board {

class Engine {
  public:
    // A registers-and-CSRs image. May be restored in any engine of this process: Unicorn copies plain bytes.
    // Not in it: the floating-point exception flags (fflags), and Unicorn's TLB.
    class Context {
      public:
        Context(Context const&) = delete;
        Context& operator=(Context const&) = delete;
        ~Context() { uc_context_free(context_); }

      private:
        friend class Engine;
        explicit Context(uc_context* context) : context_(context) {}
        uc_context* context_;
    };

    // An RV64GC engine with the software TLB of UC_TLB_VIRTUAL and no exit address. Fails with Unicorn's reason.
    static tl::expected<Engine, Error> open();

    uc_engine* handle() const { return handle_.get(); }

    // By the architecture's number, 0 to 31. x0 reads as 0 and ignores writes.
    std::uint64_t read_general(unsigned number) const {
        if (CpuState const state = internals_->state; state.is_known()) return state.general(number);
        return read_raw(UC_RISCV_REG_X0 + static_cast<int>(number));
    }
    void write_general(unsigned number, std::uint64_t value) {
        if (number != 0) write_raw(UC_RISCV_REG_X0 + static_cast<int>(number), value);
    }
    std::uint64_t read_floating(unsigned number) const { return read_raw(UC_RISCV_REG_F0 + static_cast<int>(number)); }
    VirtAddr pc() const { return VirtAddr{read_raw(UC_RISCV_REG_PC)}; }
    // From within a TLB-fill hook for a load or a store, where pc() is not up to date.
    VirtAddr pc_in_fill() const;
    // From within a hook, this also makes the engine leave the present block at once and go on at `pc`.
    void set_pc(VirtAddr pc) { write_raw(UC_RISCV_REG_PC, pc.value); }
    Privilege privilege() const {
        CpuState const state = internals_->state;
        return static_cast<Privilege>(state.is_known() ? state.privilege() : read_raw(UC_RISCV_REG_PRIV));
    }
    void set_privilege(Privilege to) { write_raw(UC_RISCV_REG_PRIV, static_cast<std::uint64_t>(to)); }

    // At any privilege.
    std::uint64_t satp() const {
        CpuState const state = internals_->state;
        return state.is_known() ? state.satp() : read(Register::satp);
    }

    // By Unicorn's number. For CSRs requires: privilege() is machine, or high enough for that CSR.
    std::uint64_t read_raw(int unicorn_register) const {
        std::uint64_t value = 0;
        uc_reg_read(handle(), unicorn_register, &value);
        return value;
    }
    void write_raw(int unicorn_register, std::uint64_t value) { uc_reg_write(handle(), unicorn_register, &value); }

    // REQUIRES: privilege() is machine. Unicorn flushes its TLB where that changes what accesses may do.
    void write_mstatus(std::uint64_t value) {
        internals_->note_new_mstatus(value);
        write_raw(UC_RISCV_REG_MSTATUS, value);
    }

    std::uint64_t read(Register which) const;
    void write(Register which, std::uint64_t value);

    // Has `function` called with `user`. Not for UC_HOOK_BLOCK; of UC_HOOK_CODE: at every instruction.
    template <class Function>
    uc_err add_hook(int kind, Function* function, void* user) {
        if constexpr (std::is_same_v<Function, CodeHooks::Function>) internals_->hooks.add_everywhere(function, user);
        return tell_unicorn(kind, reinterpret_cast<void*>(function), user, 1, 0);  // by an empty range, everywhere
    }
    // Before each block. REQUIRES: there is none yet; and last of all, the function leaves the block if it is_to_leave.
    uc_err add_block_hook(CodeHooks::Function* function, void* user) {
        internals_->block_hook = reinterpret_cast<void*>(function);
        return tell_unicorn(UC_HOOK_BLOCK, reinterpret_cast<void*>(function), user, 1, 0);
    }
    // The hook itself has asked for it, or an interrupt became due in the block before.
    bool is_to_leave() const { return *internals_->is_to_leave < 0; }
    VMCHECK_IS_JUMPED_OVER void leave_block() { vmcheck::board::leave_block(handle()); }
    // Before the instruction at one address. Blocks that are translated already pass it by.
    uc_err add_address_hook(VirtAddr at, CodeHooks::Function* function, void* user) {
        internals_->hooks.add_at(at, function, user);
        return tell_unicorn(UC_HOOK_CODE, reinterpret_cast<void*>(function), user, at.value, at.value);
    }

    // Runs from the present pc until a hook stops it, wfi is executed, or an exception that Unicorn hands to its
    // caller.
    uc_err start();
    // From within a hook: start() returns before the next instruction.
    void stop() {
        internals_->hooks.stop();
        uc_emu_stop(handle());
    }

    void flush_tlb() {
        RunningHere const here{*internals_};
        uc_ctl_flush_tlb(handle());
    }
    // Drops all translated code.
    void flush_code() {
        internals_->blocks.clear();
        uc_ctl_flush_tb(handle());
    }

    std::shared_ptr<Context const> save() const;
    // The caller must flush the TLB afterwards: Unicorn does not.
    void restore(Context const& context) { uc_context_restore(handle(), context.context_); }

  private:
    struct Close {
        void operator()(uc_engine* engine) const { uc_close(engine); }
    };
    explicit Engine(uc_engine* engine) : handle_(engine) { internals_->engine = engine; }
    // Unicorn takes every hook's function as a void pointer.
    uc_err tell_unicorn(int kind, void* function, void* user, std::uint64_t from, std::uint64_t to) {
        uc_hook hook = 0;
        return uc_hook_add(handle(), &hook, kind, function, user, from, to);
    }
    std::unique_ptr<uc_engine, Close> handle_;
    std::unique_ptr<Internals> internals_ = std::make_unique<Internals>();
};

// While it lives, CSRs can be reached. Nests.
class CsrWindow {
  public:
    explicit CsrWindow(Engine& engine) : engine_(engine), before_(engine.privilege()) {
        if (before_ != Privilege::machine) engine_.set_privilege(Privilege::machine);
    }
    CsrWindow(CsrWindow const&) = delete;
    CsrWindow& operator=(CsrWindow const&) = delete;
    ~CsrWindow() {
        if (before_ != Privilege::machine) engine_.set_privilege(before_);
    }

  private:
    Engine& engine_;
    Privilege before_;
};

}  // namespace vmcheck::board
