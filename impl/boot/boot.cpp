#include "impl/boot/boot.h"

#include "impl/agent/agent.h"
#include "impl/boot/process_scans.h"
#include "impl/boot/source_tree.h"
#include "impl/boot/word_scans.h"
#include "impl/image/disk_image.h"
#include "impl/map/map_file.h"
#include "impl/map/system_calls.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace vmcheck {

namespace {

// Long enough for a copy to span pages and the file system's blocks.
constexpr std::size_t kDataFileBytes = 6000;

// Longer than most steps; what a hart that looks for work in vain is given before others go on.
constexpr board::Blocks kHartSlice{std::uint64_t{1} << 14};

std::vector<std::byte> data_file_bytes() {
    std::vector<std::byte> bytes(kDataFileBytes);
    // No two neighbouring bytes are alike and none is zero, so that a shifted or missing copy shows.
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(1 + (i * 7 + i / 251) % 255);
    // It starts with a path, so that reading it makes a string for open() without a NUL of its own.
    constexpr std::string_view kPath = "/data";
    for (std::size_t i = 0; i < kPath.size(); ++i) bytes[i] = static_cast<std::byte>(kPath[i]);
    return bytes;
}

// Console text within a sentence: line ends become slashes.
std::string one_line(std::string_view text) {
    std::string line;
    for (char c : text)
        if (c == '\n')
            line += line.empty() ? "" : " / ";
        else if (c >= ' ' && c < '\x7f')
            line += c;
    return line;
}

// What may explain why a kernel did not come up.
std::string tail_of(board::Board const& board) {
    constexpr std::size_t kTail = 300;
    std::string wild;
    if (!board.void_accesses().empty())
        wild = fmt::format(" It accessed physical address {:#x}, where there is nothing.",
                           board.void_accesses().front().page.value);
    std::string_view text = board.console();
    if (text.size() > kTail) text.remove_prefix(text.size() - kTail);
    if (text.empty()) return "The kernel printed nothing." + wild;
    return fmt::format("The last that it printed: \"{}\".{}", one_line(text), wild);
}

constexpr std::string_view kPanicked = "it panicked";

// p0's preparations, one system call after the other; the first failure ends them.
class Preparation {
  public:
    explicit Preparation(Conductor& conductor) : conductor_(conductor) {}

    std::uint64_t call(char const* name, std::uint64_t number, std::uint64_t a0, std::uint64_t a1 = 0,
                       std::uint64_t a2 = 0) {
        return value(name, conductor_.give_call(spec::kInit, number, a0, a1, a2));
    }
    std::uint64_t load_word(VirtAddr at) {
        return value("load", conductor_.give(spec::kInit, {VMCHECK_ORDER_LOAD_4, 0, {0, at.value, 0}}));
    }
    void exec() {
        if (!failure_.empty()) return;
        spec::Completion const result = conductor_.give_exec(spec::kInit);
        if (std::holds_alternative<spec::Restarted>(result)) return;
        value("exec(\"/init\")", result);
        if (failure_.empty()) failure_ = "exec(\"/init\") failed";
    }
    std::string const& failure() const { return failure_; }
    // Reads a file to its end, at most so far, so that its blocks are cached and no step waits for the disk.
    void read(std::uint64_t descriptor, std::size_t most) {
        for (std::size_t done = 0; done < most; done += kPageBytes)
            call("read", syscalls::kRead, descriptor, agent::kVictimBss.value, kPageBytes);
    }
    // The same; false where there is none.
    bool find(spec::Executable program) {
        if (!failure_.empty()) return false;
        auto const opened = success(
            conductor_.give_call(spec::kInit, syscalls::kOpen, agent::path_of(program).value, syscalls::kReadOnly));
        if (!opened) return false;
        read(*opened, agent::elf_file(program).size());
        call("close", syscalls::kClose, *opened);
        return failure_.empty();
    }

  private:
    std::uint64_t value(char const* name, spec::Completion const& result) {
        if (!failure_.empty()) return 0;
        if (auto const value = success(result)) return *value;
        if (spec::is_mishap(result))
            failure_ = fmt::format("{}: {}", name, describe(result, kPanicked));
        else if (std::holds_alternative<spec::Returned>(result))
            failure_ = fmt::format("{} failed", name);
        else
            failure_ = fmt::format("/init did not come back from {}", name);
        return 0;
    }

