#pragma once
// The rights that user pages get.

#include "config.h"
#include "riscv/sv39.h"

namespace kernel {

// For a page of which a program asks for `wanted`: that, or, as in xv6 up to 2021, all there is.
constexpr Rights user_rights(Rights wanted) {
    return kUserPages == UserPages::all_rights ? kUser | kReadable | kWritable | kExecutable : kUser | wanted;
}

inline constexpr Rights kHeapRights = user_rights(kReadable | kWritable);
inline constexpr Rights kStackRights = kHeapRights;
inline constexpr Rights kGuardRights = user_rights(kReadable).without(kUser);

}  // namespace kernel
