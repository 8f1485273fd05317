#pragma once
// Strong types for the numbers that must never be mixed up: virtual and physical addresses, page and frame numbers.
//
// Sv39 geometry is from the RISC-V Instruction Set Manual, Volume II (Privileged), "Sv39: Page-Based 39-bit
// Virtual-Memory System": 4 KiB pages, three levels of 512 eight-byte entries.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>

namespace vmcheck {

inline constexpr std::uint64_t kPageBytes = 4096;
// The same, for offsets and amounts of sbrk, which have a sign.
inline constexpr auto kPage = static_cast<std::int64_t>(kPageBytes);
inline constexpr unsigned kPageShift = 12;

namespace detail {

// An integer with a meaning. Ordered, hashable, and convertible only by naming it.
template <class Tag>
struct Number {
    std::uint64_t value = 0;

    constexpr Number() = default;
    constexpr explicit Number(std::uint64_t v) : value(v) {}
    friend constexpr auto operator<=>(Number, Number) = default;
};

}  // namespace detail

// A virtual page number: a virtual address without its low 12 bits.
struct Vpn : detail::Number<Vpn> {
    using Number::Number;
    constexpr Vpn operator+(std::uint64_t pages) const { return Vpn{value + pages}; }
};

// A frame number: a physical address without its low 12 bits (the PPN of a leaf PTE).
struct FrameNo : detail::Number<FrameNo> {
    using Number::Number;
};

// A guest-virtual address, in bytes. Arithmetic wraps modulo 2^64, as on the hart.
struct VirtAddr : detail::Number<VirtAddr> {
    using Number::Number;
    constexpr Vpn page() const { return Vpn{value >> kPageShift}; }
    constexpr std::uint64_t offset() const { return value & (kPageBytes - 1); }
    constexpr VirtAddr operator+(std::uint64_t bytes) const { return VirtAddr{value + bytes}; }
    constexpr VirtAddr operator-(std::uint64_t bytes) const { return VirtAddr{value - bytes}; }
};

// A guest-physical address, in bytes.
struct PhysAddr : detail::Number<PhysAddr> {
    using Number::Number;
    constexpr FrameNo frame() const { return FrameNo{value >> kPageShift}; }
    constexpr std::uint64_t offset() const { return value & (kPageBytes - 1); }
    constexpr PhysAddr operator+(std::uint64_t bytes) const { return PhysAddr{value + bytes}; }
    constexpr PhysAddr operator-(std::uint64_t bytes) const { return PhysAddr{value - bytes}; }
};

constexpr VirtAddr start_of(Vpn page) {
    return VirtAddr{page.value << kPageShift};
}
constexpr PhysAddr start_of(FrameNo frame) {
    return PhysAddr{frame.value << kPageShift};
}

// The first page boundary at or above `address`; 0 where that wraps past 2^64.
constexpr VirtAddr round_up_to_page(VirtAddr address) {
    return VirtAddr{(address.value + kPageBytes - 1) & ~(kPageBytes - 1)};
}

}  // namespace vmcheck

template <class T>
requires std::is_base_of_v<vmcheck::detail::Number<T>, T>
struct std::hash<T> {
    std::size_t operator()(T number) const noexcept { return std::hash<std::uint64_t>{}(number.value); }
};
