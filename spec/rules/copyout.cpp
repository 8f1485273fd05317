#include "spec/rules/copyout.h"

#include <algorithm>

namespace vmcheck::spec {

void CopyRange::add_failure(Answers& all, Result const& result, std::function<World(Outcome const&)> after) const {
    Answer answer{.result = result, .after = std::move(after)};
    if (may_be_refused()) {
        answer.reason = may_succeed() ? Reason::on_the_breaks_page : Reason::bad_byte;
    } else {
        answer.reason = Reason::want_of_memory;
        answer.excuse = WantOfMemory{};
    }
    all.push_back(std::move(answer));
}

void Copyout::add_complete(std::vector<std::byte> data, std::vector<bool> anything,
                           std::vector<std::vector<std::byte>> pipe_after) {
    OpenCopy copy;
    copy.process = range_.question().actor();
    copy.to = range_.at();
    copy.bytes = std::move(data);
    copy.anything = std::move(anything);
    copy.pipe_after = std::move(pipe_after);
    copies_.push_back(std::move(copy));
}

void Copyout::add_failed(std::vector<std::byte> data, std::size_t prefix_min,
                         std::vector<std::vector<std::byte>> pipe_after, std::vector<bool> anything) {
    data.resize(std::min(data.size(), range_.possible()));
    add_complete(std::move(data), std::move(anything), std::move(pipe_after));
    copies_.back().any_prefix = true;
    copies_.back().prefix_min = prefix_min;
    failed_ = true;
}

World Copyout::finish() {
    std::size_t longest = 0;
    for (OpenCopy const& copy : copies_) longest = std::max(longest, copy.bytes.size());
    auto const before = range_.question()
                            .world.read(range_.question().actor(), range_.at(), longest)
                            .value_or(std::vector<std::byte>(longest));
    bool open = copies_.size() > 1;
    for (OpenCopy& copy : copies_) {
        // All alike in length, so that what one copy left alone is compared as well.
        copy.bytes.insert(copy.bytes.end(), before.begin() + static_cast<std::ptrdiff_t>(copy.bytes.size()),
                          before.end());
        copy.before = before;
        open = open || (copy.any_prefix && !copy.bytes.empty()) || !copy.anything.empty();
    }
    if (!failed_) next_.touch(range_.question().actor(), range_.at(), longest, true);
    // How far a copy came that failed, memory will tell: settle().
    if (!copies_.front().any_prefix) next_.write(range_.question().actor(), range_.at(), copies_.front().bytes);
    if (open) next_.set_open_copies(std::move(copies_));
    return std::move(next_).finish();
}

}  // namespace vmcheck::spec
