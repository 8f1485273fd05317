#include "spec/testing/concrete_frames.h"

#include <algorithm>

namespace vmcheck::spec::testing {

Frames::Frames(std::uint64_t count) : bytes_(count + 1), counts_(count + 1, 0), times_free_(count + 1, 0) {
    // From the far end, so that the lowest is handed out first. Frames come with junk: a kernel that forgets to clear
    // one must show it.
    for (std::uint64_t i = count; i > 0; --i) put_on_free_list(FrameNo{kFirst + i});
    for (PageBytes& page : bytes_) page.fill(std::byte{0xa5});
}

void Frames::begin_step(std::optional<std::uint32_t> failing_allocation) {
    failing_ = failing_allocation;
    allocations_ = failed_ = 0;
    dry_ = false;
}

std::optional<FrameNo> Frames::allocate() {
    if (failing_ && ++allocations_ == *failing_) {
        ++failed_;
        return std::nullopt;
    }
    if (free_.empty()) {
        dry_ = true;
        return std::nullopt;
    }
    FrameNo const frame = free_.back();
    free_.pop_back();
    --times_free_[index(frame)];
    counts_[index(frame)] = 1;
    return frame;
}

void Frames::drop(FrameNo frame) {
    if (--counts_[index(frame)] == 0) put_on_free_list(frame);
}

void Frames::put_on_free_list(FrameNo frame) {
    free_.push_back(frame);
    ++times_free_[index(frame)];
}

bool Frames::free_list_has_duplicate() const {
    return std::any_of(times_free_.begin(), times_free_.end(), [](unsigned times) { return times > 1; });
}

std::optional<PageTable> PageTable::create(Frames& frames) {
    auto const root = frames.allocate();
    if (!root) return std::nullopt;
    PageTable table;
    table.root_ = *root;
    return table;
}

Pte* PageTable::find(Vpn page) {
    auto const found = leaves_.find(page);
    return found == leaves_.end() ? nullptr : &found->second;
}

Pte const* PageTable::find(Vpn page) const {
    auto const found = leaves_.find(page);
    return found == leaves_.end() ? nullptr : &found->second;
}

bool PageTable::map(Frames& frames, Vpn page, Pte pte) {
    if (!middle_.contains(page.value >> 18)) {
        auto const frame = frames.allocate();
        if (!frame) return false;
        middle_[page.value >> 18] = *frame;
    }
    if (!last_.contains(page.value >> 9)) {
        auto const frame = frames.allocate();
        if (!frame) return false;
        last_[page.value >> 9] = *frame;
    }
    leaves_[page] = pte;
    return true;
}

void PageTable::release_all_but_root(Frames& frames) {
    for (auto const& [key, frame] : middle_) frames.drop(frame);
    for (auto const& [key, frame] : last_) frames.drop(frame);
    middle_.clear();
    last_.clear();
}

void PageTable::release(Frames& frames) {
    release_all_but_root(frames);
    frames.drop(root_);
}

std::vector<FrameNo> PageTable::table_frames() const {
    std::vector<FrameNo> result{root_};
    for (auto const& [key, frame] : middle_) result.push_back(frame);
    for (auto const& [key, frame] : last_) result.push_back(frame);
    return result;
}

}  // namespace vmcheck::spec::testing
