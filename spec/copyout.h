#pragma once
// The kernel's copy to user memory, as the rules see it: which results a range allows, and what may then have been
// written. Internal to spec/.
//
//     Copyout copyout{asked, to, data.size()};
//     if (value == kFailed && copyout.limits().may_fail()) { copyout.add_failed(data, 0); return copyout.finish(); }

#include "spec/judgement.h"
#include "spec/reach.h"
#include "spec/transition.h"

#include <cstddef>
#include <vector>

namespace vmcheck::spec {

// Which ends a copy to a range can have.
class CopyLimits {
  public:
    // A copy of `bytes` bytes to `to`; none when `bytes` is 0, whatever the address.
    CopyLimits(Asked const& asked, VirtAddr to, std::size_t bytes);

    // A bad byte may stop it, or want of memory.
    bool may_fail() const { return bytes_ > 0 && (reach_.sure < bytes_ || short_); }
    bool may_succeed() const { return reach_.possible >= bytes_; }
    // How many leading bytes can at most have been written.
    std::size_t possible() const { return reach_.possible; }

  private:
    std::size_t bytes_;
    Reach reach_;
    bool short_;
};

class Copyout {
  public:
    Copyout(Asked const& asked, VirtAddr to, std::size_t bytes);

    CopyLimits const& limits() const { return limits_; }

    // Adds one thing that may have happened. All of `data` was copied, but for bytes that may be `anything`...
    void add_complete(std::vector<std::byte> data, std::vector<bool> anything = {},
                      std::vector<std::vector<std::byte>> pipe_after = {});
    // ...or the copy failed after `prefix_min` bytes or more. Kernels copy by the byte, by the page or by the buffer,
    // and test the range before or on the way: any prefix up to the first bad byte is right.
    void add_failed(std::vector<std::byte> data, std::size_t prefix_min,
                    std::vector<std::vector<std::byte>> pipe_after = {}, std::vector<bool> anything = {});

    // Something was added.
    bool possible_at_all() const { return !copies_.empty(); }
    Transition& transition() { return next_; }
    // The state that follows. REQUIRES: something was added.
    World finish();

  private:
    Asked const& asked_;
    VirtAddr to_;
    CopyLimits limits_;
    bool failed_ = false;
    std::vector<OpenCopy> copies_;
    Transition next_;
};

// Little-endian, as the kernel copies it out.
std::vector<std::byte> bytes_of(std::int32_t value);

}  // namespace vmcheck::spec
