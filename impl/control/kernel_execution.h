#pragma once
// An Execution on the board: a machine of its own that starts from a kernel's golden image.

#include "impl/board/board.h"
#include "impl/control/conductor.h"
#include "impl/control/step_runner.h"
#include "impl/control/word_watch.h"
#include "impl/elf/kernel_image.h"
#include "impl/map/kernel_map.h"
#include "impl/observe/observer.h"
#include "impl/target.h"
#include "spec/layout.h"

#include <array>
#include <memory>

namespace vmcheck {

// Budgets in executed code.
// Measured on kernels that behave, accelerated: 2^19 parcels for the longest step of ordinary programs, and about 100
// for each page of a heap that the kernel walks page by page.
struct Budgets {
    // To user mode: most of it is the kernel filling all free memory byte by byte, unless that is done by the host.
    board::Parcels boot{std::uint64_t{128} << 20};
    board::Parcels boot_unaccelerated{std::uint64_t{1} << 30};
    board::Parcels step{std::uint64_t{6} << 20};
    std::uint64_t parcels_per_page = 1024;
    // A step that has not ended by then, and may yet, is given so much more.
    board::Parcels more{std::uint64_t{120} << 20};
    // Where the guest runs its own memset and memmove, a page costs it some 50,000 parcels.
    std::uint64_t unaccelerated_factor = 64;
};

// Processes that hold memory, so that a program runs with few frames free (impl/boot/ballast.h). No program uses their
// names, and no observation shows them.
inline constexpr std::array<spec::ProcId, spec::kBallastProcesses> kBallast{spec::ProcId{0xffff'fffd},
                                                                            spec::ProcId{0xffff'fffe}};
constexpr bool is_ballast(spec::ProcId id) {
    return id == kBallast[0] || id == kBallast[1];
}

// What a booted kernel is: everything that its executions share. Immutable.
struct BootedKernel {
    std::shared_ptr<elf::KernelImage const> image;
    std::shared_ptr<map::KernelMap const> map;
    std::shared_ptr<observe::Windows const> windows;
    std::shared_ptr<spec::Setting const> setting;
    std::shared_ptr<board::Golden const> golden;
    board::Config config;
    KernelEntries entries;
    AgentState agents;  // as it was when the golden image was taken
    Descriptors descriptors;
    Budgets budgets;
};

// Breakpoints belong to a board, not to a golden image: every board needs them.
tl::expected<void, BootError> add_breakpoints(board::Board& board, KernelEntries const& entries);

// Names a kernel address: function, file and line as far as they are known.
CodePlace place_of(BootedKernel const& kernel, VirtAddr pc);

class KernelExecution : public Execution {
  public:
    // REQUIRES: `board` stands at the kernel's golden image.
    KernelExecution(std::shared_ptr<BootedKernel const> kernel, board::Board board);
    // The same, on a board of its own. REQUIRES: the image was taken.
    static tl::expected<std::unique_ptr<KernelExecution>, BootError> start(std::shared_ptr<BootedKernel const> kernel);

    void reset() override;
    std::unique_ptr<Moment const> save() override;
    void restore(Moment const& moment) override;
    StepResult run(spec::Step const& step, std::uint64_t pages) override;
    Overlap run_overlapping(spec::Pair const& pair, std::uint64_t pages) override;
    WatchedStep run_watched(spec::Step const& step, std::uint64_t pages) override;
    spec::Observation observe() override;
    void record(bool on) override;
    KernelTrace trace() override;
    std::vector<VirtAddr> lines() override;
    std::vector<CodePlace> places_of(VirtAddr code) const override;
    std::optional<Word> entry_of(FrameNo root, Vpn page) const override;
    std::vector<Word> counts_of(FrameNo frame) const override;
    std::optional<Word> break_of(FrameNo root) const override;
    void watch(Word word) override;
    std::vector<FrameNo> free_frames() override { return observer_.free_frames(); }
    std::vector<WordAccesses> take_accesses() override;
    void note_deeds(bool on) override { conductor_.note_deeds(on); }
    std::vector<Deed> deeds() const override;
    std::uint64_t fresh_code() const override { return board_.counters().fresh_code; }
    void count_edges(std::span<std::uint8_t> counters) override { board_.count_edges(counters); }
    void fence_at_traps(bool on) override { board_.set_fence_at_traps(on); }
    std::optional<CodePlace> failed_allocation() const override;
    std::string console_tail(std::size_t bytes) const override;
    std::optional<std::string> engine_failure() const override { return conductor_.engine_failure(); }

    // Not of one that runs alone: KernelMachine does this, with a machine of its own.
    tl::expected<void, std::string> reset_to(std::uint32_t free_frames) override;
    tl::expected<void, std::string> reset_on(std::uint32_t harts) override;

    // The kernel as it stands here, as one that executions can start from.
    tl::expected<std::shared_ptr<BootedKernel const>, std::string> freeze();

    // The free frames now.
    spec::FrameCensus census() { return observer_.census(); }

    board::Board const& board() const { return board_; }

    // --- for a debugger, which moves the board by itself: after it, only reset() or restore() may follow

    board::Board& board() { return board_; }
    AgentState const& agents() const { return conductor_.state(); }
    // A picture of the machine as it stands, with these processes; where the kernel's process table is known, a running
    // one's page table is the one that it has there.
    spec::Observation observe(AgentState const& agents);
    CodePlace place_at(VirtAddr pc) const { return place_of(*kernel_, pc); }

  private:
    board::Parcels step_budget(std::uint64_t pages) const;
    spec::FrameCensus begin(std::optional<std::uint32_t> oom, std::uint64_t pages);
    spec::Outcome perform(spec::Step const& step);
    spec::Observation look_at(AgentState const& agents, observe::ProcessTable const* table);

    std::shared_ptr<BootedKernel const> kernel_;
    board::Board board_;
    Conductor conductor_;
    observe::Observer observer_;
    std::unique_ptr<WordWatch> word_watch_;
    bool recording_ = false;
};

}  // namespace vmcheck
