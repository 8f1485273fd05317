#include "impl/boot/boot.h"

#include "impl/agent/agent.h"
#include "impl/image/disk_image.h"

#include <fmt/format.h>

#include <algorithm>
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
    return " Its free list is empty: the boot put no frame on it, or used them all up.";
}

struct AttemptError {
    BootError error;
    bool panicked = false;
};

tl::expected<Booted, AttemptError> attempt(KernelOptions const& options, elf::KernelImage const& image,
                                           map::KernelMap const& map, board::Config config) {
    auto board = board::Board::create(config);
    if (!board) return tl::unexpected(AttemptError{{board.error().message, BootError::Kind::machine}});
    KernelEntries const entries = entries_of(map);
    if (auto added = add_breakpoints(*board, entries); !added) return tl::unexpected(AttemptError{added.error()});
    load(*board, image);
    auto const where = [&](VirtAddr pc) {
        auto const function = image.function_at(pc);
        return function ? function->name : fmt::format("{:#x}", pc.value);
    };
    std::optional<observe::ProcessTable> table;
    if (map.processes) table.emplace(*map.processes);
    Conductor conductor(*board, table ? &*table : nullptr, entries, where);
    board::Parcels const budget = config.memset_at ? options.budgets.boot : options.budgets.boot_unaccelerated;
    Done const reached = conductor.wait_for_init(budget);
    if (conductor.engine_failure())
        return tl::unexpected(AttemptError{{*conductor.engine_failure(), BootError::Kind::machine}});
    if (!reached)
        return tl::unexpected(AttemptError{
            {fmt::format("the kernel did not reach user mode: {}. {}{}", describe(reached.error(), kPanicked),
                         tail_of(*board), out_of_frames(*board, entries)),
             BootError::Kind::kernel, image.name()},
            std::holds_alternative<spec::Panicked>(reached.error())});
    conductor.begin_step(budget, budget, std::nullopt);
    Preparation prepare(conductor);
    Descriptors descriptors;
    prepare.call("pipe", syscalls::kPipe, agent::kVictimBss.value);
    descriptors.pipe_read = prepare.load_word(agent::kVictimBss);
    descriptors.pipe_write = prepare.load_word(agent::kVictimBss + 4);
    descriptors.data_file =
        prepare.call("open(\"/data\")", syscalls::kOpen, agent::kPathData.value, syscalls::kReadOnly);
    // Reads the file once to the end, so that its blocks are cached and no step waits for the disk.
    for (std::size_t done = 0; done < kDataFileBytes; done += kPageBytes)
        prepare.call("read", syscalls::kRead, descriptors.data_file, agent::kVictimBss.value, kPageBytes);
    prepare.exec();
    std::uint64_t const heap = prepare.call("sbrk(0)", syscalls::kSbrk, 0, syscalls::kSbrkEager);
    if (conductor.engine_failure())
        return tl::unexpected(AttemptError{{*conductor.engine_failure(), BootError::Kind::machine}});
    if (!prepare.failure().empty())
        return tl::unexpected(AttemptError{
            {fmt::format("the kernel boots, but /init cannot prepare: {}. {}", prepare.failure(), tail_of(*board)),
             BootError::Kind::kernel, image.name()}});
    return Booted{std::move(*board), std::move(config), entries, conductor.state(), descriptors, VirtAddr{heap}};
}

}  // namespace

void accelerate(board::Config& config, map::KernelMap const& map) {
    if (map.memset) config.memset_at = *map.memset;
    if (map.memmove) config.memmove_at = *map.memmove;
}

void load(board::Board& board, elf::KernelImage const& image) {
    for (elf::Segment const& segment : image.segments()) board.write(segment.physical, segment.bytes);
    board.reset(*image.to_physical(image.entry()));
}

namespace {

std::string describe(spec::Stuck const& stuck) {
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
    if (auto const* stuck = std::get_if<spec::Stuck>(&result)) return describe(*stuck);
    if (auto const* late = std::get_if<spec::Unfinished>(&result))
        return fmt::format("it takes longer than it is given; running {}", late->where);
    if (auto const* lost = std::get_if<spec::Lost>(&result)) return lost->what;
    return std::string(otherwise);
}

tl::expected<Disk, BootError> make_disk() {
    auto const agent_bytes = agent::elf_file();
    image::Contents contents;
    contents.files.push_back({"data", data_file_bytes()});
    contents.files.push_back({"init", {agent_bytes.begin(), agent_bytes.end()}});
    contents.lean_root = true;
    contents.devices.push_back({"console", 1, 0});
    auto image = image::make_image(contents, image::Geometry{.blocks = 200});
    if (!image) return tl::unexpected(BootError{image.error().message});
    Disk disk;
    disk.bytes = std::move(image->bytes);
    disk.data_file.contents = data_file_bytes();
    disk.data_file.inode = image->inodes.find("data")->second;
    return disk;
}

tl::expected<Booted, BootError> boot_to_agent(KernelOptions const& options, elf::KernelImage const& image,
                                              map::KernelMap const& map, Disk const& disk, unsigned harts) {
    board::Config config;
    config.disk_image = disk.bytes;
    config.harts = harts;
    // Harts change where the program says so, and where one has to wait; else hardly ever.
    config.hart_slice = kHartSlice;
    if (options.accelerate) accelerate(config, map);
    auto modern = attempt(options, image, map, config);
    if (modern) return std::move(*modern);
    if (!modern.error().panicked) return tl::unexpected(modern.error().error);
    // Kernels of 2020 and 2021 drive the legacy register layout, and panic where they find the modern one.
    config.disk_interface = board::DiskInterface::legacy;
    auto legacy = attempt(options, image, map, config);
    if (legacy) return std::move(*legacy);
    return tl::unexpected(modern.error().error);
}

}  // namespace vmcheck
