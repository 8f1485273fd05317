#pragma once
// The Sv39 page-table format (privileged specification, "Sv39: Page-Based 39-bit Virtual-Memory System"):
//
//     virtual address   38      30 29      21 20      12 11            0
//                      [ index 2  | index 1  | index 0  | page offset  ]
//
//     table entry       63  54 53                   10 9   8 7 6 5 4 3 2 1 0
//                      [  0   | frame number          | RSW |D|A|G|U|X|W|R|V]
//
// An entry with any of R, W, X is a leaf; one with V alone points to the next table. Of the two bits that the
// hardware leaves to software (RSW), we use the lower: "copy on write".

#include "base/address.h"

namespace kernel {

inline constexpr uint64_t kTableEntries = 512;
inline constexpr unsigned kLevels = 3;

// A set of rights of a leaf, in the bit positions of the entry.
struct Rights {
    uint64_t bits = 0;

    constexpr bool has(Rights other) const { return (bits & other.bits) == other.bits; }
    constexpr Rights operator|(Rights other) const { return Rights{bits | other.bits}; }
    constexpr Rights without(Rights other) const { return Rights{bits & ~other.bits}; }
};

inline constexpr Rights kReadable{UINT64_C(1) << 1};
inline constexpr Rights kWritable{UINT64_C(1) << 2};
inline constexpr Rights kExecutable{UINT64_C(1) << 3};
inline constexpr Rights kUser{UINT64_C(1) << 4};
inline constexpr Rights kCopyOnWrite{UINT64_C(1)
                                     << 8};  // writable in the eyes of its process, once it has its own copy

class PageTableEntry {
  public:
    constexpr PageTableEntry() = default;

    // A leaf. A and D are set at once: hardware may fault where they are clear, and nothing here asks for them.
    static constexpr PageTableEntry leaf(PhysAddr frame, Rights rights) {
        return PageTableEntry{frame.value >> 12 << 10 | rights.bits | kAccessed | kDirty | kValid};
    }
    static constexpr PageTableEntry branch(PhysAddr table) { return PageTableEntry{table.value >> 12 << 10 | kValid}; }

    constexpr bool valid() const { return (bits_ & kValid) != 0; }
    constexpr PhysAddr frame() const { return PhysAddr{bits_ >> 10 << 12}; }
    constexpr Rights rights() const { return Rights{bits_ & kRights}; }

  private:
    constexpr explicit PageTableEntry(uint64_t bits) : bits_(bits) {}

    static constexpr uint64_t kValid = 1;
    static constexpr uint64_t kAccessed = UINT64_C(1) << 6;
    static constexpr uint64_t kDirty = UINT64_C(1) << 7;
    static constexpr uint64_t kRights = (kReadable | kWritable | kExecutable | kUser | kCopyOnWrite).bits;

    uint64_t bits_ = 0;
};
static_assert(sizeof(PageTableEntry) == 8);

// The bytes that one entry of a table at `level` covers: 4 KiB, 2 MiB, 1 GiB.
constexpr uint64_t span_of(unsigned level) {
    return kPageBytes << (9 * level);
}

// Which entry of a table at `level` covers `address`.
constexpr uint64_t index_in(unsigned level, VirtAddr address) {
    return (address.value / span_of(level)) % kTableEntries;
}

}  // namespace kernel
