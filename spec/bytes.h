#pragma once
// Integers as RISC-V keeps them in memory: little-endian, the lowest byte first.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace vmcheck {

static_assert(std::endian::native == std::endian::little, "integers of the guest are copied as they are");

// REQUIRES: at most 8 bytes. The missing high ones are zero.
inline std::uint64_t load_little_endian(std::span<std::byte const> bytes) {
    std::uint64_t value = 0;
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
    return value;
}

// The low bytes of `value`, as many as there is room for. REQUIRES: at most 8.
inline void store_little_endian(std::span<std::byte> bytes, std::uint64_t value) {
    if (!bytes.empty()) std::memcpy(bytes.data(), &value, bytes.size());
}

// The same as bytes of their own. REQUIRES: at most 8.
inline std::vector<std::byte> little_endian(std::uint64_t value, std::size_t size) {
    std::vector<std::byte> bytes(size);
    store_little_endian(bytes, value);
    return bytes;
}

// What is left of a value that went through an int.
constexpr std::uint64_t as_int(std::uint64_t value) {
    return static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(value)});
}

}  // namespace vmcheck
