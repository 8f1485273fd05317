#pragma once
// Probing: what a booted kernel is like, found by running small programs on it and looking.

#include "impl/control/kernel_execution.h"
#include "impl/map/kernel_map.h"
#include "impl/observe/kernel_tables.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck {

// More than any step of a probe uses.
inline constexpr std::uint64_t kPagesOfAProbe = 64;

// Where things lie in p0's fresh address space, and which rights they are to have.
// `seen`: the observation of p0 at the golden moment.
spec::Layout find_layout(spec::Observation const& seen, VirtAddr heap);

// What /large has beside what /init has. `all_rights`: the kernel maps an image read-write-execute. `at_first_touch`:
// its pages need not be there before.
std::vector<spec::ImagePage> pages_of_large(bool all_rights, bool at_first_touch);

// How a heap came to reach over the trapframe: calls of sbrk(kMostOfAnSbrk), and one more for the rest and a page.
struct PastTop {
    // The most that an int can say in whole pages.
    static constexpr std::uint64_t kMostOfAnSbrk = (std::uint64_t{1} << 31) - kPageBytes;
    std::uint32_t calls = 0;
    VirtAddr from;  // the break before the last call
    VirtAddr to;    // and after it
};

struct ProbeResult {
    spec::Profile profile;                      // how the kernel behaves
    bool sbrk_takes_mode = false;               // xv6 of 2025
    bool copyout_ignores_write_right = false;   // copyout wrote into a read-only page
    bool copyinstr_skips_reserved = false;      // a path that ends in an untouched lazy page was refused
    std::optional<PastTop> past_top{};          // lazy sbrk took the break over the trapframe
    bool break_is_seen = false;                 // where the kernel map says, there is what sbrk returns next
    bool sbrk_returns_int = false;              // beyond 2 GiB it returned another address than the break
    bool sbrk_keeps_to_the_heap = false;        // no sbrk took stack and image, wherever the stack pointer was
    bool arranges_arguments_otherwise = false;  // exec put them on the stack in an order that the model does not know
    board::Parcels fork_takes{};                // the first fork
    std::uint64_t fork_mark = 0;                // bits of a PTE that fork sets where it shares
    bool frames_beside_vary = false;            // what a process holds beside came with a store, and went with its end
    std::optional<std::uint64_t> pages_in_memory{};  // before the kernel moves pages out
    std::uint64_t frames_per_process = 0;            // that a process holds beyond what its page table shows
};

// Whether every segment of the image, which ends where the heap begins, is mapped read-write-execute.
bool ignores_segment_rights(spec::ObservedProcess const& p0, VirtAddr heap);

// Runs the probes. Fails when the kernel cannot even do these: a sentence for the user.
// `may_swap`: it is worth a look whether the kernel moves pages out of memory.
tl::expected<ProbeResult, BootError> probe(KernelExecution& execution, spec::Setting const& provisional, bool may_swap);

// ---- reference counts: count_probe.cpp

// The array in which a kernel counts the references to its frames, found without being told its name.
struct FoundCounts {
    map::ReferenceCounts layout;
    observe::ReferenceCounts counts;
    std::int64_t raw_for_one = 1;  // what the array says of a frame with one reference
};

// One of the candidates; else whatever words behave like counts, a fixed distance apart for each frame. Nothing where
// none do, or where fork shares too few frames to tell.
std::optional<FoundCounts> find_reference_counts(KernelExecution& execution,
                                                 std::vector<map::ReferenceCounts> const& candidates,
                                                 elf::KernelImage const& image);

// "refs (uint8, 1 for one reference)"
std::string describe(map::ReferenceCounts const& layout, std::int64_t raw_for_one);

}  // namespace vmcheck
