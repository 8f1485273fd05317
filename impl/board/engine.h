#pragma once
// One Unicorn engine, in the modes that the board uses it in. The only header here that includes Unicorn's, together
// with nothing outside impl/board.
//
// Unicorn lets the host reach a CSR only when the guest's present privilege could, and otherwise fails without saying
// so. So every CSR access here happens with the PRIV pseudo register set to M-mode, by a CsrWindow.

#include "impl/board/types.h"
#include "spec/address.h"

#include <tl/expected.hpp>
#include <unicorn/unicorn.h>

#include <memory>

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

    std::uint64_t read_general(unsigned number) const;
    void write_general(unsigned number, std::uint64_t value);
    VirtAddr pc() const;
    // From within a hook, this also makes the engine leave the present block at once and go on at `pc`.
    void set_pc(VirtAddr pc);
    Privilege privilege() const;
    void set_privilege(Privilege privilege);

    // By Unicorn's number. For CSRs requires: privilege() is machine, or high enough for that CSR.
    std::uint64_t read_raw(int unicorn_register) const;
    void write_raw(int unicorn_register, std::uint64_t value);

    std::uint64_t read(Register which) const;
    void write(Register which, std::uint64_t value);
    // By the architecture's number, floating-point registers only: 0 to 31.
    std::uint64_t read_floating(unsigned number) const;

    // Runs from the present pc until a hook stops it, wfi is executed, or an exception that Unicorn hands to its
    // caller.
    uc_err start();
    // From within a hook: start() returns before the next instruction.
    void stop();

    void flush_tlb();
    // Drops all translated code.
    void flush_code();

    std::shared_ptr<Context const> save() const;
    // The caller must flush the TLB afterwards: Unicorn does not.
    void restore(Context const& context);

  private:
    struct Close {
        void operator()(uc_engine* engine) const { uc_close(engine); }
    };
    explicit Engine(uc_engine* engine) : handle_(engine) {}
    std::unique_ptr<uc_engine, Close> handle_;
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
