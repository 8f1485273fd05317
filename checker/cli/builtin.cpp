#include "checker/cli/builtin.h"

#include <string>
#include <system_error>

namespace vmcheck::cli {

std::optional<std::filesystem::path> builtin_kernel(spec::Profile profile) {
    namespace fs = std::filesystem;
    std::error_code error;
    fs::path const here = fs::read_symlink("/proc/self/exe", error).parent_path();
    std::string const name = std::string(profile.fork == spec::ForkPolicy::cow ? "cow" : "eager") + "-" +
                             (profile.sbrk == spec::SbrkPolicy::lazy ? "lazy" : "eager");
    for (fs::path const& base : {here / ".." / "kernel", here / ".." / "share" / "vmcheck" / "kernel"}) {
        fs::path const kernel = (base / name / "kernel").lexically_normal();
        if (fs::is_regular_file(kernel, error)) return kernel;
    }
    return std::nullopt;
}

}  // namespace vmcheck::cli
