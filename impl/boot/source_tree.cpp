#include "impl/boot/source_tree.h"

#include "impl/base/child.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vmcheck {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kBuildTime{120}, kMkfsTime{20};
constexpr char const* kMkfs = "mkfs/mkfs";
constexpr std::uint64_t kDiskBytesMax = std::uint64_t{512} << 20;  // FSSIZE is 200,000 blocks of 1 KiB in some labs
constexpr std::uint64_t kCopyBytesMax = kDiskBytesMax;
constexpr std::uint64_t kBlock = 4096;  // what the smallest file takes
constexpr char const* kInSandbox =
    "It was built in a sandbox, in which nothing else is to be seen; --trust-trees builds it without one.";
constexpr std::uint64_t kBuildBytesMax = std::uint64_t{256} << 20, kLogBytesMax = std::uint64_t{16} << 20;

bool is_source(fs::path const& file) {
    static constexpr std::array<std::string_view, 5> kEndings{".c", ".h", ".S", ".ld", ".pl"};
    std::string const ending = file.extension().string();
    for (std::string_view each : kEndings)
        if (ending == each) return true;
    return file.filename() == "Makefile";
}

// Whether the build reads a file of that name in a tree, as far as names tell: a source, or a directory of sources. An
// editor's lock, a note, or what the build itself makes is none.
bool is_read_by_build(fs::path const& name) {
    static constexpr std::array<std::string_view, 4> kDirectories{"kernel", "user", "mkfs", "conf"};
    bool const is_there = std::ranges::find(kDirectories, name.begin()->string()) != kDirectories.end();
    if (!name.has_parent_path()) return is_there || name == "Makefile";
    return is_there && !name.filename().string().starts_with('.') && (is_source(name) || name.extension() == ".mk");
}

bool lies_in(fs::path const& path, fs::path const& directory) {
    return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first == directory.end();
}

// Whether a link shows something that is not in the tree, or would not be in a copy of it.
bool leaves(fs::path const& link, fs::path const& tree) {
    std::error_code error;
    fs::path const target = fs::read_symlink(link, error);
    return error || target.is_absolute() || !lies_in(fs::weakly_canonical(link.parent_path() / target, error), tree);
}

// A copy of a tree, as it grows.
struct Copy {
    fs::path from;  // canonical
    fs::path to;
    std::string without;     // what make is to make
    bool links_out = false;  // links that lead out of the tree are links like others
    std::stop_token stop{};
    std::uint64_t room = kCopyBytesMax;
    std::vector<base::Link> left_out{};     // what leads out of the tree
    std::vector<std::string> too_large{};   // what there was no room for
    std::vector<std::string> unreadable{};  // the same of what may not be read, or written there
};

void copy_file(Copy& copy, fs::directory_entry const& file, fs::path const& name, std::error_code& error) {
    std::uint64_t const bytes = kBlock + file.file_size(error);
    if (error) return;
    if (bytes > copy.room) {
        copy.too_large.push_back(fmt::format("{}: is too large, and was left out", name.string()));
        return;
    }
    copy.room -= bytes;
    fs::copy_file(file.path(), copy.to / name, error);
    // The build may write what lies there already: a tree that is only to be read is often one that was built before.
    if (!error) fs::permissions(copy.to / name, fs::perms::owner_write, fs::perm_options::add, error);
}

void copy_link(Copy& copy, fs::path const& link, fs::path const& name, std::error_code& error) {
    if (copy.links_out || !leaves(link, copy.from)) {
        fs::copy_symlink(link, copy.to / name, error);
        return;
    }
    copy.left_out.push_back({name.string(), fs::read_symlink(link, error).string()});
}