    Conductor& conductor_;
    std::string failure_;
};

KernelEntries entries_of(map::KernelMap const& map) {
    KernelEntries entries;
    if (map.panic) entries.panic = *map.panic;
    if (map.allocate) entries.allocate = *map.allocate;
    if (map.free_list) entries.free_list_heads = map.free_list->heads;
    return entries;
}

// The reason why many a kernel goes no further.
std::string out_of_frames(board::Board& board, KernelEntries const& entries) {
    auto const& heads = entries.free_list_heads;
    if (heads.empty() ||
        std::any_of(heads.begin(), heads.end(), [&](PhysAddr head) { return board.read_u64(head) != 0; }))
        return {};
    return "; its free list is empty: the boot put no frame on it, or used them all up";
}

constexpr std::uint64_t kRamBytesMax = std::uint64_t{1} << 30;

// Whether it went behind the end of RAM, but not where no machine of the family has any.
bool wants_more_ram(board::Board const& board) {
    auto const accesses = board.void_accesses();
    PhysAddr const most = board.ram_start() + kRamBytesMax;
    return std::any_of(accesses.begin(), accesses.end(),
                       [&](board::VoidAccess const& each) { return each.page >= board.ram_end() && each.page < most; });
}

// The system calls that steps use; xv6 of 2025 calls sleep pause.
struct NamedCall {
    std::string_view name;
    std::uint64_t number;
};
constexpr std::array<NamedCall, 15> kCalls{{{"fork", syscalls::kFork},
                                            {"exit", syscalls::kExit},
                                            {"wait", syscalls::kWait},
                                            {"pipe", syscalls::kPipe},
                                            {"read", syscalls::kRead},
                                            {"kill", syscalls::kKill},
                                            {"exec", syscalls::kExec},
                                            {"fstat", syscalls::kFstat},
                                            {"getpid", syscalls::kGetpid},
                                            {"sbrk", syscalls::kSbrk},
                                            {"sleep", syscalls::kSleep},
                                            {"pause", syscalls::kSleep},
                                            {"open", syscalls::kOpen},
                                            {"write", syscalls::kWrite},
                                            {"close", syscalls::kClose}}};

// Where nobody says, xv6's.
SyscallNumbers numbers_of(map::SystemCalls const& calls) {
    SyscallNumbers numbers;
    for (NamedCall const& call : kCalls)
        if (auto const here = calls.find(call.name); here != calls.end()) numbers.here[call.number] = here->second;
    return numbers;
}

tl::expected<Booted, BootFailure> attempt(KernelOptions const& options, elf::KernelImage const& image,
                                          map::KernelMap const& map, board::Config config) {
    auto board = board::Board::create(config);
    if (!board) return tl::unexpected(BootFailure{{board.error().message, BootError::Kind::machine}});
    KernelEntries entries = entries_of(map);
    entries.numbers = numbers_of(system_calls_of(image, options.tree));
    if (auto added = add_breakpoints(*board, entries); !added) return tl::unexpected(BootFailure{added.error()});
    load(*board, image);
    auto const where = [&](VirtAddr pc) {
        auto const function = image.function_at(pc);
        return function ? function->name : fmt::format("{:#x}", pc.value);
    };
    std::optional<observe::ProcessTable> table;
    if (map.processes) table.emplace(*map.processes);
    Conductor conductor(*board, table ? &*table : nullptr, entries, where);
    board::Parcels budget = config.memset_at ? options.budgets.boot : options.budgets.boot_unaccelerated;
    budget.value = budget.value * std::max<std::uint64_t>(config.ram_bytes >> 20, 128) / 128;
    Done const reached = conductor.wait_for_init(budget);
    if (conductor.engine_failure())
        return tl::unexpected(BootFailure{{*conductor.engine_failure(), BootError::Kind::machine}});
    auto const failed = [&](std::string const& why, std::optional<spec::Completion> const& what) {
        board::Counters const& done = board->counters();
        return tl::unexpected(
            BootFailure{{fmt::format("{}. {}", why, tail_of(*board)), BootError::Kind::kernel, image.name()},
                        what && std::holds_alternative<spec::Panicked>(*what),
                        wants_more_ram(*board),
                        {reached ? 1U : 0U, done.disk_requests, done.blocks}});
    };
    if (!reached)
        return failed(fmt::format("the kernel did not reach user mode: {}{}", describe(reached.error(), kPanicked),
                                  out_of_frames(*board, entries)),
                      reached.error());
    conductor.begin_step(budget, budget, std::nullopt);
    Preparation prepare(conductor);
    Descriptors descriptors;
    prepare.call("pipe", syscalls::kPipe, agent::kVictimBss.value);
    descriptors.pipe_read = prepare.load_word(agent::kVictimBss);
    descriptors.pipe_write = prepare.load_word(agent::kVictimBss + 4);
    descriptors.data_file =
        prepare.call("open(\"/data\")", syscalls::kOpen, agent::kPathData.value, syscalls::kReadOnly);
    bool const has_programs = prepare.find(spec::Executable::broken) && prepare.find(spec::Executable::large);
    prepare.read(descriptors.data_file, kDataFileBytes);
    prepare.exec();
    std::uint64_t const heap = prepare.call("sbrk(0)", syscalls::kSbrk, 0, syscalls::kSbrkEager);
    if (conductor.engine_failure())
        return tl::unexpected(BootFailure{{*conductor.engine_failure(), BootError::Kind::machine}});
    if (!prepare.failure().empty())
        return failed(fmt::format("the kernel boots, but /init cannot prepare: {}", prepare.failure()), std::nullopt);
    return Booted{std::move(*board), std::move(config), entries,     conductor.state(),
                  descriptors,       VirtAddr{heap},    has_programs};
}

}  // namespace

