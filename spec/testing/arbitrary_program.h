#pragma once
// RapidCheck generators of any well-formed program, sensible or not, for the properties of text. Test-only.

#include "spec/program.h"

#include <rapidcheck.h>

namespace vmcheck::spec::testing {

rc::Gen<Address> arbitrary_address();
rc::Gen<Action> arbitrary_action();
rc::Gen<Program> arbitrary_program();

}  // namespace vmcheck::spec::testing
