#include "checker/cli/builtin.h"

#include <string>
#include <system_error>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;

// Where kernels and programs may lie: beside this program in the build tree, or where it was installed.
std::array<fs::path, 2> places() {
    std::error_code error;
    fs::path const here = fs::read_symlink("/proc/self/exe", error).parent_path();
    return {here / ".." / "kernel", here / ".." / "share" / "vmcheck" / "kernel"};
}

}  // namespace

std::optional<fs::path> builtin_kernel(spec::Profile profile) {
    std::error_code error;
    std::string const name = std::string(profile.fork == spec::ForkPolicy::cow ? "cow" : "eager") + "-" +
                             (profile.sbrk == spec::SbrkPolicy::lazy ? "lazy" : "eager");
    for (fs::path const& base : places()) {
        fs::path const kernel = (base / name / "kernel").lexically_normal();
        if (fs::is_regular_file(kernel, error)) return kernel;
    }
    return std::nullopt;
}

std::optional<fs::path> builtin_programs() {
    std::error_code error;
    for (fs::path const& base : places()) {
        fs::path const programs = (base / "user").lexically_normal();
        if (fs::is_directory(programs, error)) return programs;
    }
    return std::nullopt;
}

}  // namespace vmcheck::cli
