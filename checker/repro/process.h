#pragma once
// The turns of a plan, process by process: each process's code as the body of one C function.

#include "checker/repro/plan.h"

#include <tl/expected.hpp>

#include <map>
#include <string>
#include <vector>

namespace vmcheck::repro {

struct ProcessCode {
    spec::ProcId process;
    std::vector<std::string> lines;  // the last one ends the process
};

// In an order in which each function is defined before it is called; p0 comes last. Fails where p0 could not know when
// the last turn is over.
tl::expected<std::vector<ProcessCode>, std::string> processes_of(Plan const& plan);

}  // namespace vmcheck::repro
