// libFuzzer on a kernel (LLVM, "libFuzzer - a library for coverage-guided fuzz testing"):
//
//     vmcheck-fuzz-kernel DIRECTORY [OPTION OF LIBFUZZER...]
//     vmcheck-fuzz-kernel --dict > dictionary
//
// Inputs are programs as in corpus/, a crash is a divergence; the dictionary is for -dict=.
//
// The kernel is the one that VMCHECK_KERNEL names, or else the file beside the executable that is called as it is, with
// ".kernel" behind. VMCHECK_UNGUIDED has every input be a new program, to measure what guidance is worth;
// VMCHECK_COVERAGE names a file for LCOV of the kernel's code that was reached, written at the end.

#include "checker/fuzz/kernel.h"
#include "checker/report/coverage.h"
#include "impl/base/files.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace {

using namespace vmcheck::fuzz;

// libFuzzer hands nothing on from one function to another.
std::optional<KernelUnderFuzz> kernel;

// Where libFuzzer looks for counters beside those that clang puts into code.
[[gnu::section("__libfuzzer_extra_counters")]] Reached reached;

std::string_view text_of(std::uint8_t const* data, std::size_t size) {
    return {reinterpret_cast<char const*>(data), size};
}

std::size_t put(std::string const& text, std::uint8_t* data) {
    std::ranges::copy(text, data);
    return text.size();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
    std::vector<std::string> const arguments(*words, *words + *count);
    if (std::ranges::count(arguments, "--dict") > 0) {
        std::fputs(dictionary().c_str(), stdout);
        std::exit(0);
    }
    char const* const named = std::getenv("VMCHECK_KERNEL");
    auto booted = KernelUnderFuzz::boot(named != nullptr ? named : arguments.front() + ".kernel");
    if (!booted) {
        std::fprintf(stderr, "vmcheck: %s\n", booted.error().sentence().c_str());
        std::exit(4);
    }
    for (std::string const& what : booted->wrong_at_boot())
        std::fprintf(stderr, "vmcheck: wrong before anything is asked, and put up with: %s\n", what.c_str());
    kernel.emplace(std::move(*booted));
    if (std::getenv("VMCHECK_COVERAGE") != nullptr)
        std::atexit([] {
            auto const written = vmcheck::base::write_file(std::getenv("VMCHECK_COVERAGE"),
                                                           vmcheck::report::lcov_document({kernel->session()}));
            if (!written) std::fprintf(stderr, "vmcheck: %s\n", written.error().message.c_str());
        });
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    Taken const taken = kernel->take(text_of(data, size), reached);
    if (taken.report) {
        std::fprintf(stderr, "vmcheck: %s", taken.report->c_str());
        std::abort();
    }
    return taken.program ? 0 : -1;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max,
                                               unsigned seed) {
    if (std::getenv("VMCHECK_UNGUIDED") != nullptr) return put(kernel->mutated("", seed, size_max), data);
    // Now and then as text, where -dict has its say: numbers and words that no generator draws.
    constexpr unsigned kAsTextEvery = 8;
    if (seed / 8 % kAsTextEvery == 0) {
        std::vector<std::uint8_t> copy(std::max(size, size_max));
        std::copy_n(data, size, copy.begin());
        std::size_t const changed = LLVMFuzzerMutate(copy.data(), size, size_max);
        if (auto const mended = kernel->mended(text_of(copy.data(), changed), size_max)) return put(*mended, data);
    }
    return put(kernel->mutated(text_of(data, size), seed, size_max), data);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(std::uint8_t const* one, std::size_t one_size,
                                                 std::uint8_t const* other, std::size_t other_size, std::uint8_t* out,
                                                 std::size_t out_max, unsigned seed) {
    if (std::getenv("VMCHECK_UNGUIDED") != nullptr) return put(kernel->mutated("", seed, out_max), out);
    return put(kernel->crossed(text_of(one, one_size), text_of(other, other_size), seed, out_max), out);
}
