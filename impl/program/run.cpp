#include "impl/program/run.h"

#include "impl/abi/launcher_abi.h"
#include "impl/boot/boot.h"
#include "impl/map/map_file.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

namespace vmcheck::program {

namespace {

using board::Parcels;
using board::Register;

// How long the console may lag behind: some hundredths of a second.
constexpr Parcels kSlice{std::uint64_t{4} << 20};
// Enough to print a panic's message, after which kernels loop.
constexpr Parcels kLastWords{std::uint64_t{4} << 20};
constexpr std::size_t kConsoleBytesMax = std::size_t{64} << 20;

std::string last_line(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    return std::string(text.substr(text.rfind('\n') + 1));
}

std::string describe(Ending const& ending) {
    if (auto const* panicked = std::get_if<Panicked>(&ending))
        return fmt::format("it panicked: \"{}\"", panicked->message);
    if (auto const* halted = std::get_if<Halted>(&ending)) return halted->why;
    if (std::holds_alternative<Interrupted>(ending)) return "it was interrupted";
    return "its time was up";
}

// One machine from reset to the program's end.
class Run {
  public:
    Run(board::Board board, Request const& request, std::optional<VirtAddr> panic,
        std::function<void(std::string_view)> const& relay)
        : board_(std::move(board)),
          seconds_max_(static_cast<double>(request.seconds_max)),
          panic_(panic),
          relay_(relay) {}

    // Output is held back until the launcher runs, as another attempt may follow.
    Ending to_the_end(std::stop_token const& stop) {
        std::optional<Ending> ending;
        while (!ending) {
            board::Stop const came_back = board_.run(kSlice);
            // A run that is cut short comes back as if the engine had failed.
            bool const cut = stop.stop_requested() && std::holds_alternative<board::stop::EngineError>(came_back);
            ending = cut ? Interrupted{} : after(came_back);
            if (started_) relay_new();
            if (ending) break;
            if (stop.stop_requested()) ending = Interrupted{};
            if (seconds() >= seconds_max_) ending = TimeUp{};
        }
        return *ending;
    }

    bool started() const { return started_; }
    std::optional<std::string> const& engine_failure() const { return engine_failure_; }
    double seconds() const {
        return static_cast<double>(board_.time().value) / static_cast<double>(board::kTimeUnitsPerSecond);
    }
    std::uint64_t console_dropped() const { return board_.console_dropped(); }

    void relay_new() {
        std::string_view const text = board_.console();
        if (text.size() > relayed_) relay_(text.substr(relayed_));
        relayed_ = text.size();
    }

  private:
    std::optional<Ending> after(board::Stop const& stop) {
        if (std::holds_alternative<board::stop::BudgetExhausted>(stop)) return std::nullopt;
        if (std::holds_alternative<board::stop::Hypercall>(stop)) return told();
        if (std::holds_alternative<board::stop::Breakpoint>(stop)) return panicked();
        if (auto const* trap = std::get_if<board::stop::MachineTrap>(&stop))
            return Halted{fmt::format("an exception (cause {}) at {:#x} went to M-mode, where there is no handler",
                                      trap->cause, trap->pc.value)};
        if (auto const* error = std::get_if<board::stop::EngineError>(&stop)) {
            engine_failure_ = error->text;
            return Halted{error->text};
        }
        return Halted{"every hart waits for an interrupt, and none can come"};
    }

    std::optional<Ending> told() {
        std::uint64_t const value = board_.read(Register::a1);
        switch (board_.read(Register::a0)) {
            case VMCHECK_LAUNCHER_STARTED:
                started_ = true;
                return std::nullopt;
            case VMCHECK_LAUNCHER_ENDED:
                return Exited{static_cast<int>(value)};
            case VMCHECK_LAUNCHER_NO_COMMAND:
                return NotRun{"/init cannot read the file that names the program"};
            case VMCHECK_LAUNCHER_NO_FORK:
                return NotRun{"/init cannot fork, right after boot"};
            case VMCHECK_LAUNCHER_NO_EXEC:
                return NotRun{"exec of the program failed: is it an RV64 program that was linked for this kernel?"};
            case VMCHECK_LAUNCHER_LOST:
                return NotRun{"wait did not tell how the program ended"};
            default:
                return std::nullopt;  // the program's own: nobody's business
        }
    }

    Ending panicked() {
        board_.arm_breakpoint(*panic_, board::Armed::never);
        for (Parcels const end = board_.elapsed() + kLastWords; board_.elapsed() < end;) {
            board::Stop const stop = board_.run(end - board_.elapsed());
            if (!std::holds_alternative<board::stop::Hypercall>(stop)) break;
        }
        return Panicked{last_line(board_.console())};
    }

    board::Board board_;
    double seconds_max_;
    std::optional<VirtAddr> panic_;
    std::function<void(std::string_view)> relay_;
    std::size_t relayed_ = 0;
    bool started_ = false;
    std::optional<std::string> engine_failure_;
};

tl::expected<Run, BootError> load(Request const& request, elf::KernelImage const& image, map::KernelMap const& map,
                                  board::DiskInterface disk_interface,
                                  std::function<void(std::string_view)> const& relay) {
    board::Config config;
    config.ram_bytes = request.kernel.ram_bytes;
    config.disk_image = request.disk;
    config.disk_interface = disk_interface;
    config.harts = request.harts;
    config.console_bytes_max = kConsoleBytesMax;
    config.stop = request.kernel.stop;
    if (request.kernel.accelerate) accelerate(config, image, map);
    auto board = board::Board::create(std::move(config));
    if (!board) return tl::unexpected(BootError{board.error().message, BootError::Kind::machine});
    std::optional<VirtAddr> panic;
    if (map.panic) panic = *map.panic;
    if (auto added = add_breakpoints(*board, {.panic = panic}); !added) return tl::unexpected(added.error());
    vmcheck::load(*board, image);
    return Run(std::move(*board), request, panic, relay);
}

}  // namespace

tl::expected<Report, BootError> run(Request const& request, std::function<void(std::string_view)> const& relay,
                                    std::stop_token const& stop) {
    elf::AddressRange const ram{board::kRamStart, request.kernel.ram_bytes};
    auto const image = elf::KernelImage::load(request.kernel.kernel, ram);
    if (!image)
        return tl::unexpected(BootError{image.error().message, BootError::Kind::unsupported, image.error().about});
    auto const names = map::names_for(request.kernel.kernel, request.kernel.map_file);
    if (!names) return tl::unexpected(BootError{names.error().message, BootError::Kind::kernel, names.error().about});
    map::KernelMap const map = map::make_kernel_map(*image, *names, ram);
    auto machine = load(request, *image, map, board::DiskInterface::modern, relay);
    if (!machine) return tl::unexpected(machine.error());
    Ending ending = machine->to_the_end(stop);
    // Kernels of 2020 and 2021 drive the legacy register layout, and panic where they find the modern one.
    if (!machine->started() && std::holds_alternative<Panicked>(ending)) {
        machine = load(request, *image, map, board::DiskInterface::legacy, relay);
        if (!machine) return tl::unexpected(machine.error());
        ending = machine->to_the_end(stop);
    }
    if (machine->engine_failure())
        return tl::unexpected(BootError{*machine->engine_failure(), BootError::Kind::machine});
    machine->relay_new();
    if (machine->started() || std::holds_alternative<Interrupted>(ending))
        return Report{ending, machine->seconds(), machine->console_dropped()};
    return tl::unexpected(BootError{fmt::format("the kernel did not reach user mode: {}.", describe(ending)),
                                    BootError::Kind::kernel, request.kernel.kernel.string()});
}

}  // namespace vmcheck::program
