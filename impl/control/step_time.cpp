#include "impl/control/step_time.h"

#include <algorithm>

namespace vmcheck {

using board::Blocks;
using board::Parcels;

namespace {

constexpr Parcels kLong{1 << 19};
// A step that writes so many frames for the first time within as long gets on: it grows or copies a large process.
constexpr std::size_t kFramesOfWork = 64;

}  // namespace

void StepTime::begin(Parcels budget, Parcels most) {
    began_ = board_.elapsed();
    deadline_ = began_ + budget;
    latest_deadline_ = began_ + most;
    is_long_ = false;
    next_look_ = began_ + kLong;
    dirty_at_look_ = board_.dirty_frames().size();
    order_began_.reset();
    order_ended_ = began_;
    blocks_at_start_ = blocks_at_end_ = board_.counters().blocks;
    end_interruption();
}

Parcels StepTime::left() const {
    Parcels const elapsed = board_.elapsed();
    return elapsed < deadline_ ? deadline_ - elapsed : Parcels{0};
}

bool StepTime::half_is_spent() const {
    return (board_.elapsed() - began_).value > (deadline_ - began_).value / 2;
}

board::Parcels StepTime::until_long() const {
    Parcels const elapsed = board_.elapsed();
    return is_long_ || elapsed >= next_look_ ? Parcels{0} : next_look_ - elapsed;
}

bool StepTime::becomes_long() {
    if (is_long_ || board_.elapsed() < next_look_) return false;
    std::size_t const dirty = board_.dirty_frames().size();
    is_long_ = dirty - dirty_at_look_ < kFramesOfWork;
    next_look_ = next_look_ + kLong;
    dirty_at_look_ = dirty;
    return is_long_;
}

bool StepTime::extend() {
    if (!may_extend()) return false;
    deadline_ = std::min(latest_deadline_, deadline_ + (deadline_ - began_));
    return true;
}

void StepTime::end_interruption() {
    interrupt_in_.reset();
    interrupt_at_.reset();
    switch_in_.reset();
    switch_at_.reset();
}

void StepTime::order_begins() {
    board_.mark(board::Request::Kind::order);
    if (!order_began_) {
        order_began_ = board_.elapsed();
        blocks_at_start_ = board_.counters().blocks;
    }
    if (switch_in_) {
        switch_at_ = board_.counters().blocks + std::max<std::uint64_t>(1, switch_in_->value);
        switch_in_.reset();
    }
    if (interrupt_in_) {
        interrupt_at_ = board_.elapsed() + *interrupt_in_;
        interrupt_in_.reset();
    }
}

void StepTime::order_ended() {
    order_ended_ = board_.elapsed();
    blocks_at_end_ = board_.counters().blocks;
}

board::Stop StepTime::run(Parcels code) {
    if (switch_at_) {
        std::uint64_t const blocks = board_.counters().blocks;
        board_.switch_hart_after(Blocks{*switch_at_ - std::min(*switch_at_, blocks)});
    }
    if (interrupt_at_) {
        Parcels const elapsed = board_.elapsed();
        board_.preempt_after(Parcels{interrupt_at_->value - std::min(interrupt_at_->value, elapsed.value)});
    }
    board::Stop stop = board_.run(code);
    // The board has done it, or the order ended just then.
    if (switch_at_ && board_.counters().blocks >= *switch_at_) switch_at_.reset();
    if (interrupt_at_ && board_.elapsed() >= *interrupt_at_) interrupt_at_.reset();
    return stop;
}

}  // namespace vmcheck
