#pragma once
// Addresses that cannot be mixed up. A physical address becomes a pointer by pointer_to<T>(), because the kernel maps
// all of physical memory at its own addresses; a virtual address never does: user memory is reached through
// AddressSpace, which translates and checks it.

#include <stddef.h>
#include <stdint.h>

namespace kernel {

inline constexpr uint64_t kPageBytes = 4096;

// A byte address of one space. Zero is "none": neither space has anything of use to hand out there.
template <class Space>
struct Address {
    uint64_t value = 0;

    constexpr Address() = default;
    constexpr explicit Address(uint64_t v) : value(v) {}
    constexpr explicit operator bool() const { return value != 0; }

    constexpr Address page() const { return Address{value & ~(kPageBytes - 1)}; }
    constexpr Address page_above() const { return Address{(value + kPageBytes - 1) & ~(kPageBytes - 1)}; }
    constexpr uint64_t page_offset() const { return value & (kPageBytes - 1); }

    constexpr Address operator+(uint64_t bytes) const { return Address{value + bytes}; }
    constexpr Address operator-(uint64_t bytes) const { return Address{value - bytes}; }
    constexpr uint64_t operator-(Address other) const { return value - other.value; }
    constexpr Address& operator+=(uint64_t bytes) { return value += bytes, *this; }

    friend constexpr bool operator==(Address a, Address b) { return a.value == b.value; }
    friend constexpr bool operator<(Address a, Address b) { return a.value < b.value; }
    friend constexpr bool operator<=(Address a, Address b) { return a.value <= b.value; }
    friend constexpr bool operator>(Address a, Address b) { return a.value > b.value; }
    friend constexpr bool operator>=(Address a, Address b) { return a.value >= b.value; }
};

struct PhysicalSpace;
struct VirtualSpace;
using PhysAddr = Address<PhysicalSpace>;
using VirtAddr = Address<VirtualSpace>;

template <class T>
T* pointer_to(PhysAddr address) {
    return reinterpret_cast<T*>(address.value);
}

inline PhysAddr address_of(void const* pointer) {
    return PhysAddr{reinterpret_cast<uint64_t>(pointer)};
}

}  // namespace kernel