// Copies what a kernel is made of, below a directory of the tree. Object files are left behind, since they may be of
// another compiler, and pipes and the like, from which nothing is built.
void copy_sources(Copy& copy, fs::path const& below = {}) {
    std::error_code error;
    fs::create_directories(copy.to / below, error);
    fs::directory_iterator at(copy.from / below, error);
    for (fs::directory_iterator const end; !error && at != end && !copy.stop.stop_requested(); at.increment(error)) {
        fs::path const name = below / at->path().filename();
        fs::path const ending = name.extension();
        std::error_code failed;
        fs::file_type const type = at->symlink_status(failed).type();
        if (type == fs::file_type::directory && name != ".git") copy_sources(copy, name);
        if (type == fs::file_type::symlink) copy_link(copy, at->path(), name, failed);
        if (type == fs::file_type::regular && ending != ".o" && ending != ".d" && name != copy.without)
            copy_file(copy, *at, name, failed);
        if (failed) copy.unreadable.push_back(fmt::format("{}: {}", name.string(), failed.message()));
    }
    if (error) copy.unreadable.push_back(fmt::format("{}: {}", (copy.from / below).string(), error.message()));
}

constexpr std::array<char const*, 3> kPrefixes{"riscv64-unknown-elf-", "riscv64-linux-gnu-",
                                               "riscv64-unknown-linux-gnu-"};

// Of the first compiler that there is.
std::optional<std::string> tool_prefix() {
    for (char const* prefix : kPrefixes)
        if (base::find_program(fmt::format("{}gcc", prefix))) return prefix;
    return std::nullopt;
}

// A directory with compilers of the same names, which pass everything on and keep warnings warnings.
void write_wrappers(fs::path const& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    for (char const* prefix : kPrefixes) {
        fs::path const wrapper = directory / fmt::format("{}gcc", prefix);
        std::ofstream(wrapper) << "#!/bin/sh\n"
                               << "# The same compiler, without the part of PATH that this file is in.\n"
                               << "PATH=${PATH#*:}\n"
                               << "exec " << prefix << "gcc \"$@\" -Wno-error\n";
        fs::permissions(wrapper, fs::perms::owner_all, error);
    }
}

Copy copy_of(fs::path const& tree, fs::path to, std::string without, base::Confinement confinement) {
    std::error_code error;
    return {fs::canonical(tree, error), std::move(to), std::move(without), confinement == base::Confinement::none};
}

// Whether it is a file there, and not a link to one elsewhere.
bool is_own_file(fs::path const& file, fs::path const& directory) {
    std::error_code error, missing;
    fs::path const real = fs::canonical(file, missing);
    return !missing && lies_in(real, fs::canonical(directory, error)) && fs::is_regular_file(real, error);
}

// Whether it is a link to a file elsewhere, or to none.
bool shows_another(fs::path const& file, fs::path const& directory) {
    std::error_code error;
    return fs::is_symlink(file, error) && !is_own_file(file, directory);
}

// What a directory takes of the disk.
std::uint64_t size_of(fs::path const& directory) {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
        std::error_code none;
        bytes += kBlock + (at->symlink_status(none).type() == fs::file_type::regular ? at->file_size(none) : 0);
    }
    return bytes;
}

// Whether it takes more than it can need; `bytes_max`: of files in its directory.
bool is_too_much(fs::path const& directory, std::uint64_t bytes_max, fs::path const& log, pid_t process) {
    std::error_code error;
    std::uint64_t const said = fs::file_size(log, error);
    base::Usage const usage = base::usage_of(process);
    return (!error && said > kLogBytesMax) || size_of(directory) > bytes_max ||
           usage.processes > base::kSandboxProcessesMax || usage.memory_bytes > base::kSandboxMemoryMax;
}

base::Command confined(base::Command command, base::Confinement confinement, std::vector<fs::path> readable,
                       std::vector<fs::path> writable) {
    if (confinement == base::Confinement::none) return command;
    return base::in_sandbox(
        std::move(command),
        {.readable = std::move(readable), .writable = std::move(writable), .confinement = confinement});
}

