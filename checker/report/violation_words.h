#pragma once
// What is wrong, in sentences: made from the facts of a violation, here and nowhere else.

#include "spec/violation.h"

#include <string>

namespace vmcheck::report {

struct ViolationWords {
    std::string story;  // a sentence without its full stop: "p1's page at rodata was never writable, and now has ..."
    std::string expected;  // "PTE R--U"
    std::string seen;      // "PTE RW-U"
};
ViolationWords words_of(spec::Violation const& violation);

}  // namespace vmcheck::report
