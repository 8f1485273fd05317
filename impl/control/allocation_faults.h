#pragma once
// What becomes of the kernel's allocations within a step: which of them is to fail, how many were made to, and who was
// the first that got nothing. A value, told of each allocation as it begins.

#include "spec/address.h"

#include <cstdint>
#include <optional>

namespace vmcheck {

class AllocationFaults {
  public:
    // A step begins; its n-th allocation (from 1) is to fail.
    void begin_step(std::optional<std::uint32_t> nth) {
        *this = {};
        until_failure_ = nth.value_or(0);
    }

    // The call at `caller` asks for a frame; `none_free`: as far as is known. Returns whether it is to get nothing.
    bool fails(VirtAddr caller, bool none_free) {
        if (none_free) dry_ = true;
        bool const fails_now = until_failure_ == 1;
        if ((dry_ || fails_now) && !refused_at_) refused_at_ = caller;
        if (until_failure_ != 0) --until_failure_;
        if (fails_now) ++failed_;
        return fails_now;
    }

    // How many were made to fail.
    std::uint32_t failed() const { return failed_; }
    // One began when no frame was free.
    bool dry() const { return dry_; }
    // The call of the first that got nothing, for either reason.
    std::optional<VirtAddr> refused_at() const { return refused_at_; }

  private:
    std::uint32_t until_failure_ = 0;  // 0: none is to fail
    std::uint32_t failed_ = 0;
    bool dry_ = false;
    std::optional<VirtAddr> refused_at_;
};

}  // namespace vmcheck
