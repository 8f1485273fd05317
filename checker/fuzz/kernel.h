#pragma once
// A kernel as a fuzzer's target: takes a program as text, and says what was reached and whether anything is wrong.
//
//     auto kernel = KernelUnderFuzz::boot("kernel");
//     Taken const taken = kernel->take(text, reached);      // each time from p0 alone, right after boot
//     if (taken.report) ...                                 // a divergence, reproduced on a kernel that was booted
//     anew
//
// libFuzzer's entry points to it are in kernel_libfuzzer.cpp; the tests use it as it is.

#include "checker/finding/finding.h"
#include "checker/run/stepper.h"
#include "impl/boot/kernel_target.h"
#include "spec/program.h"

#include <tl/expected.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vmcheck::fuzz {

// What an input reached, for the fuzzer to compare.
struct Reached {
    // How often control went from which block of the kernel's code to which, by a hash of the two; at most 255.
    std::array<std::uint8_t, 1 << 16> edges;
    // Of the model, by a hash: what kind of step met what kind of page, with whom that was shared, what came of it, and
    // what came before it; 0 or 1.
    std::array<std::uint8_t, 1 << 14> features;
};

struct Taken {
    bool program = false;                 // false: the input is none, or asks for a machine that there is not
    std::optional<std::string> report{};  // a defect, in a paragraph
};

class KernelUnderFuzz {
  public:
    // Fails where it does not boot, or is so wrong right after boot that nothing could be judged.
    static tl::expected<KernelUnderFuzz, BootError> boot(std::filesystem::path const& image);

    // Runs the input, closing included, and sets all of `reached` by it: the same input gives the same, whatever came
    // before. An input of white space alone is a program without steps, since libFuzzer begins with such a one.
    Taken take(std::string_view input, Reached& reached);

    // The input changed as a program, and two of them crossed, in at most so many bytes; what is no program gives way
    // to a new one.
    std::string mutated(std::string_view input, std::uint64_t seed, std::size_t bytes_max) const;
    std::string crossed(std::string_view one, std::string_view other, std::uint64_t seed, std::size_t bytes_max) const;
    // What can be asked of a text that the fuzzer has changed as text; nothing where it is no program.
    std::optional<std::string> mended(std::string_view input, std::size_t bytes_max) const;

    // Wrong right after boot, and put up with: a sentence each.
    std::vector<std::string> const& wrong_at_boot() const { return wrong_at_boot_; }
    // What is known of the kernel and of its code that was reached.
    SessionResult session() const;

  private:
    KernelUnderFuzz() = default;
    tl::expected<void, BootError> start();
    std::optional<std::string> report_of(run::Run const& run) const;
    std::string fitting(spec::Program program, std::size_t bytes_max) const;

    std::unique_ptr<KernelTarget> target_;
    std::unique_ptr<Execution> machine_;
    run::Reference reference_;
    std::vector<std::string> wrong_at_boot_;
};

// The words of the grammar, as libFuzzer's -dict takes them.
std::string dictionary();

}  // namespace vmcheck::fuzz
