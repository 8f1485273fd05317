#include "impl/board/code_hooks.h"

#include <algorithm>

namespace vmcheck::board {

void CodeHooks::add_at(VirtAddr address, Function* function, void* user) {
    at_.insert(std::ranges::upper_bound(at_, address.value, {}, &Hook::address), {address.value, function, user});
}

void CodeHooks::before_instruction(uc_engine* engine, std::uint64_t address, std::uint32_t bytes) const {
    auto hook = std::ranges::lower_bound(at_, address, {}, &Hook::address);
    for (; hook != at_.end() && hook->address == address && !stops_; ++hook)
        hook->function(engine, address, bytes, hook->user);
    for (Hook const& each : everywhere_)
        if (!stops_) each.function(engine, address, bytes, each.user);
}

}  // namespace vmcheck::board
