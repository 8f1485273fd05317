#include "impl/control/kernel_execution.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace vmcheck {

namespace {

std::string describe(CodePlace const& place) {
    if (place.function.empty()) return "an address outside the kernel's code";
    if (place.file.empty()) return place.function;
    return fmt::format("{} ({}:{})", place.function, place.file, place.line);
}

// A program says instructions; the board counts 16-bit parcels. Most instructions are two of them.
constexpr std::uint64_t kParcelsPerInstruction = 2;

// Of processes that ended while two steps overlapped it is not known in which. A kill's target is the kill's; the
// actors' own ends are their outcomes; the rest should not be, and is told of the first.
void share_out_ended(spec::Pair const& pair, spec::PairOutcome& outcome) {
    std::set<spec::ProcId> ended(outcome.first.ended_others.begin(), outcome.first.ended_others.end());
    ended.insert(outcome.second->ended_others.begin(), outcome.second->ended_others.end());
    ended.erase(pair.first.actor);
    ended.erase(pair.second.actor);
    auto const take_target = [&](spec::Step const& step) {
        std::vector<spec::ProcId> taken;
        auto const* kill = std::get_if<spec::Kill>(&step.action);
        if (kill != nullptr && ended.erase(kill->target) > 0) taken.push_back(kill->target);
        return taken;
    };
    outcome.second->ended_others = take_target(pair.second);
    outcome.first.ended_others = take_target(pair.first);
    outcome.first.ended_others.insert(outcome.first.ended_others.end(), ended.begin(), ended.end());
}

observe::ProcessTable const* table_of(BootedKernel const& kernel) {
    return kernel.windows->processes ? &*kernel.windows->processes : nullptr;
}

}  // namespace

CodePlace place_of(BootedKernel const& kernel, VirtAddr pc) {
    CodePlace place;
    if (auto function = kernel.image->function_at(pc)) place.function = function->name;
    if (auto line = kernel.map->lines.source_line(pc)) {
        place.file = line->file;
        place.line = line->line;
        if (!line->function.empty()) place.function = line->function;
    }
    return place;
}

tl::expected<void, BootError> add_breakpoints(board::Board& board, KernelEntries const& entries) {
    tl::expected<void, board::Error> added;
    if (entries.panic) added = board.add_breakpoint(*entries.panic);
    if (added && entries.allocate) added = board.add_breakpoint(*entries.allocate, entries.free_list_heads);
    if (!added) return tl::unexpected(BootError{added.error().message, BootError::Kind::machine});
    // Armed for single steps only.
    if (entries.allocate) board.arm_breakpoint(*entries.allocate, board::Armed::never);
    return {};
}

KernelExecution::KernelExecution(std::shared_ptr<BootedKernel const> kernel, board::Board board)
    : kernel_(std::move(kernel)),
      board_(std::move(board)),
      conductor_(board_, table_of(*kernel_), kernel_->entries,
                 [this](VirtAddr pc) { return describe(place_of(*kernel_, pc)); }),
      observer_(board_, kernel_->windows) {
    reset();
}

tl::expected<std::unique_ptr<KernelExecution>, BootError> KernelExecution::start(
    std::shared_ptr<BootedKernel const> kernel) {
    auto board = board::Board::create(kernel->config);
    if (!board) return tl::unexpected(BootError{board.error().message, BootError::Kind::machine});
    if (auto added = add_breakpoints(*board, kernel->entries); !added) return tl::unexpected(added.error());
    if (auto adopted = board->adopt(kernel->golden); !adopted)
        return tl::unexpected(BootError{adopted.error().message, BootError::Kind::machine});
    return std::make_unique<KernelExecution>(std::move(kernel), std::move(*board));
}

void KernelExecution::reset() {
    board_.restore();
    conductor_.resume(kernel_->agents);
}

