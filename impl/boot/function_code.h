#pragma once
// The code of one function of a kernel, instruction by instruction.

#include "impl/elf/kernel_image.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vmcheck {

// By address; where an instruction is asked for by its number, there may be none.
class FunctionCode {
  public:
    // Empty unless all of it lies in the file, where it is executed, and it is no longer than 1 KiB.
    // Requires: the image outlives this.
    FunctionCode(elf::KernelImage const& image, elf::Symbol const& function);

    std::size_t size() const { return instructions_.size(); }
    VirtAddr at(std::size_t i) const { return instructions_[i].at; }
    std::uint32_t bits(std::size_t i) const { return i < size() ? instructions_[i].bits : 0; }

    // Behind the call of that function, where the i-th is one.
    std::optional<std::size_t> after_call(std::size_t i, std::string_view name) const;
    // Behind `mv a0, element` and the call.
    std::optional<std::size_t> after_call_with(std::size_t i, unsigned element, std::string_view name) const;
    // Where a branch or jump at the i-th leads.
    std::optional<std::size_t> target(std::size_t i, std::int64_t offset) const;
    // Where it goes on from the i-th: past jumps without a condition.
    std::optional<std::size_t> follow(std::optional<std::size_t> i) const;

  private:
    struct Instruction {
        VirtAddr at;
        std::uint32_t bits = 0;
    };
    std::optional<std::size_t> index_of(VirtAddr at) const;
    std::optional<VirtAddr> call_at(std::size_t i) const;

    std::vector<Instruction> instructions_;
    elf::KernelImage const& image_;
};

}  // namespace vmcheck
