#pragma once
// The board: one RAM, one set of devices and 1 to 3 RV64GC harts, enough of QEMU's `virt` machine to run a teaching
// kernel as it is, and instrumented so that a checker can stop it, look into it and put it back as it was.
//
//     auto board = Board::create({.disk_image = image, .memset_at = symbols["memset"]});
//     board->write(segment.address, segment.bytes);                       // for each loadable ELF segment
//     board->reset(entry);
//     while (true) {
//         Stop stop = board->run(Parcels{50'000'000});                    // boots in M-mode, as with QEMU `-bios none`
//         if (std::holds_alternative<stop::Hypercall>(stop)) break;       // the agent asks for its first order
//     }
//     auto golden = board->take_golden();                                 // share it with the other workers' boards
//     ... run, observe ...
//     board->restore();                                                   // back to golden: copies the dirty frames
//     only
//
// Time on the board is virtual. It advances by the code that harts execute, never by the host's clock, so that two
// runs of the same program from the same state are the same run. (But for a guest that makes the host work far harder
// than its code says, whose time also depends on what was translated before: Hart::charge_host_work.) Its unit is the
// parcel (below).
//
// A Board is used by one thread at a time; different boards are independent. No function here throws.

#include "impl/abi/agent_abi.h"
#include "impl/board/late_frames.h"
#include "impl/board/reached_code.h"
#include "impl/board/recording.h"
#include "impl/board/types.h"
#include "spec/address.h"

#include <tl/expected.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vmcheck::board {

inline constexpr Blocks kHartSliceMin{16};

// What a board is made of. Every field has a default that suits a kernel of the xv6 family.
struct Config {
    // Bytes of RAM from kRamStart on: a multiple of 4 KiB, from 1 MiB to 1 GiB. Teaching kernels expect 128 MiB.
    std::uint64_t ram_bytes = std::uint64_t{128} << 20;
    // 1 to 3. Of several, one runs at a time: for at most `hart_slice`, or until it waits in wfi, goes round in circles
    // (as at a spin lock), or a switch was asked for (switch_hart_after). The interleaving depends on nothing else.
    unsigned harts = 1;
    // Not less than kHartSliceMin, or an lr/sc loop, which loses its reservation at each switch, might never end.
    Blocks hart_slice{1024};
    // Which register layout the virtio-mmio block device shows (virtio 1.1, 4.2.2 and 4.2.4): kernels of 2020 and 2021
    // need `legacy`, those since 2022 `modern`.
    DiskInterface disk_interface = DiskInterface::modern;
    // The disk's contents; padded with zeros to whole 512-byte sectors. Empty: a disk of no sectors.
    std::vector<std::byte> disk_image{};
    // Entry addresses of the kernel's memset, memmove and memcpy, to be done by the host: the same bytes in the same
    // frames, but faster. Calls whose arguments are not plain RAM under the current translation are left to the guest.
    // All empty: nothing is accelerated.
    std::optional<VirtAddr> memset_at{};
    std::optional<VirtAddr> memmove_at{};
    std::optional<VirtAddr> memcpy_at{};
    // Loops over a table of processes, of which those that are unused are passed over, and over page tables, of which
    // entries that are 0 are (pass_over_idle).
    std::vector<TableScan> scans{};
    std::vector<WordScan> word_scans{};
    // A write of satp drops all cached translations, as it does on QEMU, where students test their kernels. When false,
    // translations live until the kernel's own sfence.vma, as hardware may have it, and a missing one shows.
    bool flush_on_satp_write = true;
    // Console output is kept up to this many bytes; what comes after is counted and dropped.
    std::size_t console_bytes_max = std::size_t{1} << 20;
    // How many executed blocks a trace remembers (the latest ones).
    std::size_t trace_blocks_max = std::size_t{1} << 16;
    // How much executed code makes mtime advance by one. QEMU's clock runs at 10 MHz: at the default, the 1,000,000
    // units between two of xv6's timer interrupts are some ten million instructions.
    Parcels parcels_per_time_unit{16};
    // Once it is asked for, every run() ends soon, and each one after it at once, with an EngineError: the machine was
    // stopped in the midst of something, and says nothing any more.
    std::stop_token stop{};
    // Told of the code that runs in S- and M-mode; null: nobody is. May be shared by boards on any threads.
    std::shared_ptr<ReachedCode> reached{};
};

