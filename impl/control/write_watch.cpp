#include "impl/control/write_watch.h"

#include "impl/observe/page_table.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace vmcheck {

namespace {

// Encodings: RISC-V unprivileged spec, "RV32I" and "C"; x1 is ra.
bool is_call(std::uint32_t bits) {
    bool const jumps = (bits & 0xfff) == 0x0ef || (bits & 0x7fff) == 0x0e7;     // jal ra, jalr ra
    bool const compressed = (bits & 0xf07f) == 0x9002 && (bits & 0x0f80) != 0;  // c.jalr
    return jumps || compressed;
}
bool is_return(std::uint32_t bits) {
    constexpr std::uint32_t kJumpToRa = 0x0000'8067, kCompressed = 0x8082;
    return bits == kJumpToRa || (bits & 0xffff) == kCompressed;
}

}  // namespace

std::uint64_t WriteWatch::value(Word word) const {
    return observe::ram_of(board_).load(word.at, word.bytes).value_or(0);
}

void WriteWatch::notice() {
    std::optional<PhysAddr> changed;
    for (auto& [word, held] : words_) {
        std::uint64_t const now = value(word);
        if (std::exchange(held, now) != now) changed = word.at;
    }
    if (!changed) return;
    Path const& path = paths_.at(ran_last_.value);
    write_ = Write{*changed, {path.at}};
    write_->stack.insert(write_->stack.end(), path.calls.rbegin(), path.calls.rend());
}

// A kernel is mapped where it lies. What is not RAM there is a user's code or the trampoline: nothing called it.
void WriteWatch::follow(Path& path, VirtAddr pc) const {
    constexpr std::size_t kDeepest = 64;
    VirtAddr const from = std::exchange(path.at, pc);
    if (pc == from + 2 || pc == from + 4) return;
    auto const bits = board_.read_u32(PhysAddr{from.value});
    if (!bits) return path.calls.clear();
    auto const returns_here = [&](VirtAddr call) { return pc == call + 2 || pc == call + 4; };
    if (is_call(*bits)) {
        if (path.calls.size() == kDeepest) path.calls.erase(path.calls.begin());
        path.calls.push_back(from);
    } else if (auto const call = std::find_if(path.calls.rbegin(), path.calls.rend(), returns_here);
               call != path.calls.rend() && (is_return(*bits) || call == path.calls.rbegin())) {
        path.calls.erase(std::prev(call.base()), path.calls.end());
    } else if (is_return(*bits)) {
        path.calls.clear();  // to another stack
    }
}

bool WriteWatch::stops_before(board::HartIndex hart, VirtAddr pc) {
    notice();
    follow(paths_.at(hart.value), pc);
    ran_last_ = hart;
    return false;
}

std::optional<Write> WriteWatch::take() {
    notice();
    return std::exchange(write_, std::nullopt);
}

}  // namespace vmcheck
