#pragma once
// What a console says about a repro.c: the rules by which a run on QEMU becomes a verdict.
//
// A repro.c prints PASS on a correct kernel, so everything else that happens after it was started confirms the finding:
// FAIL, a kernel panic, silence, or an end without a word. But a machine that never came as far as to start it says
// nothing about the finding: then it could not be tried.

#include "checker/finding/finding.h"
#include "impl/base/child.h"

#include <chrono>
#include <string>
#include <string_view>

namespace vmcheck::qemu {

// Why nothing could be said.
QemuVerdict not_tried(std::string why);

// Whether the console holds all that the verdict needs, so that nobody has to wait any longer.
bool is_decided(std::string_view console);

// `limit`: the time that the machine was given.
QemuVerdict judge(base::RunResult const& run, std::chrono::seconds limit);

// The same of what a GDB script has printed (script.h).
bool is_told_by_script(std::string_view output);
QemuVerdict judge_script(base::RunResult const& run);

}  // namespace vmcheck::qemu
