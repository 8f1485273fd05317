#include "spec/copyout.h"

#include <algorithm>

namespace vmcheck::spec {

CopyLimits::CopyLimits(Asked const& asked, VirtAddr to, std::size_t bytes)
    : bytes_(bytes),
      reach_(copy_reach(asked.world, asked.actor(), to, bytes, Access::write)),
      short_(asked.memory_was_short()) {}

Copyout::Copyout(Asked const& asked, VirtAddr to, std::size_t bytes)
    : asked_(asked), to_(to), limits_(asked, to, bytes), next_(asked.world) {}

void Copyout::add_complete(std::vector<std::byte> data, std::vector<bool> anything,
                           std::vector<std::vector<std::byte>> pipe_after) {
    OpenCopy copy;
    copy.process = asked_.actor();
    copy.to = to_;
    copy.bytes = std::move(data);
    copy.anything = std::move(anything);
    copy.pipe_after = std::move(pipe_after);
    copies_.push_back(std::move(copy));
}

void Copyout::add_failed(std::vector<std::byte> data, std::size_t prefix_min,
                         std::vector<std::vector<std::byte>> pipe_after, std::vector<bool> anything) {
    data.resize(std::min(data.size(), limits_.possible()));
    add_complete(std::move(data), std::move(anything), std::move(pipe_after));
    copies_.back().any_prefix = true;
    copies_.back().prefix_min = prefix_min;
    failed_ = true;
}

World Copyout::finish() {
    std::size_t longest = 0;
    for (OpenCopy const& copy : copies_) longest = std::max(longest, copy.bytes.size());
    auto const before = asked_.world.read(asked_.actor(), to_, longest).value_or(std::vector<std::byte>(longest));
    bool open = copies_.size() > 1;
    for (OpenCopy& copy : copies_) {
        // All alike in length, so that what one copy left alone is compared as well.
        copy.bytes.insert(copy.bytes.end(), before.begin() + static_cast<std::ptrdiff_t>(copy.bytes.size()),
                          before.end());
        copy.before = before;
        open = open || (copy.any_prefix && !copy.bytes.empty()) || !copy.anything.empty();
    }
    if (failed_)
        next_.may_touch(asked_.actor(), to_, limits_.possible(), true);
    else
        next_.touch(asked_.actor(), to_, longest, true);
    next_.write(asked_.actor(), to_, copies_.front().bytes);
    if (open) next_.set_open_copies(std::move(copies_));
    return std::move(next_).finish();
}

std::vector<std::byte> bytes_of(std::int32_t value) {
    auto const bits = static_cast<std::uint32_t>(value);
    std::vector<std::byte> bytes;
    for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::byte>((bits >> shift) & 0xff));
    return bytes;
}

}  // namespace vmcheck::spec
