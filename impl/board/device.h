#pragma once
// What a memory-mapped device is to the board.

#include "impl/board/types.h"
#include "spec/address.h"

#include <cstdint>

namespace vmcheck::board {

// The part of a 64-bit register that an access of `size` bytes at its byte `at` sees. REQUIRES: at < 8.
constexpr std::uint64_t part_of(std::uint64_t whole, std::uint64_t at, unsigned size) {
    std::uint64_t const shifted = whole >> (8 * at);
    return size >= 8 ? shifted : shifted & ((std::uint64_t{1} << (8 * size)) - 1);
}

class Device {
  public:
    virtual ~Device() = default;
    // `offset` from the start of the device's range, `size` 1, 2, 4 or 8 bytes.
    virtual std::uint64_t read(std::uint64_t offset, unsigned size) = 0;
    virtual void write(std::uint64_t offset, unsigned size, std::uint64_t value) = 0;
};

// Where devices put their interrupt requests: the PLIC's inputs.
class InterruptLines {
  public:
    virtual void set_line(unsigned source, bool level) = 0;

  protected:
    ~InterruptLines() = default;
};

// The memory map of QEMU's `virt` machine (hw/riscv/virt.c), as far as this board has it.
struct DeviceRange {
    PhysAddr start;
    std::uint64_t bytes;
    constexpr bool contains(PhysAddr address) const { return address >= start && address.value - start.value < bytes; }
};
inline constexpr DeviceRange kClintRange{PhysAddr{0x0200'0000}, 0x10000};
inline constexpr DeviceRange kPlicRange{PhysAddr{0x0c00'0000}, 0x60'0000};
inline constexpr DeviceRange kUartRange{PhysAddr{0x1000'0000}, 0x1000};
inline constexpr DeviceRange kDiskRange{PhysAddr{0x1000'1000}, 0x1000};

// The PLIC sources of the devices (hw/riscv/virt.c: VIRTIO_IRQ, UART0_IRQ).
inline constexpr unsigned kDiskSource = 1;
inline constexpr unsigned kUartSource = 10;

}  // namespace vmcheck::board