// In words, once it has ended.
std::string what_was_too_much(fs::path const& directory, fs::path const& log) {
    std::error_code error;
    if (fs::file_size(log, error) > kLogBytesMax) return fmt::format("printed more than {} MiB", kLogBytesMax >> 20);
    if (size_of(directory) > kBuildBytesMax)
        return fmt::format("wrote more than {} MiB of files", kBuildBytesMax >> 20);
    return fmt::format("had more than {} processes, or {} MiB of memory", base::kSandboxProcessesMax,
                       base::kSandboxMemoryMax >> 20);
}

// Has make make `what` in `directory`, by so many commands at a time; all that it prints goes to `log`.
tl::expected<base::RunResult, base::Error> run_make(fs::path const& directory, std::string const& what, unsigned jobs,
                                                    std::string const& prefix, fs::path const& wrappers,
                                                    fs::path const& log, base::Confinement confinement,
                                                    std::stop_token const& stop) {
    char const* const path = std::getenv("PATH");
    base::Command command;
    // A prefix whose compiler is really there: wrappers exist for every prefix that trees look for.
    command.arguments = {"make", fmt::format("--jobs={}", jobs), "-C", directory.string(), "TOOLPREFIX=" + prefix,
                         what};
    command.environment = {fmt::format("PATH={}:{}", wrappers.string(), path == nullptr ? "" : path), "HOME=/",
                           "LC_ALL=C"};
    command.environment_alone = true;
    command.directory = directory;
    command.output = log;
    command.file_bytes_max = std::uint64_t{1} << 30;
    command.if_parent_dies = SIGTERM;  // make ends its own children then
    auto const too_much = [&, most = size_of(directory) + kBuildBytesMax](pid_t make) {
        return is_too_much(directory, most, log, make);
    };
    return base::run(confined(std::move(command), confinement, {wrappers}, {directory}),
                     {.time = kBuildTime, .too_much = too_much, .stop = stop});
}

// What a student would look at: what the compiler, the linker and make complain of, or else the end of the log; files
// by their names in the tree.
std::vector<std::string> complaints(fs::path const& log, fs::path const& tree) {
    constexpr std::size_t kLinesMax = 12, kCharactersMax = 400;
    constexpr std::array<std::string_view, 6> kComplaints{
        ": error:", ": fatal error:", ": Error:", "undefined reference", "multiple definition", "*** "};
    std::ifstream text(log);
    std::vector<std::string> errors, all;
    for (std::string line; std::getline(text, line);) {
        for (std::string const& here : {tree.string() + '/', tree.string()})
            for (std::size_t at = line.find(here); at != std::string::npos; at = line.find(here))
                line.erase(at, here.size());
        if (line.size() > kCharactersMax) line.resize(kCharactersMax);
        bool const complains = std::any_of(kComplaints.begin(), kComplaints.end(),
                                           [&](std::string_view each) { return line.find(each) != std::string::npos; });
        if (complains && errors.size() < kLinesMax) errors.push_back(line);
        all.push_back(std::move(line));
        if (all.size() > kLinesMax) all.erase(all.begin());
    }
    return errors.empty() ? all : errors;
}

// Why this machine could not build anything now.
std::optional<std::string> fault_of_machine(fs::path const& scratch, std::vector<std::string> const& said) {
    constexpr std::uint64_t kRoom = std::uint64_t{1} << 20;
    std::error_code error;
    if (auto const space = fs::space(scratch, error); !error && space.available < kRoom)
        return fmt::format("there is no room left for temporary files in {}.", scratch.parent_path().string());
    for (std::string const& line : said)
        if (line.starts_with("bwrap: ")) return line;
    for (std::string const& line : said)
        for (std::string_view each : {"No space left on device", "Disk quota exceeded", "Cannot allocate memory",
                                      "virtual memory exhausted", "Resource temporarily unavailable"})
            if (line.find(each) != std::string::npos) return fmt::format("this machine says \"{}\".", each);
    return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r";
    std::size_t const first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// What a makefile gives a variable first, if it does so in a line that is nothing else.
std::optional<std::string_view> make_variable(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        std::size_t const end = std::min(text.find('\n'), text.size());
        std::string_view line = trimmed(text.substr(0, std::min(end, text.find('#'))));
        text.remove_prefix(std::min(end + 1, text.size()));
        std::size_t const equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        std::string_view left = line.substr(0, equals);
        while (left.ends_with(':') || left.ends_with('?')) left.remove_suffix(1);
        if (trimmed(left) == name) return trimmed(line.substr(equals + 1));
    }
    return std::nullopt;
}