map::SystemCalls system_calls_of(elf::KernelImage const& image, std::optional<std::filesystem::path> const& tree) {
    auto calls = map::system_calls(image);
    return calls.empty() && tree ? system_calls_of(*tree) : calls;
}

void accelerate(board::Config& config, elf::KernelImage const& image, map::KernelMap const& map) {
    if (map.memset) config.memset_at = *map.memset;
    if (map.memmove) config.memmove_at = *map.memmove;
    config.scans = find_process_scans(image, map);
    config.word_scans = find_word_scans(image);
}

void load(board::Board& board, elf::KernelImage const& image) {
    for (elf::Segment const& segment : image.segments()) board.write(segment.physical, segment.bytes);
    board.reset(*image.to_physical(image.entry()));
}

namespace {

std::string why_stuck(spec::Stuck const& stuck) {
    std::string text;
    switch (stuck.why) {
        case spec::Stuck::Why::same_trap:
            return fmt::format("a process takes exception {} at {:#x} again and again", stuck.exception->cause,
                               stuck.exception->value.value);
        case spec::Stuck::Why::no_handler:
            return fmt::format("trap {} went to machine mode, which has no handler, from {}", stuck.exception->cause,
                               stuck.exception->from);
        case spec::Stuck::Why::circles:
            text = "it goes in circles";
            break;
        case spec::Stuck::Why::asleep:
            text = "every process sleeps";
            break;
        case spec::Stuck::Why::not_scheduled:
            text = fmt::format("p{} is not scheduled any more", stuck.who->value);
            break;
        case spec::Stuck::Why::no_timer:
            text = "no timer is set, so no other process can be scheduled";
            break;
    }
    if (stuck.exception)
        text += fmt::format("; the kernel took exception {} at {} (address {:#x})", stuck.exception->cause,
                            stuck.exception->from, stuck.exception->value.value);
    return text + fmt::format("; running {}", stuck.where);
}

}  // namespace

std::string describe(spec::Completion const& result, std::string_view panic, std::string_view otherwise) {
    if (auto const* panicked = std::get_if<spec::Panicked>(&result))
        return fmt::format("{}: {}", panic, panicked->message);
    if (auto const* stuck = std::get_if<spec::Stuck>(&result)) return why_stuck(*stuck);
    if (auto const* late = std::get_if<spec::Unfinished>(&result))
        return fmt::format("it takes longer than it is given; running {}", late->where);
    if (auto const* lost = std::get_if<spec::Lost>(&result)) return lost->what;
    return std::string(otherwise);
}

tl::expected<std::shared_ptr<Disk const>, BootError> make_disk() {
    image::Contents contents;
    contents.files = {{"data", data_file_bytes()},
                      {"init", agent::elf_file(spec::Executable::init)},
                      {"large", agent::elf_file(spec::Executable::large)},
                      {"broken", agent::elf_file(spec::Executable::broken)}};
    contents.lean_root = true;
    contents.devices.push_back({"console", 1, 0});
    auto image = image::make_image(contents, image::Geometry{.blocks = 200});
    if (!image) return tl::unexpected(BootError{image.error().message});
    Disk disk;
    disk.bytes = std::move(image->bytes);
    disk.data_file.contents = data_file_bytes();
    disk.data_file.inode = image->inodes.find("data")->second;
    return std::make_shared<Disk const>(std::move(disk));
}

