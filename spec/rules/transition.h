#pragma once
// The only place that changes a World: a successor under construction, in the vocabulary of the rules. Internal to
// spec/; advance.h and settle() are what others use.
//
//     Transition next{world};
//     next.write(actor, at, bytes);
//     return std::move(next).finish();

#include "spec/world.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace vmcheck::spec {

class Transition {
  public:
    // Starts from a copy of `world`; what its last step left open counts as decided.
    explicit Transition(World world);
    // p0 alone, in a fresh image.
    static World boot(std::shared_ptr<Setting const> setting);

    World finish() &&;

    // ---- processes ----
    // A new process, its memory like the parent's by the profile's fork policy.
    void spawn(ProcId parent, ProcId child, std::uint64_t pid);
    // The process becomes a zombie and p0 inherits its children; when p0 itself ends, everything does.
    void end(ProcId id, std::int32_t status);
    void reap(ProcId id);
    // A zombie that may have been reaped, or the news that it was not.
    void set_perhaps_reaped(ProcId id, bool perhaps);
    // A fresh image, as after exec without arguments.
    void replace_image(ProcId id, Executable program);

    // ---- memory ----
    // Moves the break. Pages wholly above it vanish; when it grows, `eager` maps zero pages up to it.
    void set_break(ProcId id, VirtAddr brk, bool eager);
    // The pages of a range that a completed access leaves mapped; a written page is no longer promised to be shared.
    void touch(ProcId id, VirtAddr at, std::size_t bytes, bool writes, Presence afterwards = Presence::present);
    // The pages of a range where the access may or may not have come: what was reserved may be mapped now, and when
    // it `writes`, what was shared may be copied.
    void may_touch(ProcId id, VirtAddr at, std::size_t bytes, bool writes) {
        touch(id, at, bytes, writes, Presence::either);
    }
    // Contents only. REQUIRES: every byte has a page with contents.
    void write(ProcId id, VirtAddr at, std::span<std::byte const> bytes);

    // ---- the rest ----
    void set_pipe(std::vector<std::vector<std::byte>> possible_contents);
    void set_open_copies(std::vector<OpenCopy> copies);

  private:
    AddressSpace& space(ProcId id);  // this successor's own copy
    LogicalFrame fresh_frame();
    std::shared_ptr<AddressSpace> fresh_image(Executable program);

    World world_;
    std::map<ProcId, std::shared_ptr<AddressSpace>> own_spaces_;
};

}  // namespace vmcheck::spec
