#pragma once
// RapidCheck generators: any profile, and any well-formed program, sensible or not. Test-only.

#include "spec/program.h"
#include "spec/testing/test_setting.h"

#include <rapidcheck.h>

namespace vmcheck::spec::testing {

rc::Gen<Profile> any_profile();
rc::Gen<Address> arbitrary_address();
rc::Gen<Action> arbitrary_action();
rc::Gen<Program> arbitrary_program();

}  // namespace vmcheck::spec::testing
