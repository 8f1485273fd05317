#pragma once
// The guest's side, carried in this program as text: the small user library and the headers that a repro.c is compiled
// with, the first process, and the linker script (the files of guest/).
//
// It is a library of our own rather than the student's: then what is tried is the kernel and nothing else, trees whose
// user programs no longer compile can be tried as well, and a kernel that comes without a tree is no special case.

#include <span>
#include <string_view>

namespace vmcheck::qemu {

struct GuestFile {
    std::string_view path;  // relative: "include/user/user.h"
    std::string_view text;
};
std::span<GuestFile const> guest_files();

}  // namespace vmcheck::qemu
