#pragma once
// The numbered invariants (design: I1...I10) and what it means to break one.

#include "spec/address.h"
#include "spec/program.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vmcheck::spec {

enum class Invariant : std::uint8_t {
    contents = 1,      // I1: every readable byte of every process is the model's
    rights = 2,        // I2: U, R, X of each user PTE are the logical ones; W only where logically writable; no others
    isolation = 3,     // I3: a frame that any user PTE may write has exactly one reference
    counts = 4,        // I4: the kernel's count of a frame = PTE references to it
    dangling = 5,      // I5: no mapped or page-table frame is on the free list; the list is sound
    conservation = 6,  // I6: free + reachable is constant; nothing leaks, failed calls included
    results = 7,       // I7: return values, exit statuses, who was killed
    laziness = 8,      // I8: each promise of the profile is kept: cow shares, lazy maps nothing until touched
    liveness = 9,      // I9: every step ends; the kernel never panics, hangs or faults in S-mode
    containment = 10,  // I10: a failed allocation fails that call or kills that process only
};
inline constexpr std::size_t kInvariants = 10;

std::string_view short_name(Invariant invariant);  // "I1"
std::string_view title(Invariant invariant);       // "contents"
std::string_view promise(Invariant invariant);     // the sentence beside each enumerator above

// One broken invariant, in words for a reader who knows the lab but not this tool.
struct Violation {
    Invariant invariant;
    std::optional<ProcId> process{};    // whose page or result, where it is one process's
    std::optional<VirtAddr> address{};  // which page or byte, where it is about memory
    std::string story;                  // one sentence: what is wrong
    std::string expected;               // what a correct kernel shows here
    std::string seen;                   // what this kernel showed
};

}  // namespace vmcheck::spec