namespace {

struct SavedMachine : Moment {
    SavedMachine(board::Checkpoint saved_board, AgentState saved_agents)
        : board(std::move(saved_board)), agents(std::move(saved_agents)) {}
    board::Checkpoint board;
    AgentState agents;
};

}  // namespace

std::unique_ptr<Moment const> KernelExecution::save() {
    return std::make_unique<SavedMachine>(board_.save(), conductor_.state());
}

void KernelExecution::restore(Moment const& moment) {
    auto const& saved = dynamic_cast<SavedMachine const&>(moment);
    board_.restore(saved.board);
    conductor_.resume(saved.agents);
}

std::optional<CodePlace> KernelExecution::failed_allocation() const {
    auto const asked = conductor_.state().allocations.refused_at();
    if (!asked) return std::nullopt;
    // Of what was compiled into one function there, a wrapper of another file tells nothing.
    std::vector<CodePlace> const places = places_of(*asked);
    return *std::ranges::find(places, places.back().file, &CodePlace::file);
}

tl::expected<void, std::string> KernelExecution::reset_to(std::uint32_t) {
    return tl::unexpected(std::string("This machine has no processes that hold memory."));
}

tl::expected<void, std::string> KernelExecution::reset_on(std::uint32_t harts) {
    if (board_.harts() != harts)
        return tl::unexpected(fmt::format("This machine has another number of harts: {}.", board_.harts()));
    reset();
    return {};
}

tl::expected<std::shared_ptr<BootedKernel const>, std::string> KernelExecution::freeze() {
    auto frozen = std::make_shared<BootedKernel>(*kernel_);
    frozen->agents = conductor_.state();
    if (kernel_->windows->free_list) {
        auto list = observe::GoldenFreeList::take(observe::ram_of(board_), kernel_->entries.free_list_heads);
        if (!list) return tl::unexpected(std::string("The free list is broken."));
        auto windows = std::make_shared<observe::Windows>(*kernel_->windows);
        windows->free_list = std::make_shared<observe::GoldenFreeList const>(std::move(*list));
        frozen->windows = std::move(windows);
    }
    auto golden = board_.take_golden();
    if (!golden) return tl::unexpected(golden.error().message);
    frozen->golden = std::move(*golden);
    return frozen;
}

board::Parcels KernelExecution::step_budget(std::uint64_t pages) const {
    Budgets const& budgets = kernel_->budgets;
    std::uint64_t const factor = kernel_->config.memset_at ? 1 : budgets.unaccelerated_factor;
    return board::Parcels{(budgets.step.value + pages * budgets.parcels_per_page) * factor};
}

// Begins a step; returns the free frames before it.
spec::FrameCensus KernelExecution::begin(std::optional<std::uint32_t> oom, std::uint64_t pages) {
    spec::FrameCensus const before = census();
    if (kernel_->entries.allocate) {
        // One that finds nothing excuses a kernel where memory may run out by itself, as it may where all that there is
        // is asked for at once; elsewhere somebody has wasted it.
        constexpr std::uint64_t kScarce = 256;
        bool const scarce = !before.free || *before.free < kScarce + pages;
        using board::Armed;
        board_.arm_breakpoint(*kernel_->entries.allocate, oom      ? Armed::always
                                                          : scarce ? Armed::where_zero
                                                                   : Armed::never);
    }
    if (recording_) board_.set_trace(true);
    board::Parcels const budget = step_budget(pages);
    conductor_.begin_step(budget, budget + kernel_->budgets.more, oom);
    return before;
}

spec::Outcome KernelExecution::perform(spec::Step const& step) {
    board_.mark(board::Request::Kind::step);
    if (step.faults.preempt)
        conductor_.time().interrupt_after(board::Parcels{std::uint64_t{*step.faults.preempt} * kParcelsPerInstruction});
    if (step.faults.switch_hart) conductor_.time().switch_hart_after(board::Blocks{*step.faults.switch_hart});
    return run_step(conductor_, *kernel_->setting, kernel_->descriptors, step);
}

