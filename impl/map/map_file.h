#pragma once
// The map file: how a kernel outside the xv6 family says what its things are called. One key and one value a line:
//
//     vmcheck-map 1
//     # comments and blank lines anywhere
//     allocate             kernel::frame_allocate
//     free-list            kernel::frames.free_head
//
// Keys (every one optional; what is not said keeps xv6's name):
//     allocate, panic, memset, memmove         a function: ELF symbol, or C++ qualified name without parameters
//     free-list, reference-counts, processes   a variable, then members: variable[.member...]
//     reference-base                           ram | zero: the frame that element 0 of reference-counts counts
//     process-pid, process-state, process-root, process-break    a member of a process: member[.member...]
//     process-state-unused, process-state-zombie                 an enumerator's name, or a number
//     memory-file, memory-function             a function: its whole file, or itself, is about memory. As many
//                                              as wanted, which take the place of all of xv6's

#include "impl/base/error.h"
#include "impl/elf/kernel_image.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::map {

// What a kernel calls its things. The defaults are xv6's (kernel/kalloc.c, kernel/proc.h).
struct MapNames {
    std::string allocate = "kalloc";
    std::string panic = "panic";
    std::string memset = "memset";
    std::string memmove = "memmove";
    std::string free_list = "kmem.freelist";
    std::optional<std::string> reference_counts{};  // nothing: look for candidates
    std::optional<bool> reference_base_is_ram{};    // nothing: to be found by probing
    std::string processes = "proc";
    std::string process_pid = "pid";
    std::string process_state = "state";
    std::string process_state_unused = "UNUSED";
    std::string process_state_zombie = "ZOMBIE";
    std::string process_root = "pagetable";
    std::string process_break = "sz";
    // Those that are not there are of another year.
    std::vector<std::string> memory_files{"walk", "usertrap"};
    std::vector<std::string> memory_functions{"fork",
                                              "kfork",
                                              "exit",
                                              "kexit",
                                              "wait",
                                              "kwait",
                                              "growproc",
                                              "allocproc",
                                              "freeproc",
                                              "proc_pagetable",
                                              "proc_freepagetable"};
    // The map file that was read; empty: xv6's names throughout.
    std::string source{};

    friend bool operator==(MapNames const&, MapNames const&) = default;
};

struct MapFileError {
    std::string message;  // names the file itself where `about` does not
    unsigned line = 0;    // from 1; 0: the file as a whole
    unsigned column = 0;
    std::string about{};  // "kernel.map:3:14"
    std::string sentence() const { return base::sentence(about, message); }
};

// Reads the text of a map file; `file` is how messages call it. Any bytes may be given.
tl::expected<MapNames, MapFileError> parse_map(std::string_view text, std::string const& file);

// Reads the map file at `path`. Fails where it cannot be read, is larger than 1 MiB, or does not parse.
tl::expected<MapNames, MapFileError> load_map(std::filesystem::path const& path);

// The names for the kernel at `kernel_path`: those of `map_path` where given, else of "<kernel_path>.map" where that
// file exists, else xv6's.
tl::expected<MapNames, MapFileError> names_for(std::filesystem::path const& kernel_path,
                                               std::optional<std::filesystem::path> const& map_path);

}  // namespace vmcheck::map
