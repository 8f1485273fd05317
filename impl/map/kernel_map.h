#pragma once
// The kernel map: windows into a kernel's memory. Where its allocator is, where its free list starts, how its process
// table is laid out, which arrays could be its reference counts. From ELF symbols and DWARF types; no guest memory
// is read here.
//
//     auto names = map::names_for(kernel_path, map_path_or_nothing);      // xv6's names, or those of a map file
//     if (!names) return report(names.error().message);
//     map::KernelMap kernel = map::make_kernel_map(image, *names, ram);
//     if (!kernel.free_list) skip_checks_that_need_it(kernel.free_list.error().reason);
//
// A part that was not found is not an error: it carries the reason, which is shown to the user, and the checks that
// need it are skipped visibly. A KernelMap is a value; all of it may be used from any thread.

#include "impl/elf/kernel_image.h"
#include "impl/map/debug_info.h"
#include "impl/map/map_file.h"
#include "impl/map/source_lines.h"
#include "spec/address.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::map {

// A scalar member of a structure: little-endian, at `offset` from the structure's start.
struct Field {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;  // 1, 2, 4 or 8
    bool is_signed = false;
};

// The lists of free frames: one head per element where the allocator keeps a list per hart. Each head is an 8-byte
// pointer to a free frame, or 0; the 8 bytes at offset 0 of a free frame point to the next (xv6 kernel/kalloc.c: struct
// run).
struct FreeList {
    std::string name;             // as in "kmem.freelist"
    std::vector<PhysAddr> heads;  // at least one
    bool guessed = false;         // no DWARF: xv6's layout was assumed (the list follows the 24-byte lock)
};

// Where and how processes are recorded. Element i starts at base + i * stride.
struct ProcessTable {
    std::string name;
    PhysAddr base;
    std::uint64_t stride = 0;
    std::uint64_t count = 0;
    Field pid;
    Field state;
    std::uint64_t state_unused = 0;  // the value of `state` in an element without a process
    std::uint64_t state_zombie = 0;
    Field root;                  // 8 bytes: physical address of the page-table root, 0 where there is none
    std::optional<Field> brk{};  // the process's break ("sz" in xv6); nothing where there is no such member
};

// What element 0 counts.
enum class IndexBase {
    kRam,   // the first frame of RAM
    kZero,  // the frame at physical address 0
};

// An integer array, indexed by frame, that holds (or may hold) the kernel's reference counts.
// Element i is `element_bytes` wide and starts at base + i * stride, or, where `behind_pointer`, at
// (the 8-byte pointer stored at base) + offset_behind_pointer + i * stride.
struct ReferenceCounts {
    std::string name;  // as in "kmem.counts"
    PhysAddr base;
    std::uint64_t element_bytes = 0;  // 1, 2, 4 or 8
    std::uint64_t stride = 0;
    std::uint64_t count = 0;  // 0 where it is behind a pointer: not known
    // So many such arrays, one after the other: each hart counts in one of its own, and a frame's count is the sum.
    std::uint64_t arrays = 1;
    bool is_signed = false;
    bool behind_pointer = false;
    std::uint64_t offset_behind_pointer = 0;
    std::optional<IndexBase> index_base{};  // nothing: to be found by probing
    bool guessed = false;                   // no DWARF: the element size was guessed from the symbol's size
    // What stands for a frame that was never shared, where that is none of the values that are counted with.
    std::optional<std::int64_t> never_shared{};
    bool by_use = false;  // nobody declares it so: recognised by how its values change
    // In a hash table or an unordered list each element says itself whose it is, in 8 bytes: its frame's address, or
    // its number. A key may then lie at base + i * 8 for each i < count.
    struct Key {
        std::int64_t to_count = 0;  // bytes from the key to the count
        bool is_number = false;
    };
    std::optional<Key> key{};
    // What a frame without an element has, where that tells something.
    std::optional<std::int64_t> when_absent{};
};

struct KernelMap {
    Part<VirtAddr> allocate;  // entry of the frame allocator: returns a frame's address, or 0 when none is free
    Part<VirtAddr> panic;     // entry of the function that stops the kernel; a0 points to the message
    Part<VirtAddr> memset;    // entries with the C library's meaning
    Part<VirtAddr> memmove;
    Part<FreeList> free_list;
    Part<ProcessTable> processes;
    // Only where a map file names it; else Missing, and the candidates are to be probed.
    Part<ReferenceCounts> reference_counts;
    // Every array that could hold a count for each frame of RAM, in order of address and then offset: global integer
    // arrays, arrays inside global structures, arrays of structures with an integer member, and global pointers to
    // integers (last). Empty where a map file names the array.
    std::vector<ReferenceCounts> candidates;
    SourceLines lines;  // pc -> file, line and function
    // Variables and types, for lookups of other things by find_variable (variable_path.h). Never null.
    std::shared_ptr<DebugInfo const> debug;
};

// Builds the map. Requires that `image` was loaded with `ram` as its range. What is not found is Missing.
KernelMap make_kernel_map(elf::KernelImage const& image, MapNames const& names, elf::AddressRange ram);

}  // namespace vmcheck::map
