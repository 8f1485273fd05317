#pragma once
// What the conductor tells an agent to do, and what may become of it.

#include "impl/abi/agent_abi.h"
#include "spec/observation.h"

#include <array>
#include <cstdint>
#include <variant>

namespace vmcheck {

// What an agent is told to do: one of VMCHECK_ORDER_... with its registers.
struct Order {
    std::uint64_t kind = 0;
    std::uint64_t a7 = 0;                      // the system call's number
    std::array<std::uint64_t, 3> arguments{};  // a0, a1, a2
};

// What the machine does that is no answer to an order.
using Mishap = std::variant<spec::Panicked, spec::Stuck, spec::Lost>;

// What became of an order.
struct Answered {
    std::uint64_t value = 0;  // a0 at the next hypercall
};
struct StartedAfresh {};  // the actor asks as a fresh agent: its image was replaced
struct Vanished {};       // it does not ask any more and does not sleep
struct Asleep {};         // it sleeps in the kernel
using Answer = std::variant<Answered, StartedAfresh, Vanished, Asleep, Mishap>;

}  // namespace vmcheck
