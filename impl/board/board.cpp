#include "impl/board/board.h"

#include "impl/board/machine.h"
#include "impl/board/sv39.h"

#include <algorithm>
#include <utility>

namespace vmcheck::board {

tl::expected<Board, Error> Board::create(Config config) {
    return Machine::create(std::move(config)).map([](std::unique_ptr<Machine>&& machine) {
        return Board{std::move(machine)};
    });
}

Board::Board(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}
Board::Board(Board&&) noexcept = default;
Board& Board::operator=(Board&&) noexcept = default;
Board::~Board() = default;

template <class Again>
void Board::note(Request::Kind kind, Again again) {
    if (recording_ != nullptr) recording_->requests.push_back({kind, std::move(again), elapsed()});
}

void Board::reset(PhysAddr entry) {
    machine_->reset(entry);
}
Stop Board::run(Parcels budget) {
    Stop stop = machine_->run(budget);
    note(Request::Kind::run, [=](Board& board) { board.run(budget); });
    return stop;
}
bool Board::raise_timer() {
    note(Request::Kind::other, [](Board& board) { board.raise_timer(); });
    return machine_->raise_timer();
}
void Board::preempt_after(Parcels after) {
    machine_->preempt_after(after);
    note(Request::Kind::other, [=](Board& board) { board.preempt_after(after); });
}
void Board::switch_hart_after(Blocks after) {
    machine_->switch_hart_after(after);
    note(Request::Kind::other, [=](Board& board) { board.switch_hart_after(after); });
}
void Board::select_hart(HartIndex hart) {
    machine_->select_hart(hart);
    note(Request::Kind::other, [=](Board& board) { board.select_hart(hart); });
}
void Board::park_hart(HartIndex hart, bool parked) {
    machine_->hart(hart).state.parked = parked;
    note(Request::Kind::other, [=](Board& board) { board.park_hart(hart, parked); });
}
bool Board::is_parked(HartIndex hart) const {
    return machine_->hart(hart).state.parked;
}
HartIndex Board::current_hart() const {
    return machine_->current_index();
}
void Board::ask_again(HartIndex hart) {
    machine_->hart(hart).abandon_hypercall();
    note(Request::Kind::other, [=](Board& board) { board.ask_again(hart); });
}
bool Board::can_go_on(HartIndex hart) {
    // To ask makes interrupts that have come show.
    note(Request::Kind::other, [=](Board& board) { board.can_go_on(hart); });
    return machine_->hart(hart).can_go_on();
}
tl::expected<void, Error> Board::add_breakpoint(VirtAddr address, std::vector<PhysAddr> words) {
    if (std::optional<Error> error = machine_->add_breakpoint(address, std::move(words))) return tl::unexpected(*error);
    return {};
}
void Board::arm_breakpoint(VirtAddr address, Armed when) {
    machine_->arm_breakpoint(address, when);
    note(Request::Kind::lasting, [=](Board& board) { board.arm_breakpoint(address, when); });
}

std::uint64_t Board::read(Register which) const {
    return machine_->current().read(which);
}
void Board::write(Register which, std::uint64_t value) {
    machine_->current().write(which, value);
    note(Request::Kind::other, [=](Board& board) { board.write(which, value); });
}
std::uint64_t Board::read(HartIndex hart, Register which) const {
    return machine_->hart(hart).read(which);
}
void Board::write(HartIndex hart, Register which, std::uint64_t value) {
    machine_->hart(hart).write(which, value);
    note(Request::Kind::other, [=](Board& board) { board.write(hart, which, value); });
}
unsigned Board::harts() const {
    return machine_->harts();
}

PhysAddr Board::ram_start() const {
    return kRamStart;
}
PhysAddr Board::ram_end() const {
    return machine_->memory.end();
}
std::span<std::byte const> Board::ram() const {
    return bytes(ram_start(), machine_->memory.size());
}
std::span<std::byte const> Board::pages() const {
    return machine_->memory.pages();
}
LateFrames const& Board::late_frames() const {
    return machine_->memory.late();
}
std::span<std::byte const> Board::bytes(PhysAddr address, std::uint64_t count) const {
    return *machine_->memory.view(address, count);
}

std::optional<std::span<std::byte const, kPageBytes>> Board::frame(FrameNo frame) const {
    if (!machine_->memory.contains(frame)) return std::nullopt;
    return machine_->memory.frame(frame);
}

std::optional<std::uint8_t> Board::read_u8(PhysAddr address) const {
    return machine_->memory.load<std::uint8_t>(address);
}
std::optional<std::uint32_t> Board::read_u32(PhysAddr address) const {
    return machine_->memory.load<std::uint32_t>(address);
}
std::optional<std::uint64_t> Board::read_u64(PhysAddr address) const {
    return machine_->memory.load<std::uint64_t>(address);
}

tl::expected<Translation, PageFault> Board::translate(std::uint64_t satp, VirtAddr address, Access access,
                                                      Privilege privilege) const {
    return walk(machine_->memory, WalkRequest{satp, address, access, privilege, false, false});
}

bool Board::write(PhysAddr address, std::span<std::byte const> bytes) {
    auto const target = machine_->memory.open_for_write(address, bytes.size());
    if (!target) return false;
    std::ranges::copy(bytes, target->begin());
    note(Request::Kind::other,
         [=, copy = std::vector(bytes.begin(), bytes.end())](Board& board) { board.write(address, copy); });
    return true;
}

std::span<FrameNo const> Board::frames_of_trial() const {
    return machine_->memory.frames_of_trial();
}

std::span<FrameNo const> Board::dirty_frames() const {
    return machine_->memory.dirty_frames();
}
bool Board::is_dirty(FrameNo frame) const {
    return machine_->memory.is_dirty(frame);
}
std::vector<FrameNo> Board::take_written_frames() {
    return machine_->memory.take_written();
}

std::vector<std::byte> Board::disk_contents() const {
    return machine_->disk.contents();
}

std::string_view Board::console() const {
    return machine_->console.text();
}
std::uint64_t Board::console_dropped() const {
    return machine_->console.dropped();
}
std::size_t Board::type(std::string_view text) {
    note(Request::Kind::other, [copy = std::string(text)](Board& board) { board.type(copy); });
    return machine_->uart.receive(text);
}

Parcels Board::elapsed() const {
    return Parcels{machine_->clock.parcels};
}
TimeUnits Board::time() const {
    return TimeUnits{machine_->clock.time()};
}
Counters const& Board::counters() const {
    return machine_->counters;
}
std::span<VoidAccess const> Board::void_accesses() const {
    return machine_->reports.void_accesses;
}
std::optional<KernelFault> Board::last_kernel_fault() const {
    return machine_->reports.kernel_fault;
}
void Board::set_fence_at_traps(bool on) {
    machine_->fence_at_traps = on;
    note(Request::Kind::lasting, [=](Board& board) { board.set_fence_at_traps(on); });
}
void Board::set_trace(bool on) {
    machine_->reports.trace.set_on(on);
}
void Board::watch_turn() {
    machine_->reports.watch_turn(true);
}
std::optional<Turned> Board::turned() const {
    return machine_->reports.turned;
}
void Board::count_edges(std::span<std::uint8_t> counters) {
    machine_->reports.edges.count_in(counters);
}
void Board::pass_over_idle(bool on) {
    machine_->may_pass_over_idle = on;
    note(Request::Kind::lasting, [=](Board& board) { board.pass_over_idle(on); });
}
void Board::set_openings(bool on) {
    machine_->reports.openings.set_on(on);
}
std::vector<Parcels> Board::openings() const {
    return machine_->reports.openings.times();
}
std::vector<VirtAddr> Board::trace() const {
    return machine_->reports.trace.blocks();
}

std::map<VirtAddr, std::uint32_t> const& Board::traced_code() const {
    return machine_->reports.trace.seen();
}

void Board::record(Recording* recording) {
    recording_ = recording;
}
void Board::mark(Request::Kind kind) {
    note(kind, [](Board&) {});
}
tl::expected<void, Error> Board::watch_instructions(InstructionWatcher* watcher) {
    if (std::optional<Error> error = machine_->watch_instructions(watcher)) return tl::unexpected(*error);
    return {};
}

}  // namespace vmcheck::board
