#include "checker/mutants/mutant.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <system_error>

namespace vmcheck::mutants {

namespace fs = std::filesystem;

bool Mutant::expects(std::string const& signature) const {
    std::string const anywhere = signature.substr(0, signature.find(' ')) + " *";
    return std::ranges::any_of(expected,
                               [&](std::string const& each) { return each == signature || each == anywhere; });
}

std::vector<std::string> Mutant::options_without_its_faults() const {
    auto const has = [&](char const* fault) { return needs.find(fault) != std::string::npos; };
    std::vector<std::string> options;
    if (has("oom")) options.insert(options.end(), {"--no-oom", "--no-pressure"});
    if (has("preempt")) options.emplace_back("--no-preempt");
    // Where an interrupt may come, another hart may come, too.
    if (has("preempt") || has("harts")) options.emplace_back("--no-harts");
    return options;
}

tl::expected<Mutant, base::Error> read_mutant(fs::path const& patch) {
    std::ifstream file(patch);
    Mutant mutant;
    mutant.name = patch.stem().string();
    for (std::string line; std::getline(file, line) && !line.empty();) {
        std::size_t const colon = line.find(": ");
        if (colon == std::string::npos) continue;
        std::string const key = line.substr(0, colon), value = line.substr(colon + 2);
        if (key == "origin") mutant.origin = value;
        if (key == "story") mutant.story = value;
        if (key == "profile") mutant.profile = value;
        if (key == "survives") mutant.survives = value;
        if (key == "needs") mutant.needs = value;
        if (key != "expect") continue;
        std::istringstream signatures(value);
        for (std::string each; std::getline(signatures, each, '|');) mutant.expected.push_back(each);
    }
    std::ostringstream patched;
    patched << file.rdbuf();
    mutant.changed = changed_lines(patched.str());
    if (mutant.origin.empty() || mutant.story.empty() || mutant.profile.empty() || mutant.expected.empty())
        return tl::unexpected(base::Error{
            fmt::format("{}: its header must have the lines origin, story, profile and expect (kernel/README.md).",
                        patch.string())});
    return mutant;
}

tl::expected<std::vector<Mutant>, base::Error> read_mutants(fs::path const& directory) {
    std::vector<fs::path> patches;
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
        if (at->path().extension() == ".patch") patches.push_back(at->path());
    if (error || patches.empty())
        return tl::unexpected(base::Error{fmt::format("{}: there are no patches.", directory.string())});
    std::sort(patches.begin(), patches.end());
    std::vector<Mutant> mutants;
    for (fs::path const& patch : patches) {
        auto mutant = read_mutant(patch);
        if (!mutant) return tl::unexpected(mutant.error());
        mutants.push_back(std::move(*mutant));
    }
    return mutants;
}

}  // namespace vmcheck::mutants
