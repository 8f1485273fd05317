#pragma once
// What the conductor tells an agent to do, and the numbers that it takes. What becomes of an order is a
// spec::Completion: what the agent brings to its next hypercall, why it does not come, or what the machine has died of.

#include "impl/abi/agent_abi.h"
#include "spec/observation.h"

#include <tl/expected.hpp>

#include <array>
#include <cstdint>
#include <optional>

namespace vmcheck {

// One of VMCHECK_ORDER_... with its registers.
struct Order {
    std::uint64_t kind = 0;
    std::uint64_t a7 = 0;                      // the system call's number
    std::array<std::uint64_t, 3> arguments{};  // a0, a1, a2
};

// Done, or what the machine has died of.
using Done = tl::expected<void, spec::Completion>;

// What a system call returned; nothing where it failed or did not return.
inline std::optional<std::uint64_t> success(spec::Completion const& result) {
    auto const* returned = std::get_if<spec::Returned>(&result);
    if (returned == nullptr || static_cast<std::int64_t>(returned->value) < 0) return std::nullopt;
    return returned->value;
}

// Which number this kernel has for each system call of xv6-riscv's numbering.
struct SyscallNumbers {
    static constexpr std::size_t kMost = 22;
    std::array<std::uint64_t, kMost> here{};

    constexpr SyscallNumbers() {
        for (std::size_t i = 0; i < kMost; ++i) here[i] = i;
    }
    std::uint64_t of(std::uint64_t number) const { return number < kMost ? here[number] : number; }
};

// xv6-riscv's numbers (kernel/syscall.h; the same in every vintage; sleep is called pause in 2025), as far as steps
// need them.
namespace syscalls {

inline constexpr std::uint64_t kFork = 1, kExit = 2, kWait = 3, kPipe = 4, kRead = 5, kKill = 6, kExec = 7, kFstat = 8,
                               kGetpid = 11, kSbrk = 12, kSleep = 13, kOpen = 15, kWrite = 16, kClose = 21;

// The second argument of sbrk in the 2025 tree (user/user.h); other kernels ignore it.
inline constexpr std::uint64_t kSbrkEager = 1, kSbrkLazy = 2;

inline constexpr std::uint64_t kReadOnly = 0;  // O_RDONLY (kernel/fcntl.h)

}  // namespace syscalls
}  // namespace vmcheck
