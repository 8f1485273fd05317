#pragma once
// The concrete machine's user memory: what xv6 has in vm.c. Test-only; knows nothing of World.

#include "spec/testing/concrete_machine.h"

namespace vmcheck::spec::testing {

enum class Want : std::uint8_t { read, write, execute };
enum class Served : std::uint8_t { yes, bad_address, no_memory };

class UserMemory {
  public:
    using Process = ConcreteMachine::Process;

    UserMemory(Setting const& setting, PlantedDefect defect, Manners const& manners, Frames& frames)
        : setting_(setting), defect_(defect), manners_(manners), frames_(frames) {}

    // An address space with trapframe and trampoline only. False, with nothing held, when memory is out.
    bool create(Process& process);
    // The image of the process's program. False when memory is out; what was mapped stays for release().
    bool load_image(Process& process, bool first_process);
    // Gives the child what the parent has, by the profile. False when memory is out; as load_image().
    bool copy(Process& parent, Process& child);
    // Drops everything, page tables included.
    void release(Process& process);

    // Maps zero pages up to `size`. False, with nothing mapped, when memory is out.
    bool grow(Process& process, std::uint64_t size);
    // Unmaps what lies wholly above `size`.
    void shrink(Process& process, std::uint64_t size);

    // Makes one byte accessible, as the hart and the page-fault handler do together (by_user), or as copyin and
    // copyout do.
    Served reach(Process& process, VirtAddr at, Want want, bool by_user);
    // REQUIRES: reach() said yes.
    std::byte& byte_at(Process& process, VirtAddr at);

  private:
    bool map_zero_page(Process& process, Vpn page);
    bool lies_below_break(Process const& process, VirtAddr at, bool by_user) const;
    Served serve_reserved(Process& process, VirtAddr at, Want want, bool by_user);
    Served serve_store(Pte& pte);
    bool share(Process& child, Vpn page, Pte& parents);
    bool duplicate(Process& child, Vpn page, Pte const& parents);

    Setting const& setting_;
    PlantedDefect defect_;
    Manners const& manners_;
    Frames& frames_;
};

}  // namespace vmcheck::spec::testing
