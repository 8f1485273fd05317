#include "impl/control/circles.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace vmcheck {

using board::HartIndex;
using board::Parcels;
using board::Register;

namespace {

// The longest circle that is found, in blocks: a fault that is handled and printed takes some thousand.
constexpr unsigned kBlocksMax = 1 << 16;
// One that does nothing but look for a process to run is shorter.
constexpr unsigned kIdleBlocksMax = 1 << 13;
// A fault that is handled in vain, or a loop within a function.
constexpr unsigned kShortBlocksMax = 1 << 11;
// The same trap, with no other code of the process in between.
constexpr unsigned kSameTrapMin = 8;
// How many timer interrupts have to change nothing, and how long the machine runs after each.
struct Interrupts {
    unsigned count;
    Parcels after_each;
};
constexpr Interrupts kInterrupts{32, Parcels{100'000}};
// Where memory says already that nothing changes: others that run may do something about it.
constexpr Interrupts kFewInterrupts{4, Parcels{10'000}};
// The same where they may be at it just now, on a hart of their own.
constexpr Interrupts kSomeInterrupts{8, Parcels{50'000}};

constexpr Parcels kOneBlock{1};
// In a short loop: one of load-reserved and store-conditional, which loses its reservation at each stop, ends.
constexpr Parcels kSomeBlocks{64};

// Where a hart is, and with which registers.
struct Place {
    std::array<std::uint64_t, 32> registers{};
    VirtAddr pc;
    board::Privilege privilege = board::Privilege::machine;
    friend bool operator==(Place const&, Place const&) = default;
};

VirtAddr pc_of(board::Board const& board) {
    return VirtAddr{board.read(Register::pc)};
}

Place place_of(board::Board const& board) {
    Place place;
    for (std::size_t i = 0; i < place.registers.size(); ++i) place.registers[i] = board.read(static_cast<Register>(i));
    place.pc = pc_of(board);
    place.privilege = static_cast<board::Privilege>(board.read(Register::privilege));
    return place;
}

// place_of(board) == place, most often decided by a few registers.
bool is_at(board::Board const& board, Place const& place) {
    if (pc_of(board) != place.pc) return false;
    for (std::size_t i = place.registers.size(); i-- > 0;)
        if (board.read(static_cast<Register>(i)) != place.registers[i]) return false;
    return board.read(Register::privilege) == static_cast<std::uint64_t>(place.privilege);
}

// All of memory that the trial may have changed. One more frame that it writes makes another digest, whatever it
// writes.
std::uint64_t digest_of(board::Board const& board) {
    std::uint64_t digest = 0;
    for (FrameNo const frame : board.frames_of_trial()) {
        auto const bytes = *board.frame(frame);
        digest = digest * 31 + XXH3_64bits(bytes.data(), bytes.size());
    }
    return digest;
}

// What one hart is seen to do while it goes on block by block.
class Walk {
  public:
    // `same_trap_will_do`: not to be walked on for once the same trap has come again and again.
    Walk(board::Board& board, bool same_trap_will_do) : board_(board), same_trap_will_do_(same_trap_will_do) {}

    // One that stands at a hypercall does nothing else by itself.
    bool asks() const { return asks_; }
    bool interruptible() const { return interruptible_; }
    std::optional<Circle> const& same_trap() const { return same_trap_; }
    // How it last left user mode.
    std::optional<Circle> const& trapped() const { return trapped_; }

    // False: it stops.
    bool step() {
        VirtAddr const pc = pc_of(board_);
        bool const in_short_loop = std::find(latest_.begin(), latest_.end(), pc) != latest_.end();
        latest_[steps_++ % latest_.size()] = pc;
        board::Stop const stop = board_.run(in_short_loop ? kSomeBlocks : kOneBlock);
        asks_ = std::holds_alternative<board::stop::Hypercall>(stop);
        if (asks_) board_.ask_again(board_.current_hart());
        if (!std::holds_alternative<board::stop::BudgetExhausted>(stop)) return false;
        auto const privilege = static_cast<board::Privilege>(board_.read(Register::privilege));
        if (privilege == board::Privilege::user)
            in_user_mode();
        else if (privilege == board::Privilege::supervisor && user_ && !std::exchange(has_trapped_, true))
            trapped_ = Circle{spec::Stuck::Why::same_trap, user_->pc, board_.read(Register::scause),
                              board_.read(Register::stval), true};
        constexpr std::uint64_t kInterruptsEnabled = 1 << 1;  // sstatus.SIE
        interruptible_ =
            interruptible_ || privilege == board::Privilege::user ||
            (privilege == board::Privilege::supervisor && (board_.read(Register::sstatus) & kInterruptsEnabled) != 0);
        return true;
    }

    // Walks from here back to here. Nothing: it does not come back within `blocks_max`.
    std::optional<Place> find_way_back(unsigned blocks_max) {
        Place start = place_of(board_);
        for (unsigned blocks = 1, renew_at = 2; blocks <= blocks_max && !same_trap_; ++blocks) {
            if (!step()) return std::nullopt;
            if (is_at(board_, start)) return start;
            // It may have been on its way to the circle.
            if (blocks == renew_at) {
                start = place_of(board_);
                renew_at *= 2;
            }
        }
        return std::nullopt;
    }

    bool comes_to(Place const& place, unsigned blocks_max) {
        for (unsigned blocks = 0; blocks <= blocks_max; ++blocks) {
            if (is_at(board_, place)) return true;
            if (!step()) return false;
        }
        return false;
    }

  private:
    void in_user_mode() {
        Place const here = place_of(board_);
        repeats_ = has_trapped_ && user_ == here ? repeats_ + 1 : 0;
        if (same_trap_will_do_ && repeats_ == kSameTrapMin) same_trap_ = trapped_;
        user_ = here;
        has_trapped_ = false;
    }

    board::Board& board_;
    bool same_trap_will_do_;
    std::array<VirtAddr, 4> latest_{};
    std::size_t steps_ = 0;
    bool asks_ = false;
    bool interruptible_ = false;
    std::optional<Place> user_;      // where it was last in user mode
    bool has_trapped_ = false;       // it has left that
    std::optional<Circle> trapped_;  // how it last did
    unsigned repeats_ = 0;
    std::optional<Circle> same_trap_;
};

// One hart's circle.
struct HartsCircle {
    HartIndex hart;
    std::optional<Place> place;  // nothing: it stands at a hypercall
};

class Search {
  public:
    Search(board::Board& board, unsigned blocks_max, bool same_trap_will_do = true)
        : board_(board), blocks_max_(blocks_max), same_trap_will_do_(same_trap_will_do) {}

    std::optional<Circle> circle() {
        VirtAddr const at = pc_of(board_);
        bool in_circles = true, interruptible = false;
        std::uint64_t const first = board_.current_hart().value;
        for (std::uint64_t i = 0; i < board_.harts(); ++i) {
            HartIndex const hart{(first + i) % board_.harts()};
            if (!board_.can_go_on(hart)) continue;
            board_.select_hart(hart);
            Walk walk(board_, same_trap_will_do_);
            auto const place = closed_way(walk);
            harts_.push_back({hart, place});
            if (walk.same_trap()) return walk.same_trap();
            if (place && walk.trapped()) return walk.trapped();
            in_circles = in_circles && (place || walk.asks());
            interruptible |= walk.interruptible();
        }
        // Nobody of those that stand at their hypercalls is waited for here.
        bool const all_ask = std::all_of(harts_.begin(), harts_.end(), [](auto const& each) { return !each.place; });
        if (!in_circles || all_ask) return std::nullopt;
        return Circle{spec::Stuck::Why::circles, at, 0, 0, interruptible};
    }

    // The same place with the same registers, and then once round from there with memory as it was.
    std::optional<Place> closed_way(Walk& walk) {
        auto const place = walk.find_way_back(blocks_max_);
        if (!place) return std::nullopt;
        std::uint64_t const before = digest_of(board_);
        if (!walk.step() || !walk.comes_to(*place, blocks_max_) || digest_of(board_) != before) return std::nullopt;
        return place;
    }

    // Time passes, devices and other processes do what they have to do: afterwards each hart still goes the same way.
    bool outlasts(Interrupts const& interrupts) {
        for (unsigned i = 0; i < interrupts.count; ++i) {
            for (std::uint64_t hart = 0; hart < board_.harts(); ++hart) {
                board_.select_hart(HartIndex{hart});
                board_.raise_timer();
            }
            // One process after the other asks and is interrupted, until it is the turn of the one that does not.
            constexpr unsigned kProcessesMax = 128;
            for (unsigned asked = 0; asked < kProcessesMax; ++asked) {
                if (!std::holds_alternative<board::stop::Hypercall>(board_.run(interrupts.after_each))) break;
                HartIndex const asker = board_.current_hart();
                board_.ask_again(asker);
                board_.raise_timer();
                // Another may hold the lock that the rest of them wait for.
                board_.select_hart(HartIndex{(asker.value + 1) % board_.harts()});
            }
            for (HartsCircle const& each : harts_) {
                board_.select_hart(each.hart);
                Walk walk(board_, same_trap_will_do_);
                if (each.place && !walk.comes_to(*each.place, blocks_max_)) return false;
            }
        }
        return true;
    }

  private:
    board::Board& board_;
    unsigned blocks_max_;
    bool same_trap_will_do_;
    std::vector<HartsCircle> harts_;
};

// One that is held where it stands may be what is waited for.
bool is_any_held(board::Board const& board) {
    for (std::uint64_t i = 0; i < board.harts(); ++i)
        if (board.is_parked(HartIndex{i})) return true;
    return false;
}

}  // namespace

std::optional<Circle> find_circle(board::Board& board) {
    HartIndex const current = board.current_hart();
    board.begin_trial();
    Search search(board, kBlocksMax);
    std::optional<Circle> circle = search.circle();
    if (circle && circle->why == spec::Stuck::Why::circles && circle->others_run && is_any_held(board)) circle.reset();
    bool const left_alone = circle && !circle->others_run && board.harts() == 1;
    if (circle && circle->why == spec::Stuck::Why::circles && !left_alone && !search.outlasts(kInterrupts))
        circle.reset();
    board.end_trial();
    board.select_hart(current);
    return circle;
}

std::optional<Circle> find_short_circle(board::Board& board) {
    bool const several = board.harts() > 1;
    if (several && is_any_held(board)) return std::nullopt;
    HartIndex const current = board.current_hart();
    board.begin_trial();
    Search search(board, kShortBlocksMax, false);
    std::optional<Circle> circle = search.circle();
    bool const is_trap = circle && circle->why == spec::Stuck::Why::same_trap;
    // What a hart waits for without taking interrupts another may do.
    bool const is_proof = circle && ((!several && !circle->others_run) ||
                                     (is_trap && search.outlasts(several ? kSomeInterrupts : kFewInterrupts)));
    if (!is_proof) circle.reset();
    board.end_trial();
    board.select_hart(current);
    return circle;
}

bool may_idle(board::Board& board) {
    if (board.harts() > 1) return false;
    board.begin_trial();
    auto const circle = Search(board, kIdleBlocksMax).circle();
    board.end_trial();
    return circle && circle->why == spec::Stuck::Why::circles && circle->others_run;
}

}  // namespace vmcheck
