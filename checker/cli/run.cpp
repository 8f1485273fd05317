// vmcheck run: one program on a kernel on the board, for its own conclusion.

#include "impl/program/run.h"

#include "checker/cli/commands.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/output.h"
#include "checker/cli/print.h"
#include "checker/report/escape.h"
#include "impl/base/files.h"
#include "impl/image/disk_image.h"
#include "impl/program/disk.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;

// What is to be on the disk, before /init is replaced.
struct Files {
    image::Contents contents;
    image::Geometry geometry;
};

tl::expected<std::vector<std::byte>, Stop> read_bytes(fs::path const& path) {
    auto bytes = base::read_bytes(path);
    if (!bytes) return tl::unexpected(Stop{Stop::Cause::usage, bytes.error().message});
    return std::move(*bytes);
}

tl::expected<Files, Stop> files_of_image(fs::path const& path) {
    auto const bytes = read_bytes(path);
    if (!bytes) return tl::unexpected(bytes.error());
    auto unpacked = image::unpack(*bytes);
    if (!unpacked)
        return tl::unexpected(
            Stop{Stop::Cause::usage, fmt::format("{}: {} Give a disk as mkfs makes it, such as fs.img.", path.string(),
                                                 unpacked.error().message)});
    if (!unpacked->directories.empty())
        tell(stderr, "vmcheck: {}: directories are left out: {}\n", path.string(),
             fmt::join(unpacked->directories, ", "));
    return Files{std::move(unpacked->contents), unpacked->geometry};
}

tl::expected<Files, Stop> builtin_files() {
    auto const directory = builtin_programs();
    if (!directory)
        return tl::unexpected(Stop{Stop::Cause::machine,
                                   "the programs that come with vmcheck are not beside this program: build them with "
                                   "ci/vmcheck, or give a disk with --image."});
    std::error_code error;
    std::vector<fs::path> paths;
    for (auto const& entry : fs::directory_iterator(*directory, error))
        if (entry.is_regular_file(error)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    Files files;
    files.contents.devices.push_back({"console", 1, 0});
    for (fs::path const& path : paths) {
        auto bytes = read_bytes(path);
        if (!bytes) return tl::unexpected(bytes.error());
        files.contents.files.push_back({path.filename().string(), std::move(*bytes)});
    }
    return files;
}

// Sees to it that the program is on the disk. Gives the name that it has there.
tl::expected<std::string, Stop> put_program(std::string const& program, Files& files) {
    if (program.find('/') != std::string::npos) {
        auto bytes = read_bytes(program);
        if (!bytes) return tl::unexpected(bytes.error());
        std::string const name = fs::path(program).filename().string().substr(0, image::kNameBytesMax);
        std::erase_if(files.contents.files, [&](image::File const& file) { return file.name == name; });
        files.contents.files.push_back({name, std::move(*bytes)});
        return name;
    }
    auto const& all = files.contents.files;
    if (std::ranges::find(all, program, &image::File::name) != all.end()) return program;
    std::vector<std::string> names;
    names.reserve(all.size());
    for (image::File const& file : all) names.push_back(file.name);
    return tl::unexpected(
        Stop{Stop::Cause::usage, fmt::format("there is no program {} on the disk, which has {}. A program of this "
                                             "machine is given with a slash, as in ./{}.",
                                             program, fmt::join(names, ", "), program)});
}

struct Conclusion {
    char const* ending;  // as --out has it
    std::string words;
    ExitCode code = ExitCode::divergence;
    std::optional<int> status{};  // of exit()
};

struct Conclude {
    std::string const& program;
    std::uint64_t seconds_max;

    Conclusion operator()(program::Exited const& exited) const {
        if (exited.status == -1)
            return {"killed", fmt::format("{} was killed, or ended with status -1", program), ExitCode::divergence, -1};
        return {"exited", fmt::format("{} ended with status {}", program, exited.status),
                exited.status == 0 ? ExitCode::nothing_found : ExitCode::divergence, exited.status};
    }
    Conclusion operator()(program::NotRun const& failure) const {
        return {"not run", fmt::format("{}: {}", program, failure.why)};
    }
    Conclusion operator()(program::Panicked const& panicked) const {
        return {"panicked", fmt::format("the kernel panicked: \"{}\"", panicked.message)};
    }
    Conclusion operator()(program::Halted const& halted) const {
        return {"halted", fmt::format("the machine stands still: {}", halted.why)};
    }
    Conclusion operator()(program::TimeUp) const {
        return {"time up", fmt::format("{} had not ended after {} s (by the board's clock): a hang, or more than "
                                       "--time-limit allows",
                                       program, seconds_max)};
    }
    Conclusion operator()(program::Interrupted) const {
        return {"interrupted", fmt::format("interrupted before {} ended", program), ExitCode::interrupted};
    }
};

// For programs that start this one, so that none has to look for an answer among what the kernel printed.
std::string document_of(Conclusion const& conclusion, std::string const& program, double seconds) {
    using Json = nlohmann::ordered_json;
    Json document;
    document["vmcheck_run"] = 1;
    document["program"] = program;
    document["ending"] = conclusion.ending;
    document["status"] = conclusion.status ? Json(*conclusion.status) : Json(nullptr);
    document["message"] = conclusion.words;
    document["seconds"] = seconds;
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitCode run(Options const& options) {
    if (auto well = check_place(options.out); !well) return give_up(well.error());
    auto const kernel = find_kernel(options.kernel);
    if (!kernel) return give_up(kernel.error());
    auto files = options.run.image ? files_of_image(*options.run.image) : builtin_files();
    if (!files) return give_up(files.error());
    std::vector<std::string> words = options.run.words;
    auto const name = put_program(words.front(), *files);
    if (!name) return give_up(name.error());
    words.front() = *name;
    auto disk = program::make_disk(std::move(files->contents), files->geometry, words);
    if (!disk) return give_up({Stop::Cause::usage, disk.error().message});

    program::Request const request{*kernel, std::move(*disk), options.run.harts, options.run.seconds_max};
    auto const relay = [](std::string_view text) {
        tell(stdout, "{}", report::printable(text));
        std::fflush(stdout);
    };
    auto const report = program::run(request, relay, options.stop);
    if (!report) return give_up(stop_for(report.error(), options));
    Conclusion const conclusion = std::visit(Conclude{*name, options.run.seconds_max}, report->ending);
    if (report->console_dropped > 0)
        tell(stderr, "vmcheck: {} bytes of output are not shown\n", report->console_dropped);
    tell(stderr, "vmcheck: {}; {:.1f} s by the board's clock\n", conclusion.words, report->seconds);
    if (options.out)
        if (auto written = base::write_file(*options.out, document_of(conclusion, *name, report->seconds)); !written)
            return give_up({Stop::Cause::machine, written.error().message});
    return conclusion.code;
}

}  // namespace vmcheck::cli