tl::expected<std::shared_ptr<Disk const>, base::Error> make_disk_of(std::filesystem::path const& tree,
                                                                    base::Confinement confinement,
                                                                    std::stop_token const& stop) {
    // mkfs leaves out the underscore, and numbers files from the root's inode on.
    std::vector<DiskFile> files = {{"data", data_file_bytes()},
                                   {"_init", agent::elf_file(spec::Executable::init)},
                                   {"_large", agent::elf_file(spec::Executable::large)},
                                   {"_broken", agent::elf_file(spec::Executable::broken)}};
    auto bytes = disk_of_tree(tree, files, confinement, stop);
    if (!bytes) {
        files.resize(2);  // as much as must be
        bytes = disk_of_tree(tree, files, confinement, stop);
    }
    if (!bytes) return tl::unexpected(bytes.error());
    Disk disk;
    disk.bytes = std::move(*bytes);
    disk.data_file.contents = data_file_bytes();
    disk.data_file.inode = image::kRootInode + 1;
    return std::make_shared<Disk const>(std::move(disk));
}

namespace {

// From the first to the last of its code.
std::shared_ptr<board::ReachedCode> reached_code_of(elf::KernelImage const& image) {
    std::optional<PhysAddr> first;
    PhysAddr end;
    for (elf::Segment const& segment : image.segments()) {
        if (!segment.executable) continue;
        if (!first) first = segment.physical;
        end = segment.physical + segment.bytes.size();
    }
    PhysAddr const start = first.value_or(end);
    return std::make_shared<board::ReachedCode>(start, end.value - start.value);
}

}  // namespace

tl::expected<Booted, BootFailure> boot_to_agent(KernelOptions const& options, elf::KernelImage const& image,
                                                map::KernelMap const& map, Disk const& disk, unsigned harts) {
    board::Config config;
    config.ram_bytes = options.ram_bytes;
    config.disk_image = disk.bytes;
    config.harts = harts;
    // Harts change where the program says so, and where one has to wait; else hardly ever.
    config.hart_slice = kHartSlice;
    config.stop = options.stop;
    config.reached = options.reached ? options.reached : reached_code_of(image);
    if (options.accelerate) accelerate(config, image, map);
    auto modern = attempt(options, image, map, config);
    if (modern || !modern.error().panicked) return modern;
    // Kernels of 2020 and 2021 drive the legacy register layout, and panic where they find the modern one.
    config.disk_interface = board::DiskInterface::legacy;
    auto legacy = attempt(options, image, map, config);
    if (legacy || legacy.error().progress > modern.error().progress) return legacy;
    return modern;
}

namespace {

// With that disk, on a machine with ever more RAM.
tl::expected<Up, BootFailure> bring_up_from(KernelOptions options, std::shared_ptr<Disk const> disk) {
    auto const names = map::names_for(options.kernel, options.map_file);
    if (!names)
        return tl::unexpected(BootFailure{{names.error().message, BootError::Kind::kernel, names.error().about}});
    for (options.ram_bytes =
             std::clamp(options.ram_bytes / kPageBytes * kPageBytes, std::uint64_t{1} << 20, kRamBytesMax);
         ; options.ram_bytes *= 2) {
        elf::AddressRange const ram{board::kRamStart, options.ram_bytes};
        auto const image = elf::KernelImage::load(options.kernel, ram);
        if (!image)
            return tl::unexpected(
                BootFailure{{image.error().message, BootError::Kind::unsupported, image.error().about}});
        auto map = std::make_shared<map::KernelMap const>(map::make_kernel_map(*image, *names, ram));
        auto booted = boot_to_agent(options, *image, *map, *disk);
        if (booted)
            return Up{std::make_shared<elf::KernelImage const>(*image), std::move(map), std::move(disk),
                      std::move(*booted)};
        if (!booted.error().wants_more_ram || options.ram_bytes * 2 > kRamBytesMax)
            return tl::unexpected(std::move(booted.error()));
    }
}

}  // namespace

tl::expected<Up, BootError> bring_up(KernelOptions const& options) {
    auto const error_of = [](BootFailure const& failure) { return failure.error; };
    if (options.disk) return bring_up_from(options, options.disk).map_error(error_of);
    auto disk = make_disk();
    if (!disk) return tl::unexpected(disk.error());
    auto up = bring_up_from(options, std::move(*disk));
    if (up || !options.tree || up.error().error.kind != BootError::Kind::kernel)
        return std::move(up).map_error(error_of);
    // Its file system may be another than xv6's.
    auto own = make_disk_of(*options.tree, options.confinement, options.stop);
    if (!own) return std::move(up).map_error(error_of);
    auto again = bring_up_from(options, std::move(*own));
    if (again || again.error().progress > up.error().progress) up = std::move(again);
    return std::move(up).map_error(error_of);
}

}  // namespace vmcheck
