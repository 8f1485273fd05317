#include "impl/board/spin_watch.h"

#include <algorithm>

namespace vmcheck::board {
namespace {

// A watch costs a look at every block. So it is short, and there are fewer of them the longer a turn lasts.
constexpr std::uint64_t kWatchBlocks = 32;
constexpr std::uint64_t kPauseMin = 64;
constexpr std::uint64_t kPauseMax = 8192;

constexpr unsigned kCirclesMin = 2;
constexpr unsigned kNearMissesMax = 2;

}  // namespace

void SpinWatch::begin(std::uint64_t blocks) {
    watch_end_ = 0;
    pause_ = kPauseMin;
    next_look_ = blocks + pause_;
}

void SpinWatch::end_watch(std::uint64_t blocks) {
    watch_end_ = 0;
    pause_ = std::min(2 * pause_, kPauseMax);
    next_look_ = blocks + pause_;
}

bool SpinWatch::look(std::uint64_t blocks, VirtAddr pc, Engine const& engine) {
    next_look_ = blocks + 1;
    if (watch_end_ == 0) {
        watch_end_ = blocks + kWatchBlocks;
        pc_ = pc;
        for (unsigned number = 1; number < registers_.size(); ++number) {
            registers_[number] = engine.read_general(number);
        }
        circles_ = 0;
        near_misses_ = 0;
        return false;
    }
    if (pc == pc_) {
        bool same = true;
        for (auto number = static_cast<unsigned>(registers_.size()) - 1; same && number > 0; --number) {
            same = engine.read_general(number) == registers_[number];
        }
        if (same && ++circles_ == kCirclesMin) return true;
        if (!same && ++near_misses_ == kNearMissesMax) end_watch(blocks);
    }
    if (blocks >= watch_end_) end_watch(blocks);
    return false;
}

}  // namespace vmcheck::board
