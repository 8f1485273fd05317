#pragma once
// Which year's teaching tree a kernel grew from. Only so much of it matters as decides what a student was handed out:
// the defects of the bare tree (spec::Traits, inherited) and the words for a report.
//
// Facts, each from the xv6-riscv tree of that year: until 2021 exec maps every segment read-write-execute; until 2023
// the timer is the CLINT with `timervec` in machine mode; from 2023 on USERSTACK is in kernel/param.h, and copyout asks
// for PTE_W; 2025 renames fork to kfork and its sbrk takes a second argument.

#include "impl/elf/kernel_image.h"

#include <filesystem>
#include <optional>
#include <string>

namespace vmcheck {

struct Vintage {
    // First and last year that it may be; 0 to 0: not of the xv6 family.
    unsigned from = 0;
    unsigned to = 0;

    bool known() const { return from != 0; }
    // May it be of this year or an earlier one?
    bool may_be_before(unsigned year) const { return known() && from < year; }
};

// "2020-2021 tree", "2024 tree"; empty when unknown.
std::string to_string(Vintage vintage);

// What running the kernel told about it.
struct Habits {
    bool all_segments_rwx = false;  // the fresh image of /init is mapped so
    bool sbrk_takes_mode = false;
};

// `tree`: the source tree, where there is one. An image without symbols is taken for one of the xv6 family, since what
// it does cannot be held against its student where some year's bare tree does the same.
Vintage find_vintage(elf::KernelImage const& image, Habits habits, std::optional<std::filesystem::path> const& tree);

}  // namespace vmcheck
