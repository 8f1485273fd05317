#include "checker/e2e/command.h"

#include "impl/base/sandbox.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace vmcheck::e2e {

namespace {

constexpr char const* kOut = "stdout.txt";
constexpr char const* kErr = "stderr.txt";
// Longer than any test may take: ctest ends it first.
constexpr std::chrono::hours kLongestCommand{1};

}  // namespace

base::Child start_vmcheck(std::vector<std::string> const& arguments, std::filesystem::path const& directory) {
    base::Command command;
    command.arguments = {VMCHECK_BINARY};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    command.directory = directory;
    command.output = directory / kOut;
    command.errors = directory / kErr;
    return std::move(base::Child::start(command).value());
}

Result finish_vmcheck(base::Child& process, std::filesystem::path const& directory) {
    base::Exit const exit = process.wait();
    return {exit.code.value_or(-1), read(directory / kOut), read(directory / kErr)};
}

Result vmcheck(std::vector<std::string> const& arguments, std::filesystem::path const& directory) {
    base::Child process = start_vmcheck(arguments, directory);
    return finish_vmcheck(process, directory);
}

nlohmann::json session_of(Result const& result) {
    return nlohmann::json::parse(result.out).at("sessions").at(0);
}

std::string class_option() {
    static bool const sandboxed = base::try_sandbox().has_value();
    return sandboxed ? "--rebuild" : "--trust-trees";
}

ShellResult shell(std::string const& command_line) {
    auto const ran = base::run({.arguments = {"sh", "-c", command_line}},
                               {.time = kLongestCommand, .output_bytes = std::size_t{1} << 20});
    EXPECT_TRUE(ran) << ran.error().message;
    bool const exited = ran && ran->end == base::RunResult::End::exited;
    return {exited ? ran->exit_code : -1, ran ? ran->output : ""};
}

std::string without_rights(std::filesystem::path const& directory) {
    if (::getuid() != 0) return "";
    shell("chown -R 65534:65534 " + directory.string());
    return "setpriv --reuid=65534 --regid=65534 --clear-groups ";
}

std::string Scratch::file(std::string const& name, std::string const& contents) const {
    auto const written = base::write_file(path() / name, contents);
    EXPECT_TRUE(written) << written.error().message;
    return (path() / name).string();
}

void Scratch::copy(std::filesystem::path const& from, std::string const& name) const {
    namespace fs = std::filesystem;
    fs::create_directories((path() / name).parent_path());
    for (char const* ending : {"", ".map"})
        if (fs::is_regular_file(from.string() + ending))
            fs::copy_file(from.string() + ending, path() / (name + ending), fs::copy_options::overwrite_existing);
}

std::string read(std::filesystem::path const& path) {
    return base::read_file(path, {.bytes_max = std::uint64_t{1} << 30}).value_or(std::string());
}

}  // namespace vmcheck::e2e
