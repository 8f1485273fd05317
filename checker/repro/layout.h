#pragma once
// Where the addresses of vmcheck's program lie in a program of its own.
//
// Both are alike from the guard page upwards: the guard page, one page of stack, the heap. Below it each has its pages
// of text, constants and data, which the anchors name. A program of its own also lives on its stack: what the steps do
// there is done to `room`, a page that stands for it, but for the uppermost bytes, which hold arguments that nobody
// reads again. A program that gives back that page has a stack among its variables instead.

#include "checker/finding/finding.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace vmcheck::repro {

struct OwnLayout {
    // Each address of its program and of its place is named after the region that it lies in: `brk` is relative to the
    // heap, by the break that the process must have.
    Finding finding;
    // The steps whose sbrk asks for a break below zero: so many bytes more than the heap's start is high. A correct
    // kernel does nothing of it.
    std::map<std::size_t, std::int64_t> below_zero{};
    // It gives back its stack's page, and has its stack elsewhere: what is done there is done to that very page.
    bool on_own_stack = false;
};
// Or why a user program has no such address or cannot do without the memory, as part of a sentence.
// REQUIRES: one record for each step.
tl::expected<OwnLayout, std::string> in_own_layout(Finding finding);

}  // namespace vmcheck::repro
