#pragma once
// The kernel's code as functions and lines, and which of it is about memory: for one who counts what has run.
//
// About memory is: every function of the files in which the frame allocator and those that `memory-file` names lie
// (xv6: walk and usertrap, so kalloc.c, vm.c and trap.c); what `memory-function` names (xv6: what fork, exit, wait and
// sbrk do in proc.c); and a function elsewhere that only these call, and that calls into those files: a helper.

#include "impl/elf/kernel_image.h"
#include "impl/map/kernel_map.h"
#include "spec/address.h"

#include <string>
#include <vector>

namespace vmcheck::map {

// [from, to)
struct CodeRange {
    VirtAddr from, to;
};

struct CodeLine {
    unsigned number = 0;
    std::vector<CodeRange> code;  // where it was compiled to, at least one
    bool only_panics = false;     // whatever comes there goes straight on to panic
};

struct CodeFunction {
    std::string name;
    std::string file;  // empty where there is no debug information, and there are no lines then
    bool about_memory = false;
    std::vector<CodeRange> code;  // inlined copies too, and without what was inlined into it
    std::vector<CodeLine> lines;  // ascending
};

// By file and first line, or by address where there is no debug information.
std::vector<CodeFunction> functions_of(elf::KernelImage const& image, KernelMap const& map);

}  // namespace vmcheck::map
