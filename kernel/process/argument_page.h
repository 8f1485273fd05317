#pragma once
// The arguments of a program that is about to be executed, collected in the very page that becomes its stack:
//
//     page start                                                                    page end
//     | zeros                    | argv[0] ... argv[count-1], null | padding | strings |
//                                ^ sp, 16-byte aligned (RISC-V calling convention)
//
// Pointers and strings together must fit the page. Without arguments, the page is all zero.

#include "config.h"
#include "memory/frame_ref.h"

namespace kernel {

class AddressSpace;

class ArgumentPage {
  public:
    // Gets a page. False when memory is exhausted.
    bool begin();

    // Adds a string; REQUIRES: begin(). False when there is no room for it, or it cannot be read.
    bool add(char const* argument);
    bool add_from_user(AddressSpace& space, VirtAddr argument);

    int count() const { return count_; }

    // Puts everything in its place, for a page that will be at `page`, and gives the page away. Returns the value of
    // sp, which is also that of argv.
    VirtAddr finish(VirtAddr page, FrameRef& stack);

  private:
    size_t room() const;
    bool added(size_t bytes);

    FrameRef frame_;
    int count_ = 0;
    size_t used_ = 0;                       // bytes of strings, collected from the start of the page
    uint16_t offsets_[kArgumentsMax] = {};  // of each string among them
};

}  // namespace kernel
