#include "checker/debug/timeline.h"

#include "impl/board/instruction.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace vmcheck::debug {

using board::HartIndex;
using board::Request;

namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// How often one asks whether it should go on: some milliseconds.
constexpr std::uint64_t kAskEvery = std::uint64_t{1} << 16;

std::span<std::byte const> bytes_of(board::Board const& board, Watch const& watch) {
    return board.bytes(watch.at, watch.bytes);
}

}  // namespace

Timeline::Timeline(board::Board& board, board::Recording recording, Limits limits)
    : board_(board), recording_(std::move(recording)), limits_(limits) {}

Timeline::~Timeline() {
    // Never fails where somebody watched before.
    (void)board_.watch_instructions(nullptr);
}

tl::expected<std::unique_ptr<Timeline>, std::string> Timeline::make(board::Board& board, board::Checkpoint start,
                                                                    board::Recording recording, Limits limits) {
    std::unique_ptr<Timeline> timeline{new Timeline(board, std::move(recording), limits)};
    if (auto watched = board.watch_instructions(timeline.get()); !watched)
        return tl::unexpected(watched.error().message);
    if (auto numbered = timeline->number_instructions(std::move(start)); !numbered)
        return tl::unexpected(numbered.error());
    return timeline;
}

// The whole run once more, with checkpoints on the way.
tl::expected<void, std::string> Timeline::number_instructions(board::Checkpoint start) {
    board_.restore(start);
    stands_.push_back({0, 0, std::move(start)});
    look_from_ = kNever;
    for (std::size_t i = 0; i < recording_.requests.size(); ++i) {
        Request const& request = recording_.requests[i];
        if (request.kind == Request::Kind::step || request.kind == Request::Kind::order)
            marks_.push_back({request.kind, Position{count_}});
        request.again(board_);
        if (board_.elapsed() != request.elapsed)
            return tl::unexpected(std::string("The run did not come out the same when it was done again."));
        if (request.kind == Request::Kind::run && count_ >= stands_.back().instructions + limits_.instructions_apart)
            keep({count_, i + 1, board_.save()});
    }
    end_ = now_ = executed_ = count_;
    hart_ = board_.current_hart();
    return {};
}

// Where they become too many, every second goes, and they lie twice as far apart from then on.
void Timeline::keep(Stand stand) {
    stands_.push_back(std::move(stand));
    auto const bytes = [&] {
        std::size_t sum = 0;
        for (Stand const& each : stands_) sum += each.machine.bytes();
        return sum;
    };
    while (stands_.size() > 2 && bytes() > limits_.checkpoint_bytes) {
        std::size_t number = 0;
        std::erase_if(stands_, [&](Stand const&) { return number++ % 2 == 1; });
        limits_.instructions_apart *= 2;
    }
}

// The last from which one comes to that instruction.
std::size_t Timeline::stand_before(std::uint64_t instruction) const {
    auto const behind = std::ranges::upper_bound(stands_, instruction, {}, &Stand::instructions);
    return static_cast<std::size_t>(behind - stands_.begin()) - 1;
}

// Until somebody wants it to stop, or to the end.
void Timeline::run_from(Stand const& stand) {
    board_.restore(stand.machine);
    for (std::size_t i = 0; i < stand.request; ++i)
        if (recording_.requests[i].kind == Request::Kind::lasting) recording_.requests[i].again(board_);
    count_ = stand.instructions;
    stopped_ = false;
    for (std::size_t i = stand.request; i < recording_.requests.size() && !stopped_; ++i)
        recording_.requests[i].again(board_);
    executed_ += count_ - stand.instructions;
    now_ = count_;
    if (!stopped_) hart_ = board_.current_hart();
}

void Timeline::run_to(std::uint64_t instruction) {
    looking_ = {.until = instruction};
    look_from_ = instruction;
    run_from(stands_[stand_before(instruction)]);
}

void Timeline::go_to(Position to) {
    if (to.value != now_) run_to(to.value);
}

void Timeline::begin_looking(Search const& search, std::function<bool()> const& interrupted, std::uint64_t after,
                             std::uint64_t until, bool first_only) {
    looking_ = {
        .search = &search, .interrupted = &interrupted, .after = after, .until = until, .first_only = first_only};
    looking_.before.resize(search.watches.size());
}

