#include "impl/observe/free_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace vmcheck::observe {

namespace {

constexpr std::uint64_t kPointerBytes = 8;

// A list entry is the address of a frame: page-aligned and in RAM.
bool is_entry(Ram ram, std::uint64_t pointer) {
    return PhysAddr{pointer}.offset() == 0 && ram.holds(PhysAddr{pointer}.frame());
}

std::string not_in_ram(std::uint64_t entry) {
    return fmt::format("the free list has an entry {:#x}, which is no frame of RAM", entry);
}

std::string twice(PhysAddr entry) {
    return fmt::format("frame {:#x} is on the free list twice", entry.frame().value);
}

}  // namespace

tl::expected<GoldenFreeList, BrokenList> GoldenFreeList::take(Ram ram, std::vector<PhysAddr> heads) {
    GoldenFreeList list;
    list.heads_ = std::move(heads);
    list.remaining_.assign(ram.frames(), kNowhere);
    list.chain_.assign(ram.frames(), 0);
    for (std::size_t chain = 0; chain < list.heads_.size(); ++chain) {
        std::vector<std::size_t> order;
        auto next = ram.load(list.heads_[chain], kPointerBytes);
        while (next && *next != 0) {
            auto const broken = [&](std::string why) {
                return tl::unexpected(BrokenList{std::move(why), list.length_ + order.size()});
            };
            if (!is_entry(ram, *next)) return broken(not_in_ram(*next));
            std::size_t const frame = PhysAddr{*next}.frame().value - ram.first().value;
            if (list.remaining_[frame] != kNowhere) return broken(twice(PhysAddr{*next}));
            list.remaining_[frame] = 1;
            list.chain_[frame] = static_cast<std::uint8_t>(chain);
            order.push_back(frame);
            next = ram.load(PhysAddr{*next}, kPointerBytes);
        }
        if (!next) return tl::unexpected(BrokenList{"its head is not in RAM"});
        for (std::size_t i = 0; i < order.size(); ++i)
            list.remaining_[order[i]] = static_cast<std::uint32_t>(order.size() - i);
        list.length_ += order.size();
    }
    return list;
}

FrameNo GoldenFreeList::frame_with(std::size_t chain, std::uint32_t remaining, FrameNo first) const {
    std::size_t index = 0;
    while (remaining_[index] != remaining || chain_[index] != chain) ++index;
    return FrameNo{first.value + index};
}

FreeList::FreeList(std::shared_ptr<GoldenFreeList const> golden)
    : golden_(std::move(golden)),
      seen_(golden_->remaining_.size(), 0),
      clean_tail_(golden_->heads_.size(), 0),
      joined_tail_(golden_->heads_.size(), 0) {}

void FreeList::refresh(Ram ram, std::span<FrameNo const> dirty) {
    first_ = ram.first();
    ++now_;
    length_ = 0;
    broken_.clear();
    note_dirty(dirty);
    std::fill(joined_tail_.begin(), joined_tail_.end(), 0);
    for (PhysAddr head : golden_->heads_) follow(ram, head);
}

void FreeList::note_dirty(std::span<FrameNo const> dirty) {
    std::fill(clean_tail_.begin(), clean_tail_.end(), 0xffffffff);
    for (FrameNo frame : dirty) {
        std::size_t const index = frame.value - first_.value;
        std::uint32_t const remaining = golden_->remaining_[index];
        if (remaining == GoldenFreeList::kNowhere) continue;
        std::uint32_t& tail = clean_tail_[golden_->chain_[index]];
        tail = std::min(tail, remaining - 1);
    }
}

void FreeList::follow(Ram ram, PhysAddr head) {
    auto next = ram.load(head, kPointerBytes);
    while (next && *next != 0) {
        if (!is_entry(ram, *next)) {
            broken_ = not_in_ram(*next);
            return;
        }
        FrameNo const frame = PhysAddr{*next}.frame();
        std::size_t const index = frame.value - first_.value;
        if (contains(frame)) {
            broken_ = twice(PhysAddr{*next});
            return;
        }
        std::uint32_t const remaining = golden_->remaining_[index];
        std::size_t const chain = golden_->chain_[index];
        if (remaining != GoldenFreeList::kNowhere && remaining <= clean_tail_[chain]) {
            // From there on the frames of two lists are the same.
            if (std::uint32_t const joined = std::exchange(joined_tail_[chain], remaining); joined != 0) {
                broken_ = twice(start_of(golden_->frame_with(chain, joined, first_)));
                return;
            }
            length_ += remaining;
            return;
        }
        seen_[index] = now_;
        ++length_;
        next = ram.load(PhysAddr{*next}, kPointerBytes);
    }
}

bool FreeList::contains(FrameNo frame) const {
    std::size_t const index = frame.value - first_.value;
    std::uint32_t const remaining = golden_->remaining_[index];
    if (remaining != GoldenFreeList::kNowhere && remaining <= joined_tail_[golden_->chain_[index]]) return true;
    return seen_[index] == now_;
}

}  // namespace vmcheck::observe