// Why run() returned. The board may be run on after each of these, except after EngineError.
namespace stop {
// A U-mode hart executed the hypercall (an ecall with VMCHECK_HYPERCALL in a7), which the kernel never sees. Its pc is
// still at the ecall; its registers may be read and written. The next run() goes on after the ecall, unless the pc was
// written or an interrupt was taken first (raise_timer).
struct Hypercall {
    HartIndex hart;
};
// The parcels given to run() have been spent: the kernel loops, or needs more.
struct BudgetExhausted {};
// Every hart that is not parked waits for an interrupt and none can come: no timer is set and no device has anything
// pending.
struct Idle {};
// A hart in S- or M-mode is about to execute an armed breakpoint's address (add_breakpoint). The next run() goes on
// with that instruction, or wherever the caller has set the pc.
struct Breakpoint {
    HartIndex hart;
    VirtAddr address;
};
// An exception went to M-mode, and the kernel has installed no M-mode handler (mtvec is 0). The trap was not taken:
// pc is at the instruction, and running on meets the same exception again.
struct MachineTrap {
    HartIndex hart;
    std::uint64_t cause;  // as in mcause
    VirtAddr pc;
    std::uint64_t value;  // as in mtval
};
// The emulator itself failed. The text is a full sentence. The board can only be restored or destroyed.
struct EngineError {
    std::string text;
};
}  // namespace stop

using Stop = std::variant<stop::Hypercall, stop::BudgetExhausted, stop::Idle, stop::Breakpoint, stop::MachineTrap,
                          stop::EngineError>;

class Machine;

// An image of a whole machine that any number of boards may start from, on any thread. Immutable.
struct Golden;

// A later state of a board that stands on a golden image: holds only what differs. Copyable, cheap to move, usable on
// every board that has the same golden image.
class Checkpoint {
  public:
    // The memory that this checkpoint holds, in bytes.
    std::size_t bytes() const;

    struct Contents;

  private:
    friend class Board;
    explicit Checkpoint(std::shared_ptr<Contents const> contents) : contents_(std::move(contents)) {}
    std::shared_ptr<Contents const> contents_;
};

class Board {
  public:
    // Builds a board with cleared RAM, its harts in M-mode at kRamStart. Fails when the configuration is out of range
    // or the emulator or the host's memory cannot be had.
    static tl::expected<Board, Error> create(Config config);

    Board(Board&&) noexcept;
    Board& operator=(Board&&) noexcept;
    ~Board();

    // --- running ---------------------------------------------------------------------------------

    // To be called when the kernel has been loaded. All harts to M-mode at `entry`, registers 0 but a0 = the hart's
    // number (as QEMU's reset code leaves it).
    void reset(PhysAddr entry);

    // Runs until something of `Stop` happens. At least one block or trap is executed per call; the budget may be
    // overrun by one block (at most a page of code). Deterministic.
    Stop run(Parcels budget);

    // The timer that the kernel has set (stimecmp where menvcfg.STCE is set, the CLINT's mtimecmp otherwise) expires
    // now: virtual time jumps to it; of several harts' it is the current one's alone, which is set to now. A hart that
    // has the interrupt enabled takes it before its next instruction, the way the kernel arranged it (through the
    // M-mode vector for CLINT kernels). After a Hypercall stop the ecall is not completed: when that process is
    // scheduled again, it asks again. Returns false, and does nothing, when the kernel has set no timer.
    bool raise_timer();

    // In the next run(): raise_timer() at the first block boundary at or after `after` of execution. One shot.
    void preempt_after(Parcels after);

    // In the next run(): after so many blocks another hart goes on, if one can. One shot.
    void switch_hart_after(Blocks after);
    // The next run() begins with this hart, and read() and write() mean it. Requires: hart.value < harts().
    void select_hart(HartIndex hart);
    // A parked hart stays where it is, whatever interrupts it, and the others go on without it. For harts in U-mode, at
    // a hypercall: one that holds a lock would keep the others waiting for ever. Requires: hart.value < harts().
    void park_hart(HartIndex hart, bool parked);
    bool is_parked(HartIndex hart) const;
    // The hart that stopped last, or was selected since (hart 0 at first).
    HartIndex current_hart() const;
    // Where the hart is at a hypercall, it will ask again rather than go on after the ecall. Requires: as above.
    void ask_again(HartIndex hart);
    // False: it waits in wfi for an interrupt, or is parked. Requires: as above.
    bool can_go_on(HartIndex hart);

