#include "spec/program.h"

#include <array>

namespace vmcheck::spec {

namespace {

// In the order of Action's alternatives.
constexpr std::array<std::string_view, kActionKinds> kNames = {
    "fork",      "exit",      "wait",  "kill", "sbrk", "load", "store", "touch", "pipe_write",
    "pipe_read", "file_read", "fstat", "pipe", "open", "exec", "sp",    "fetch",
};

}  // namespace

std::string_view kind_name(std::size_t action_index) {
    return action_index < kNames.size() ? kNames[action_index] : std::string_view{"unknown"};
}

}  // namespace vmcheck::spec
