#pragma once
// One step on the concrete machine: what xv6 has in sysproc.c, sysfile.c, proc.c and trap.c. Test-only.

#include "spec/testing/concrete_machine.h"
#include "spec/testing/concrete_user_memory.h"

#include <span>
#include <string_view>

namespace vmcheck::spec::testing {

class Syscalls {
  public:
    using Process = ConcreteMachine::Process;

    Syscalls(ConcreteMachine& machine, ProcId actor);

    Outcome operator()(Fork const& fork);
    Outcome operator()(Exit const& exit);
    Outcome operator()(Wait const& wait);
    Outcome operator()(Kill const& kill);
    Outcome operator()(Sbrk const& sbrk);
    Outcome operator()(Load const& load);
    Outcome operator()(Store const& store);
    Outcome operator()(Touch const& touch);
    Outcome operator()(PipeWrite const& write);
    Outcome operator()(PipeRead const& read);
    Outcome operator()(FileRead const& read);
    Outcome operator()(Fstat const& fstat);
    Outcome operator()(Pipe const& pipe);
    Outcome operator()(Open const& open);
    Outcome operator()(Exec const& exec);
    Outcome operator()(SetSp const& set_sp);
    Outcome operator()(Fetch const& fetch);
    Outcome operator()(Yield const& yield);

  private:
    void reap(Process& zombie);  // frees its memory and its slot
    // How far a kernel copy came, and what stopped it.
    struct Copied {
        std::size_t bytes = 0;
        Served end = Served::yes;
    };

    Process& self() { return machine_.state_.processes.at(actor_); }
    VirtAddr resolve(Address address);
    // The process ends as by exit(status); p0's end is the kernel's.
    Outcome end_self(std::int32_t status);
    void end(ProcId id, std::int32_t status);
    // A user access that could not be served.
    Outcome fatal(Served why, Want want);
    void make_ready(VirtAddr at, std::size_t bytes, Want want);
    Copied copy_out(VirtAddr to, std::span<std::byte const> bytes) { return copy_out(self(), to, bytes); }
    Copied copy_out(Process& process, VirtAddr to, std::span<std::byte const> bytes);
    // Appends what is there, up to a zero where that is asked for; `bytes` is all of it.
    Copied copy_in(VirtAddr from, std::size_t bytes, bool is_string, std::vector<std::byte>& to);
    // exec's arguments, and where they go: down from the end of the stack.
    Copied arguments(Exec const& exec, std::vector<std::vector<std::byte>>& strings);
    Copied push(Process& process, std::vector<std::vector<std::byte>> const& strings, VirtAddr stack);
    // The call's result after a copy that may have stopped early.
    Outcome result_of(Copied const& copied, std::size_t wanted, std::uint64_t on_success, bool counts);

    ConcreteMachine& machine_;
    ProcId actor_;
    UserMemory memory_;
};

}  // namespace vmcheck::spec::testing