// The text with each variable in it ($K, $(K), ${K}) replaced by what it is first given; those of `depth` levels.
std::string expanded(std::string_view rules, std::string_view text, unsigned depth = 4) {
    std::string all;
    while (!text.empty()) {
        std::size_t const dollar = std::min(text.find('$'), text.size());
        all += text.substr(0, dollar);
        text.remove_prefix(dollar);
        if (text.size() < 2) break;
        char const open = text[1];
        std::size_t const end = open == '(' ? text.find(')') : open == '{' ? text.find('}') : 1;
        if (end == std::string_view::npos || depth == 0) break;
        auto const name = end == 1 ? text.substr(1, 1) : text.substr(2, end - 2);
        all += expanded(rules, make_variable(rules, name).value_or(""), depth - 1);
        text.remove_prefix(end + 1);
    }
    return all;
}

// The word behind an option of a command in a makefile: "kernel/kernel" for -kernel in "-kernel $K/kernel -m 128M".
std::optional<std::string> option_value(std::string_view rules, std::string_view option) {
    for (std::size_t at = rules.find(option); at != std::string_view::npos; at = rules.find(option, at + 1)) {
        std::size_t const line = rules.rfind('\n', at) + 1;
        bool const alone = at > 0 && std::isspace(static_cast<unsigned char>(rules[at - 1])) &&
                           rules.substr(at + option.size()).starts_with(' ');
        // An option of this name has other meanings elsewhere: `mkdir -m`.
        bool const of_machine = rules.substr(line, at - line).find("QEMU") != std::string_view::npos ||
                                rules.substr(line, at - line).find("-machine") != std::string_view::npos ||
                                rules.substr(line, at - line).find("-M ") != std::string_view::npos;
        if (!alone || !of_machine || rules.substr(line).starts_with('#')) continue;
        std::string_view rest = rules.substr(at + option.size());
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        std::string value = expanded(rules, rest.substr(0, rest.find_first_of(" \t\r\n")));
        if (!value.empty()) return value;
    }
    return std::nullopt;
}

// What QEMU takes "128M", "1G" or "256" for.
std::optional<std::uint64_t> bytes_in(std::string_view text) {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string_view const unit = text.substr(static_cast<std::size_t>(end - text.data()));
    unsigned const shift = unit == "G" || unit == "g" || unit == "GiB" ? 30 : unit == "K" || unit == "k" ? 10 : 20;
    if (error != std::errc{} || number == 0 || number > (std::uint64_t{1} << 40) >> shift) return std::nullopt;
    return number << shift;
}

}  // namespace

bool is_source_tree(fs::path const& path) {
    std::error_code error;
    if (!fs::is_regular_file(path / "Makefile", error)) return false;
    return fs::is_directory(path / "kernel", error) ||
           option_value(base::read_file(path / "Makefile").value_or(std::string()), "-kernel").has_value();
}

TreeFacts read_tree(fs::path const& tree) {
    TreeFacts facts;
    std::string const rules = base::read_file(tree / "Makefile").value_or(std::string());
    std::string const lab = base::read_file(tree / "conf" / "lab.mk").value_or(std::string());
    std::string_view const name = make_variable(lab, "LAB").value_or(make_variable(rules, "LAB").value_or(""));
    if (name == "cow") facts.lab = Lab::cow;
    if (name == "lazy") facts.lab = Lab::lazy;
    if (auto const kernel = option_value(rules, "-kernel")) {
        fs::path const path = fs::path(*kernel).lexically_normal();
        if (path.is_relative() && !path.empty() && *path.begin() != "..") facts.kernel = path.string();
    }
    if (auto const ram = option_value(rules, "-m")) facts.ram_bytes = bytes_in(*ram);
    return facts;
}

