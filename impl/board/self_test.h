#pragma once
// Start-up tests of the emulator: the board stands on behaviour of Unicorn that is documented nowhere, or differs
// between versions. Each such behaviour is probed here with a program of a few instructions, so that a Unicorn that
// behaves otherwise is named at once rather than found after days. `vmcheck doctor` prints the results.

#include <string>
#include <vector>

namespace vmcheck::board {

struct SelfTestResult {
    std::string name;       // a few words
    std::string relies_on;  // the behaviour, as a sentence
    bool passed = false;
    std::string detail;  // what was seen instead; empty when passed
};

// Takes a few milliseconds. Never fails as a whole: what cannot be tried is a failed test.
std::vector<SelfTestResult> run_self_tests();

}  // namespace vmcheck::board