    // Stop before the instruction at `address` is executed in S- or M-mode. Armed always, from the start.
    // `words`: of 64 bits in RAM, for Armed::where_zero. Of one that is known already, they stay as they are.
    // Adding one drops every translated block, so add all of them before the golden image is taken.
    // Fails only when the emulator refuses.
    tl::expected<void, Error> add_breakpoint(VirtAddr address, std::vector<PhysAddr> words = {});
    // One that does not stop is passed over, at the cost of one call on its way. Requires: added before.
    void arm_breakpoint(VirtAddr address, Armed when);

    // --- registers -------------------------------------------------------------------------------

    // Of the hart that stopped last (hart 0 at first). CSRs are reached whatever the hart's privilege is.
    std::uint64_t read(Register which) const;
    void write(Register which, std::uint64_t value);
    // Of any hart. Requires: hart.value < harts().
    std::uint64_t read(HartIndex hart, Register which) const;
    void write(HartIndex hart, Register which, std::uint64_t value);
    unsigned harts() const;

    // --- memory ----------------------------------------------------------------------------------

    PhysAddr ram_start() const;
    PhysAddr ram_end() const;

    // All of RAM, from kRamStart on; valid until the board runs on or is restored. Takes as much memory of the host.
    std::span<std::byte const> ram() const;
    // The same without that, and valid as long as the board is: but what is late (late_frames.h) is to be written out
    // before one looks at it.
    std::span<std::byte const> pages() const;
    LateFrames const& late_frames() const;
    // So many bytes of RAM, until the board runs on or is restored. Requires: they lie there.
    std::span<std::byte const> bytes(PhysAddr address, std::uint64_t count) const;
    // The bytes of a frame of RAM, or nothing where there is no RAM.
    std::optional<std::span<std::byte const, kPageBytes>> frame(FrameNo frame) const;
    // Little-endian, unaligned allowed; nothing where any byte lies outside RAM.
    std::optional<std::uint8_t> read_u8(PhysAddr address) const;
    std::optional<std::uint32_t> read_u32(PhysAddr address) const;
    std::optional<std::uint64_t> read_u64(PhysAddr address) const;

    // Where `address` leads under `satp`, at `privilege`, for `access`, with SUM and MXR taken as 0. Looks only: never
    // sets A or D bits.
    tl::expected<Translation, PageFault> translate(std::uint64_t satp, VirtAddr address, Access access,
                                                   Privilege privilege) const;

    // Writes guest RAM from the host: marks frames dirty and drops code translated from them.
    // Returns false, and writes nothing, where any byte lies outside RAM.
    bool write(PhysAddr address, std::span<std::byte const> bytes);

    // --- snapshots -------------------------------------------------------------------------------

    // Takes this state (RAM, harts, devices, disk, virtual time, length of the console) as the one that restore()
    // returns to. Call it between two run()s. Fails when the host's memory cannot be had.
    // Takes host memory only for the pages in which RAM differs from `like`, or else from the golden image before.
    tl::expected<std::shared_ptr<Golden const>, Error> take_golden(std::shared_ptr<Golden const> like = {});
    // Starts from a golden image that another board took, without booting. RAM pages are shared until written; the
    // disk is the image's. Breakpoints are each board's own: add them here too.
    // Fails when that board was configured with other RAM or harts.
    tl::expected<void, Error> adopt(std::shared_ptr<Golden const> golden);
    // Back to the golden image. Returns how many frames had to be copied. Requires: take_golden or adopt before.
    std::size_t restore();

    // The present state, relative to the golden image. Requires: take_golden or adopt before.
    Checkpoint save() const;
    // Back to a saved state. Returns how many frames had to be copied. Requires: the golden image that it was saved on.
    std::size_t restore(Checkpoint const& checkpoint);

    // What is done from here on is tried out: end_trial() undoes it. As save() and restore(), but of memory it keeps
    // only the frames that are written in between. Requires: a golden image, of which nothing is asked in a trial.
    void begin_trial();
    void end_trial();
    // The frames that may differ from what they held when the trial began. Requires: one has.
    std::span<FrameNo const> frames_of_trial() const;

