#pragma once
// How a state that breaks an invariant becomes visible to the program: the turns to add, invariant by invariant.

#include "checker/repro/plan.h"

#include <functional>

namespace vmcheck::repro {

// Makes the program begin with a child that fills the frames which are given out next: memory that must read as zero
// then shows it where nobody clears it.
void leave_garbage(Plan& plan);

// Whether the value that the last step must read is one that the program's steps determine, so that it is the same in
// vmcheck's image and in a program of its own.
bool value_is_known(Finding const& finding);

// Adds the failing step (`last`, called at its place among the turns) and what shows its effect to the plan. For I1 to
// I5, I8, and of I7 what is not about a result.
tl::expected<void, std::string> make_visible(Finding const& finding, std::function<Turn()> const& last, Plan& plan);

}  // namespace vmcheck::repro