bool is_built(fs::path const& tree) {
    std::error_code error;
    fs::path const kernel = tree / read_tree(tree).kernel;
    auto const built = fs::last_write_time(kernel, error);
    if (error || !fs::is_regular_file(kernel, error) || shows_another(kernel.string() + ".map", tree)) return false;
    for (fs::path const& directory : {tree, tree / "kernel"})
        for (auto const& entry : fs::directory_iterator(directory, error))
            if (is_source(entry.path()) && fs::last_write_time(entry.path(), error) > built) return false;
    return true;
}

tl::expected<TreeKernel, BuildError> kernel_of_tree(fs::path const& tree, bool rebuild, unsigned jobs,
                                                    base::Confinement confinement, std::stop_token const& stop) {
    using Kind = BuildError::Kind;
    using End = base::RunResult::End;
    std::string const kernel = read_tree(tree).kernel;
    if (!rebuild && is_built(tree)) return TreeKernel{tree / kernel};
    std::vector<base::Link> left_out;
    auto const failure = [&left_out](std::string why, Kind kind, std::vector<std::string> said = {}) {
        return tl::make_unexpected(BuildError{std::move(why), kind, std::move(said), left_out});
    };
    auto scratch = base::ScratchDirectory::make("build");
    if (!scratch) return failure(fmt::format("cannot be built: {}", scratch.error().message), Kind::machine);
    fs::path const log = scratch->path() / "make.log";
    auto const prefix = tool_prefix();
    if (!prefix)
        return failure(
            "cannot be built: there is no riscv64-unknown-elf-gcc in PATH, nor riscv64-linux-gnu-gcc; install Debian's "
            "gcc-riscv64-unknown-elf.",
            Kind::machine);
    auto const copy_tree = [&] {
        Copy made = copy_of(tree, scratch->path() / "tree", kernel, confinement);
        made.stop = stop;
        copy_sources(made);
        return made;
    };
    Copy copy = copy_tree();
    constexpr std::size_t kLinksMax = 100;
    std::ranges::sort(copy.left_out);
    auto const needed = std::ranges::find_if(copy.left_out, is_read_by_build, &base::Link::name);
    std::copy_n(copy.left_out.begin(), std::min(copy.left_out.size(), kLinksMax), std::back_inserter(left_out));
    if (needed != copy.left_out.end())
        return failure(fmt::format("is not built: {} is a link that leads out of the tree (to {}), and the build would "
                                   "read it. Put the file in its place; --trust-trees builds it as it is.",
                                   needed->name, needed->target),
                       Kind::tree);
    write_wrappers(scratch->path() / "bin");
    auto const make = [&](unsigned commands) {
        return run_make(copy.to, kernel, commands, *prefix, scratch->path() / "bin", log, confinement, stop);
    };
    auto made = make(jobs);
    std::error_code error;
    // A Makefile that leaves out what a file is made from may still be right where one command comes after the other;
    // and of several that fail at a time, it is hard to see which was the first.
    if (jobs > 1 && made && made->end == End::exited && made->exit_code != 0) {
        fs::remove_all(copy.to, error);
        copy_tree();
        made = make(1);
    }
    if (!made) return failure(fmt::format("cannot be built: {}; install make.", made.error().message), Kind::machine);
    if (made->end == End::stopped) return failure("interrupted while its kernel was built.", Kind::interrupted);
    if (made->end == End::out_of_time)
        return failure(fmt::format("make {} did not end within {} seconds.", kernel, kBuildTime.count()), Kind::tree);
    if (made->end == End::too_much)
        return failure(fmt::format("make {} was ended: it {}.", kernel, what_was_too_much(copy.to, log)), Kind::tree);
    TreeKernel built{copy.to / kernel, std::move(*scratch), left_out};
    bool const made_well = made->end == End::exited && made->exit_code == 0;
    if (made_well && is_own_file(built.kernel, copy.to)) {
        // What somebody else's file says is not to come into a report.
        fs::path const map = kernel + ".map";
        if (confinement != base::Confinement::none && shows_another(copy.to / map, copy.to)) {
            built.left_out.push_back({map.string(), fs::read_symlink(copy.to / map, error).string()});
            fs::remove(copy.to / map, error);
        }
        return built;
    }
    if (made_well)
        return failure(fmt::format("make {} ended well, but did not make that file in the tree.", kernel), Kind::tree);
    auto said = complaints(log, copy.to);
    if (auto const why = fault_of_machine(built.scratch->path(), said))
        return failure(fmt::format("cannot be built: {}", *why), Kind::machine, std::move(said));
    if (!copy.unreadable.empty())
        return failure("cannot be built: not all of it can be read", Kind::machine, std::move(copy.unreadable));
    said.insert(said.end(), copy.too_large.begin(), copy.too_large.end());
    if (!left_out.empty()) said.emplace_back(kInSandbox);
    return failure("the kernel does not build", Kind::tree, std::move(said));
}