namespace {

// Where a step is interrupted counts what is executed: all of it, as on other machines.
bool is_interrupted(spec::Step const& step) {
    return step.faults.preempt || step.faults.switch_hart;
}

}  // namespace

StepResult KernelExecution::run(spec::Step const& step, std::uint64_t pages) {
    board_.pass_over_idle(!is_interrupted(step));
    spec::FrameCensus const before = begin(step.faults.oom, pages);
    return {perform(step), before};
}

Overlap KernelExecution::run_overlapping(spec::Pair const& pair, std::uint64_t pages) {
    spec::Step const& first = pair.first;
    spec::Step const& second = pair.second;
    Overlap overlap;
    board_.pass_over_idle(false);
    overlap.before = begin(first.faults.oom ? first.faults.oom : second.faults.oom, 2 * pages);
    spec::PairOutcome& outcome = overlap.outcome;
    if (first.faults.switch_hart) {
        auto const side_by_side = conductor_.bring_side_by_side(first.actor, second.actor);
        if (!side_by_side) {
            outcome.first = {side_by_side.error()};
            return overlap;
        }
    }
    conductor_.do_meanwhile(second.actor, [&]() -> Done {
        overlap.reached = true;
        board_.pass_over_idle(!is_interrupted(second));
        outcome.second = perform(second);
        if (spec::is_mishap(*outcome.second)) return tl::unexpected(outcome.second->what);
        return {};
    });
    outcome.first = perform(first);
    conductor_.cancel_meanwhile();
    conductor_.time().end_interruption();
    if (!outcome.second && !spec::is_mishap(outcome.first)) outcome.second = perform(second);
    if (!spec::is_mishap(outcome.first) && !spec::is_mishap(*outcome.second))
        if (Done done = conductor_.let_harts_finish(); !done) outcome.first = {done.error()};
    if (outcome.second) share_out_ended(pair, outcome);
    return overlap;
}

WatchedStep KernelExecution::run_watched(spec::Step const& step, std::uint64_t pages) {
    board_.set_openings(true);
    board_.pass_over_idle(false);
    spec::FrameCensus const before = begin(step.faults.oom, pages);
    WatchedStep watched{{perform(step), before}, {}};
    board_.set_openings(false);
    auto const [start, end, blocks] = conductor_.time().work();
    watched.blocks = static_cast<std::uint32_t>(std::min<std::uint64_t>(blocks, UINT32_MAX));
    std::optional<board::Parcels> previous;
    for (board::Parcels const at : board_.openings()) {
        if (at < start || at > end) continue;
        std::uint64_t const after = (at - start).value / kParcelsPerInstruction;
        // The interrupt comes at the first opening at or after that time.
        bool const is_first = !previous || start + board::Parcels{after * kParcelsPerInstruction} > *previous;
        if (is_first && after <= std::numeric_limits<std::uint32_t>::max())
            watched.interruptions.push_back(static_cast<std::uint32_t>(after));
        previous = at;
    }
    return watched;
}

spec::Observation KernelExecution::observe() {
    return look_at(conductor_.state(), nullptr);
}

spec::Observation KernelExecution::observe(AgentState const& agents) {
    return look_at(agents, table_of(*kernel_));
}

// `table`: where running processes' page tables are looked up; null: as the agents last showed them.
spec::Observation KernelExecution::look_at(AgentState const& agents, observe::ProcessTable const* table) {
    std::vector<observe::Subject> running;
    for (Agent const& agent : agents.roster.agents()) {
        if (is_ballast(agent.id)) continue;
        auto const entry =
            table != nullptr && agent.pid != 0 ? table->find(observe::ram_of(board_), agent.pid) : std::nullopt;
        running.push_back({agent.id, entry ? entry->root.value_or(agent.root) : agent.root});
    }
    std::sort(running.begin(), running.end(), [](auto const& a, auto const& b) { return a.id < b.id; });
    std::vector<observe::EndedSubject> ended;
    for (Agent const& agent : agents.roster.ended()) ended.push_back({agent.id, agent.pid});
    return observer_.observe(running, ended);
}