    // The frames that may differ from the golden image, in order of their first write. All others are the same.
    // (Before a golden image: that may differ from cleared RAM.)
    std::span<FrameNo const> dirty_frames() const;
    bool is_dirty(FrameNo frame) const;
    // The frames that may have been written, by whomever, since the last call. For one who looks again and again.
    std::vector<FrameNo> take_written_frames();

    // --- disk ------------------------------------------------------------------------------------

    // What is on the disk now, in whole sectors: the image, and what the kernel has written.
    std::vector<std::byte> disk_contents() const;

    // --- console ---------------------------------------------------------------------------------

    // What the kernel has sent to the UART, from boot or as of the golden image on. Valid until the next call.
    std::string_view console() const;
    // How many bytes were dropped after Config::console_bytes_max.
    std::uint64_t console_dropped() const;
    // Types at the console: the kernel is interrupted as its UART settings ask for. Bytes wait in a bounded queue
    // (4 KiB); returns how many were taken.
    std::size_t type(std::string_view text);

    // --- for reports and measurements ------------------------------------------------------------

    // Virtual time: executed code since reset; goes back with restore().
    Parcels elapsed() const;
    // What mtime reads: virtual time as the guest's clock shows it, in units of a ten-millionth of a second. Where
    // every hart waits it jumps to the next event, so it says nothing about how long that took.
    TimeUnits time() const;
    // Totals of this board, never restored. For benches and `doctor`; see types.h for what is deterministic.
    Counters const& counters() const;
    // Accesses to physical addresses with nothing behind them (read as 0, writes ignored; QEMU's `virt` machine raises
    // an access fault): the first few since reset or since the last restore.
    std::span<VoidAccess const> void_accesses() const;
    // The latest exception (not interrupt) that was taken to S-mode from S-mode: for most kernels, their death.
    std::optional<KernelFault> last_kernel_fault() const;

    // Whether each trap, and each hypercall, drops all cached translations, which real hardware need not do.
    void set_fence_at_traps(bool on);

    // Remember the addresses of blocks that run in S-mode. Costs nothing when off. Turning it on forgets the old trace.
    void set_trace(bool on);
    // The latest Config::trace_blocks_max blocks, oldest first.
    std::vector<VirtAddr> trace() const;
    // All blocks of the trace, also those that it has no room for: where each begins, and its bytes of code. Valid
    // until the board runs on.
    std::map<VirtAddr, std::uint32_t> const& traced_code() const;

    // Where the hart was when the turn that was asked for (preempt_after, switch_hart_after) went over, since the
    // latest watch_turn().
    void watch_turn();
    std::optional<Turned> turned() const;

    // Count there how often the guest's code above the start of RAM went from one block to another, by a hash of both;
    // a counter stays at its most. The same run counts the same. The counters must outlive that; empty: no more.
    void count_edges(std::span<std::uint8_t> counters);

    // Whether loops over tables pass over what is unused (Config::scans), which leaves out code that says nothing, and
    // the time that it takes; on at first, and always in a trial.
    void pass_over_idle(bool on);

    // Remember when a hart stood before a block with S-mode interrupts enabled: where an interrupt would be taken. At
    // most as many as a trace remembers. Costs nothing when off. Turning it on forgets what was remembered.
    void set_openings(bool on);
    // In terms of elapsed(), ascending.
    std::vector<Parcels> openings() const;

    // --- for debuggers ---------------------------------------------------------------------------

    // From now on notes all that is asked of this board and may change its state (recording.h); null: no more. What
    // makes it another machine (reset, take_golden, adopt) must not be asked meanwhile. The recording must outlive
    // that.
    void record(Recording* recording);
    // A mark in the recording, where there is one.
    void mark(Request::Kind kind);
    // The first call has all code translated anew, and from then on each instruction costs several times what it did,
    // which changes nothing of what is executed but where a very long block is taken apart. The watcher must outlive
    // this board, or be replaced; null: nobody is told.
    tl::expected<void, Error> watch_instructions(InstructionWatcher* watcher);

    // A hash (64-bit XXH3) of RAM, of every hart's registers, of the disk and of the devices' state: equal machines
    // have equal hashes. Reads all of RAM (about 15 ms).
    std::uint64_t hash() const;

  private:
    explicit Board(std::unique_ptr<Machine> machine);
    // Of what was just asked.
    template <class Again>
    void note(Request::Kind kind, Again again);
    std::unique_ptr<Machine> machine_;
    Recording* recording_ = nullptr;
};

}  // namespace vmcheck::board
