#include "impl/control/word_watch.h"

#include "impl/board/instruction.h"
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

std::uint64_t WordWatch::value(Word word) const {
    return observe::ram_of(board_).load(word.at, word.bytes).value_or(0);
}

Access WordWatch::access_by(Path const& path) {
    Access access{++accesses_, {path.at}};
    access.stack.insert(access.stack.end(), path.calls.rbegin(), path.calls.rend());
    return access;
}

void WordWatch::notice_write() {
    for (Watched& each : words_) {
        std::uint64_t const now = value(each.word);
        std::uint64_t const before = std::exchange(each.holds, now);
        if (before == now) continue;
        each.seen.last_write = access_by(paths_.at(ran_last_.value));
        if (now > before) each.seen.last_rise = each.seen.last_write;
        if (!each.seen.first_write) each.seen.first_write = each.seen.last_write;
    }
}

void WordWatch::notice_read(board::HartIndex hart, VirtAddr pc) {
    auto const bits = board_.read_u32(PhysAddr{pc.value});
    auto const access = bits ? board::decode_memory_access(*bits) : std::nullopt;
    if (!access || access->stores) return;
    std::uint64_t const at =
        board_.read(hart, static_cast<board::Register>(access->base)) + static_cast<std::uint64_t>(access->offset);
    for (Watched& each : words_)
        if (!each.seen.first_read && at < each.word.at.value + each.word.bytes &&
            each.word.at.value < at + access->size)
            each.seen.first_read = access_by(paths_.at(hart.value));
}

// A kernel is mapped where it lies. What is not RAM there is a user's code or the trampoline: nothing called it.
void WordWatch::follow(Path& path, VirtAddr pc) const {
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

bool WordWatch::stops_before(board::HartIndex hart, VirtAddr pc) {
    notice_write();
    follow(paths_.at(hart.value), pc);
    notice_read(hart, pc);
    ran_last_ = hart;
    return false;
}

std::vector<WordAccesses> WordWatch::take() {
    notice_write();
    std::vector<WordAccesses> seen;
    for (Watched& each : words_) seen.push_back(std::exchange(each.seen, {}));
    return seen;
}

}  // namespace vmcheck