void KernelExecution::record(bool on) {
    recording_ = on;
    if (!on) board_.set_trace(false);
}

KernelTrace KernelExecution::trace() {
    KernelTrace trace;
    if (!recording_) return trace;
    std::vector<std::string> way;
    for (VirtAddr pc : board_.trace()) {
        auto const function = kernel_->image->function_at(pc);
        if (!function || (!way.empty() && function->name == way.back())) continue;
        way.push_back(function->name);
        auto const known = std::any_of(trace.functions.begin(), trace.functions.end(),
                                       [&](CodePlace const& place) { return place.function == function->name; });
        if (known) continue;
        CodePlace place = place_of(*kernel_, pc);
        place.function = function->name;
        trace.functions.push_back(std::move(place));
    }
    if (kernel_->entries.allocate)
        if (auto const allocator = kernel_->image->function_at(*kernel_->entries.allocate))
            trace.of_allocator = ran_only_within(allocator->name, way);
    if (auto const died = conductor_.died_at()) trace.last = place_of(*kernel_, *died);
    return trace;
}

std::vector<VirtAddr> KernelExecution::lines() {
    std::set<VirtAddr> starts;
    for (auto const& [start, bytes] : board_.traced_code())
        for (VirtAddr line : kernel_->map->lines.starts(start, start + bytes)) starts.insert(line);
    return {starts.begin(), starts.end()};
}

std::vector<CodePlace> KernelExecution::places_of(VirtAddr code) const {
    std::vector<CodePlace> places;
    for (map::SourcePlace& frame : kernel_->map->lines.inlined_frames(code))
        places.push_back({std::move(frame.function), std::move(frame.file), frame.line});
    if (places.empty() || places.back().function.empty()) return {place_of(*kernel_, code)};
    return places;
}

std::optional<Word> KernelExecution::entry_of(FrameNo root, Vpn page) const {
    auto const at = observe::entry_of(observe::ram_of(board_), root, page);
    return at ? std::optional(Word{*at, sizeof(std::uint64_t)}) : std::nullopt;
}

std::vector<Word> KernelExecution::counts_of(FrameNo frame) const {
    std::vector<Word> words;
    if (auto const& counts = kernel_->windows->counts)
        for (PhysAddr at : counts->places(observe::ram_of(board_), frame))
            words.push_back({at, counts->layout().element_bytes});
    return words;
}

std::optional<Word> KernelExecution::break_of(FrameNo root) const {
    auto const& processes = kernel_->windows->processes;
    auto const at = processes ? processes->break_of(observe::ram_of(board_), root) : std::nullopt;
    return at ? std::optional(Word{at->first, at->second}) : std::nullopt;
}

void KernelExecution::watch(Word word) {
    if (!word_watch_) {
        word_watch_ = std::make_unique<WordWatch>(board_);
        // Where the emulator cannot do it, there is nothing to be told.
        static_cast<void>(board_.watch_instructions(word_watch_.get()));
    }
    word_watch_->add(word);
}

std::vector<WordAccesses> KernelExecution::take_accesses() {
    return word_watch_ ? word_watch_->take() : std::vector<WordAccesses>{};
}

std::vector<Deed> KernelExecution::deeds() const {
    std::vector<Deed> deeds = conductor_.deeds();
    for (Deed& deed : deeds)
        if (deed.stop) deed.stop->places = places_of(deed.stop->at);
    return deeds;
}

std::string KernelExecution::console_tail(std::size_t bytes) const {
    std::string_view const text = board_.console();
    return std::string(text.substr(text.size() > bytes ? text.size() - bytes : 0));
}

}  // namespace vmcheck
