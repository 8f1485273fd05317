#pragma once
// Where to look by what functions are for alone: of those that ran in the failing step, those that matter.

#include "checker/report/kernel_functions.h"
#include "checker/report/suspects.h"

namespace vmcheck::report {

// The answer that is wrong, where that is what the first violation is about.
spec::WrongAnswer const* answer_of(Finding const& finding);
// The kernel panicked, or took an exception itself; what goes in circles has not died.
bool has_died(Finding const& finding);
bool is_about_frames(spec::Invariant invariant);
// One that ran in the frame allocator and nowhere else.
bool is_of_allocator(Finding const& finding, std::string_view function);

// Whether both failing steps went through one function that is not on the way of every step, nor, unless `helpers_too`,
// one that all parts of the kernel use.
bool share_code(Finding const& one, Finding const& other, bool helpers_too = false);

// At most four, first of all where it died.
Suspects usual_suspects(Finding const& finding);

}  // namespace vmcheck::report