Hit Timeline::forward(Search const& search, std::function<bool()> const& interrupted) {
    if (now_ == end_) return {Hit::Why::end};
    begin_looking(search, interrupted, now_, kNever, true);
    look_from_ = now_;
    run_from(stands_[stand_before(now_)]);
    if (!stopped_) look_at_memory(now_);
    return looking_.found_at ? looking_.hit : Hit{Hit::Why::end};
}

// Stretch by stretch, from where one stands: the last hit in the first stretch that has any.
Hit Timeline::backward(Search const& search, std::function<bool()> const& interrupted) {
    std::uint64_t const from = now_;
    std::uint64_t until = from;
    while (until > 0) {
        Stand const& stand = stands_[stand_before(until - 1)];
        begin_looking(search, interrupted, 0, until, false);
        look_from_ = stand.instructions;
        run_from(stand);
        if (!stopped_) look_at_memory(now_);
        if (looking_.found_at) {
            Hit const hit = looking_.hit;
            run_to(hit.why == Hit::Why::interrupted ? from : *looking_.found_at);
            return hit;
        }
        until = stand.instructions;
    }
    go_to(Position{0});
    return {Hit::Why::end};
}

// Called for every instruction. It may read no CSR: that would cost the hart its reservation.
bool Timeline::stops_before(HartIndex hart, VirtAddr pc) {
    std::uint64_t const number = count_++;
    if (number < look_from_ || stopped_) return false;
    if (!look(number, hart, pc)) return false;
    count_ = number;  // it was not executed
    hart_ = hart;
    return stopped_ = true;
}

// Whether to stop.
bool Timeline::look(std::uint64_t number, HartIndex hart, VirtAddr pc) {
    if (looking_.search != nullptr) {
        Search const& search = *looking_.search;
        if (!search.watches.empty()) look_at_memory(number);
        bool const in_range = pc >= search.from && pc < search.to;
        if (number > looking_.after || !looking_.first_only) {
            bool const here = (search.steps == hart && !in_range) ||
                              std::ranges::find(search.breakpoints, pc) != search.breakpoints.end();
            if (here && number < looking_.until) note(number, {});
        }
        if (number % kAskEvery == 0 && (*looking_.interrupted)()) {
            looking_.found_at.reset();
            note(number, {Hit::Why::interrupted});
            return true;
        }
        if (looking_.first_only && looking_.found_at) return true;
        if (!search.watches.empty() && number < looking_.until) look_for_reads(hart, pc);
    }
    return number == looking_.until;
}

// A watch that the instruction before `number` has met.
void Timeline::look_at_memory(std::uint64_t number) {
    std::vector<Watch> const& watches = looking_.search->watches;
    for (std::size_t i = 0; i < watches.size(); ++i) {
        std::span<std::byte const> const bytes = bytes_of(board_, watches[i]);
        std::vector<std::byte>& before = looking_.before[i];
        bool const changed = !before.empty() && !std::ranges::equal(before, bytes);
        if (changed || before.empty()) before.assign(bytes.begin(), bytes.end());
        bool const met = looking_.read == i || (changed && watches[i].kind != Watch::Kind::read);
        if (met && number > looking_.after) note(looking_.first_only ? number : number - 1, {Hit::Why::watch, i});
    }
    looking_.read.reset();
}

// Of the kernel's code, which is where it says that it is.
void Timeline::look_for_reads(HartIndex hart, VirtAddr pc) {
    std::vector<Watch> const& watches = looking_.search->watches;
    bool const any = std::ranges::any_of(watches, [](Watch const& each) { return each.kind != Watch::Kind::change; });
    if (!any) return;
    auto const bits = board_.read_u32(PhysAddr{pc.value});
    auto const access = bits ? board::decode_memory_access(*bits) : std::nullopt;
    if (!access) return;
    std::uint64_t const first =
        board_.read(hart, static_cast<board::Register>(access->base)) + static_cast<std::uint64_t>(access->offset);
    for (std::size_t i = 0; i < watches.size(); ++i) {
        Watch const& watch = watches[i];
        bool const wanted = watch.kind == Watch::Kind::access || (watch.kind == Watch::Kind::read && !access->stores);
        for (std::uint64_t const start : {watch.address.value, watch.at.value})
            if (wanted && first < start + watch.bytes && start < first + access->size) looking_.read = i;
    }
}

// The first of several where one goes forwards, else the last.
void Timeline::note(std::uint64_t at, Hit hit) {
    if (looking_.first_only && looking_.found_at) return;
    looking_.found_at = at;
    looking_.hit = hit;
}

}  // namespace vmcheck::debug
