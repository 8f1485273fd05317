#include "process/argument_page.h"

#include "base/memory.h"
#include "memory/address_space.h"

namespace kernel {
namespace {

constexpr size_t kStackAlignment = 16;

// What the pointers to `count` strings, the null behind them, and alignment take at most.
constexpr size_t pointers_bytes(size_t count) {
    return (count + 1) * sizeof(uint64_t) + kStackAlignment;
}

}  // namespace

bool ArgumentPage::begin() {
    frame_ = FrameRef::allocate_zeroed();
    return static_cast<bool>(frame_);
}

// Bytes that a further string may take, its final zero included.
size_t ArgumentPage::room() const {
    size_t const pointers = pointers_bytes(static_cast<size_t>(count_) + 1);
    return used_ + pointers < kPageBytes ? kPageBytes - used_ - pointers : 0;
}

bool ArgumentPage::added(size_t bytes) {
    offsets_[count_++] = static_cast<uint16_t>(used_);
    used_ += bytes;
    return true;
}

bool ArgumentPage::add(char const* argument) {
    size_t const bytes = length_of(argument) + 1;
    if (count_ == kArgumentsMax || bytes > room()) return false;
    memmove(frame_.bytes() + used_, argument, bytes);
    return added(bytes);
}

bool ArgumentPage::add_from_user(AddressSpace& space, VirtAddr argument) {
    if (count_ == kArgumentsMax) return false;
    char* const to = reinterpret_cast<char*>(frame_.bytes() + used_);
    if (!space.copy_in_string(to, argument, room())) return false;
    return added(length_of(to) + 1);
}

VirtAddr ArgumentPage::finish(VirtAddr page, FrameRef& stack) {
    uint8_t* const bytes = frame_.bytes();
    size_t const strings = kPageBytes - used_;
    memmove(bytes + strings, bytes, used_);
    memset(bytes, 0, min(used_, strings));

    size_t const pointers = static_cast<size_t>(count_ + 1) * sizeof(uint64_t);
    size_t const top = (strings - pointers) & ~(kStackAlignment - 1);
    auto* const argv = reinterpret_cast<uint64_t*>(bytes + top);
    for (int i = 0; i < count_; i++) argv[i] = (page + strings + offsets_[i]).value;
    argv[count_] = 0;
    stack = move(frame_);
    return page + top;
}

}  // namespace kernel
