#include "checker/e2e/command.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace vmcheck::e2e {

namespace {

constexpr char const* kOut = "stdout.txt";
constexpr char const* kErr = "stderr.txt";

}  // namespace

pid_t start_vmcheck(std::vector<std::string> const& arguments, std::filesystem::path const& directory) {
    std::filesystem::path const out = directory / kOut, err = directory / kErr;
    pid_t const child = fork();
    if (child == 0) {
        std::vector<char*> argv{const_cast<char*>(VMCHECK_BINARY)};
        for (std::string const& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        if (chdir(directory.c_str()) != 0 || std::freopen(out.c_str(), "w", stdout) == nullptr ||
            std::freopen(err.c_str(), "w", stderr) == nullptr)
            _exit(126);
        execv(VMCHECK_BINARY, argv.data());
        _exit(127);
    }
    return child;
}

Result finish_vmcheck(pid_t process, std::filesystem::path const& directory) {
    int status = 0;
    waitpid(process, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(directory / kOut), read(directory / kErr)};
}

Result vmcheck(std::vector<std::string> const& arguments, std::filesystem::path const& directory) {
    return finish_vmcheck(start_vmcheck(arguments, directory), directory);
}

Scratch::Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "vmcheck-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
}

Scratch::~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string Scratch::file(std::string const& name, std::string const& contents) const {
    std::filesystem::path const path = path_ / name;
    std::ofstream(path, std::ios::binary) << contents;
    return path.string();
}

std::string read(std::filesystem::path const& path) {
    std::ostringstream contents;
    contents << std::ifstream(path, std::ios::binary).rdbuf();
    return contents.str();
}

}  // namespace vmcheck::e2e
