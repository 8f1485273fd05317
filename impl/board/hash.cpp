#include "impl/board/machine.h"

#include <xxhash.h>

#include <array>
#include <memory>
#include <span>

namespace vmcheck::board {
namespace {

struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

class Hasher {
  public:
    Hasher() : state_(XXH3_createState()) { XXH3_64bits_reset(state_.get()); }
    void add(std::span<std::byte const> bytes) { XXH3_64bits_update(state_.get(), bytes.data(), bytes.size()); }
    // Number by number rather than struct by struct: padding bytes have no value.
    void add(std::uint64_t number) { XXH3_64bits_update(state_.get(), &number, sizeof number); }
    std::uint64_t digest() const { return XXH3_64bits_digest(state_.get()); }

  private:
    std::unique_ptr<XXH3_state_t, FreeState> state_;
};

// What is late stays so.
void add_ram(Hasher& hasher, Memory const& memory) {
    for (std::size_t index = 0; index < memory.size() / kPageBytes; ++index) {
        std::array<std::byte, kPageBytes> page;
        if (memory.late().has(index)) memory.late().at(index).write_to(page);
        hasher.add(memory.late().has(index) ? std::span<std::byte const>(page)
                                            : memory.pages().subspan(index * kPageBytes, kPageBytes));
    }
}

void add_hart(Hasher& hasher, Hart const& hart) {
    for (unsigned which = 0; which < static_cast<unsigned>(Register::count_); ++which) {
        hasher.add(hart.read(static_cast<Register>(which)));
    }
    for (unsigned number = 0; number < 32; ++number) hasher.add(hart.engine().read_floating(number));
    hasher.add(hart.state.environment_configuration);
    hasher.add(hart.state.supervisor_timer_compare);
    hasher.add(hart.state.awaiting_reply);
}

void add_devices(Hasher& hasher, MachineState const& state) {
    hasher.add(state.clock.parcels);
    hasher.add(state.clock.time());
    for (std::uint64_t const compare : state.clint.timer_compare) hasher.add(compare);
    for (bool const pending : state.clint.software_interrupt) hasher.add(pending);
    for (std::uint32_t const priority : state.plic.priority) hasher.add(priority);
    for (std::uint32_t const enabled : state.plic.enabled) hasher.add(enabled);
    for (std::uint32_t const threshold : state.plic.threshold) hasher.add(threshold);
    hasher.add(state.plic.pending);
    hasher.add(state.plic.claimed);
    hasher.add(state.uart.interrupt_enable);
    hasher.add(state.uart.line_control);
    hasher.add(state.uart.fifo_control);
    hasher.add(state.uart.transmitter_empty_pending);
    hasher.add(std::as_bytes(std::span{state.uart.received}));
    hasher.add(state.block_device.status);
    hasher.add(state.block_device.interrupt_status);
    VirtioQueue::State const& queue = state.block_device.queue;
    for (std::uint64_t const number :
         {std::uint64_t{queue.size}, queue.descriptors.value, queue.available.value, queue.used.value,
          std::uint64_t{queue.next_available}, std::uint64_t{queue.next_used}}) {
        hasher.add(number);
    }
}

}  // namespace

std::uint64_t Board::hash() const {
    Machine const& machine = *machine_;
    Hasher hasher;
    add_ram(hasher, machine.memory);
    for (unsigned i = 0; i < machine.harts(); ++i) add_hart(hasher, machine.hart(HartIndex{i}));
    add_devices(hasher, machine.state());
    for (std::uint64_t sector = 0; sector < machine.disk.sectors(); ++sector) {
        hasher.add(machine.disk.read(sector));
    }
    return hasher.digest();
}

}  // namespace vmcheck::board
