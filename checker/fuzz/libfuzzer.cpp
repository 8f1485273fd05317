// libFuzzer on one target (LLVM, "libFuzzer - a library for coverage-guided fuzz testing"):
//
//     vmcheck_fuzz --list                                            names every target
//     vmcheck_fuzz --target=NAME DIRECTORY [OPTION OF LIBFUZZER...]  adds the target's seeds to the directory, and runs

#include "checker/fuzz/fuzz.h"
#include "impl/base/files.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

using vmcheck::fuzz::kTargets;
vmcheck::fuzz::Target const* chosen = nullptr;  // libFuzzer hands nothing on from the one function to the other

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
    std::vector<std::string> const arguments(*words + 1, *words + *count);
    for (std::string const& argument : arguments)
        for (auto const& target : kTargets) {
            if (argument == "--list") std::puts(target.name);
            if (argument == std::string("--target=") + target.name) chosen = &target;
        }
    if (chosen == nullptr) std::exit(std::ranges::count(arguments, "--list") > 0 ? 0 : 2);
    auto const directory = std::ranges::find_if(arguments, [](auto const& word) { return !word.starts_with('-'); });
    if (directory == arguments.end() || !std::filesystem::is_directory(*directory)) return 0;
    int number = 0;
    for (std::string const& seed : chosen->seeds())
        if (!vmcheck::base::write_file(std::filesystem::path(*directory) / ("seed-" + std::to_string(++number)), seed))
            std::exit(3);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    chosen->take({reinterpret_cast<char const*>(data), size});
    return 0;
}
