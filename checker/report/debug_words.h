#pragma once
// What `vmcheck debug` answers to GDB's `monitor`, in words.

#include "checker/finding/finding.h"
#include "spec/world.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::report {

std::string monitor_help();

// GDB asks for no registers after a monitor command.
inline constexpr char const* kGdbDoesNotKnow = "(GDB shows it after: maintenance flush register-cache)\n";

// What is wrong, where, and what would be right. Null: nothing is.
std::string why_words(run::Divergence const* failure);

// The program's steps, with what a correct kernel does and this one did; the present one is marked, and what the model
// has before it stands below. Nothing: before the first.
std::string model_words(std::vector<run::StepRecord> const& records, std::size_t own_steps,
                        std::optional<std::size_t> present, spec::World const& model);

struct PageLine {
    PageRow row;
    std::optional<PhysAddr> pte_at{};  // where its PTE lies, valid or not; nothing: its page table does not reach there
};
// One page of all processes, beside what the model has of it before the step; nothing: after the last that agreed.
std::string pages_words(Vpn page, std::vector<PageLine> const& lines, spec::World const& model,
                        std::optional<std::size_t> step);

}  // namespace vmcheck::report