map::SystemCalls system_calls_of(fs::path const& tree) {
    map::SystemCalls calls;
    std::istringstream text(base::read_file(tree / "kernel" / "syscall.h").value_or(std::string()));
    for (std::string line; std::getline(text, line);) {
        std::istringstream words(line);
        std::string define, name;
        std::uint64_t number = 0;
        if (words >> define >> name >> number && define == "#define" && name.starts_with("SYS_"))
            calls.emplace(name.substr(4), number);
    }
    return calls;
}

tl::expected<std::vector<std::byte>, base::Error> disk_of_tree(fs::path const& tree, std::vector<DiskFile> const& files,
                                                               base::Confinement confinement,
                                                               std::stop_token const& stop) {
    auto const failure = [](std::string why) { return tl::make_unexpected(base::Error{std::move(why)}); };
    auto const scratch = base::ScratchDirectory::make("disk");
    if (!scratch) return tl::make_unexpected(scratch.error());
    fs::path const here = scratch->path() / "disk", disk = here / "fs.img";
    Copy copy = copy_of(tree, scratch->path() / "tree", kMkfs, confinement);  // without its own, of another machine
    copy.stop = stop;
    copy_sources(copy);
    auto const made = run_make(copy.to, kMkfs, 1, tool_prefix().value_or(kPrefixes.front()), scratch->path() / "bin",
                               scratch->path() / "make.log", confinement, stop);
    if (!made) return tl::make_unexpected(made.error());
    if (made->end != base::RunResult::End::exited || made->exit_code != 0) return failure("Its mkfs does not build.");
    base::Command command{.arguments = {(copy.to / kMkfs).string(), disk.string()}};
    for (DiskFile const& file : files) {
        if (auto written = base::write_file(here / file.name, file.bytes); !written)
            return tl::make_unexpected(written.error());
        command.arguments.push_back(file.name);
    }
    command.environment_alone = true;
    command.directory = here;
    command.output = scratch->path() / "mkfs.log";
    command.file_bytes_max = kDiskBytesMax;
    command = confined(std::move(command), confinement, {copy.to}, {here});
    auto const too_much = [&, most = size_of(here) + kDiskBytesMax](pid_t mkfs) {
        return is_too_much(here, most, scratch->path() / "mkfs.log", mkfs);
    };
    auto const ran = base::run(command, {.time = kMkfsTime, .too_much = too_much, .stop = stop});
    if (!ran) return tl::make_unexpected(ran.error());
    if (ran->end != base::RunResult::End::exited || ran->exit_code != 0) return failure("Its mkfs fails.");
    if (!is_own_file(disk, here)) return failure("Its mkfs makes no disk.");
    return base::read_bytes(disk, {.bytes_max = kDiskBytesMax});
}

}  // namespace vmcheck
