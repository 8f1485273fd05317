#pragma once
// For tests: the guest program scenarios.S on a board, and page tables for it.

#include "impl/board/board.h"
#include "impl/board/guest/scenarios.h"
#include "impl/board/sv39.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace vmcheck::board::test {

inline constexpr PhysAddr kTicksAt{GUEST_TICKS_AT};
inline constexpr PhysAddr kCauseAt{GUEST_CAUSE_AT};

inline std::vector<std::byte> as_bytes(std::string const& text) {
    std::vector<std::byte> bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

// The guest's image and the addresses of its labels, as the build has made them.
inline std::vector<std::byte> guest_image() {
    std::ifstream file{VMCHECK_BOARD_GUEST ".bin", std::ios::binary};
    return as_bytes(std::string{std::istreambuf_iterator<char>{file}, {}});
}

// Reads the output of nm: "0000000080000000 T _start".
inline VirtAddr guest_symbol(std::string const& name) {
    std::ifstream file{VMCHECK_BOARD_GUEST ".symbols"};
    std::string address;
    std::string kind;
    std::string symbol;
    while (file >> address >> kind >> symbol) {
        if (symbol == name) return VirtAddr{std::stoull(address, nullptr, 16)};
    }
    ADD_FAILURE() << "the guest has no symbol " << name;
    return VirtAddr{0};
}

// Small RAM: tests make many boards.
inline Config small_config() {
    Config config;
    config.ram_bytes = std::uint64_t{4} << 20;
    return config;
}

inline Board bare_board(Config config = small_config()) {
    tl::expected<Board, Error> board = Board::create(std::move(config));
    if (!board) throw std::runtime_error(board.error().message);
    return std::move(*board);
}

inline void start(Board& board, int scenario, std::uint64_t a2 = 0, std::uint64_t a3 = 0) {
    ASSERT_TRUE(board.write(kRamStart, guest_image()));
    board.reset(kRamStart);
    for (unsigned hart = 0; hart < board.harts(); ++hart) {
        board.write(HartIndex{hart}, Register::a1, static_cast<std::uint64_t>(scenario));
        board.write(HartIndex{hart}, Register::a2, a2);
        board.write(HartIndex{hart}, Register::a3, a3);
    }
}

inline Board board_with(int scenario, Config config = small_config(), std::uint64_t a2 = 0, std::uint64_t a3 = 0) {
    Board board = bare_board(std::move(config));
    start(board, scenario, a2, a3);
    return board;
}

inline constexpr Parcels kPlenty{10'000'000};

template <class Reason>
testing::AssertionResult stopped_by(Stop const& stop) {
    if (std::holds_alternative<Reason>(stop)) return testing::AssertionSuccess();
    auto result = testing::AssertionFailure() << "stopped by alternative " << stop.index();
    if (auto const* trap = std::get_if<stop::MachineTrap>(&stop)) {
        result << ": cause " << trap->cause << " at " << std::hex << trap->pc.value << " value " << trap->value;
    }
    if (auto const* error = std::get_if<stop::EngineError>(&stop)) result << ": " << error->text;
    return result;
}

// The scenario has come to its end: an ecall from S- or M-mode that nobody handles.
inline testing::AssertionResult finished(Stop const& stop) {
    auto const* trap = std::get_if<stop::MachineTrap>(&stop);
    if (trap != nullptr && (trap->cause == 9 || trap->cause == 11)) return testing::AssertionSuccess();
    testing::AssertionResult result = stopped_by<stop::MachineTrap>(stop);
    return testing::AssertionFailure() << "the guest did not finish; " << result.message();
}

// Builds Sv39 tables in guest RAM through the board. Tables are taken from `next` upwards.
class PageTables {
  public:
    PageTables(Board& board, PhysAddr next) : board_(board), root_(next), next_(next + kPageBytes) { clear(root_); }

    std::uint64_t satp() const { return kSatpModeSv39 | root_.frame().value; }
    PhysAddr root() const { return root_; }

    // Maps one page (level 0), or a superpage at level 1 or 2. `flags` includes V.
    PhysAddr map(VirtAddr address, PhysAddr to, std::uint64_t flags, unsigned level = 0) {
        PhysAddr const at = entry_for(address, level);
        put(at, ((to.value >> kPageShift) << pte::ppn_shift) | flags);
        return at;
    }
    // Maps a range one to one.
    void map_range(PhysAddr from, std::uint64_t bytes, std::uint64_t flags) {
        for (std::uint64_t at = 0; at < bytes; at += kPageBytes) map(VirtAddr{from.value + at}, from + at, flags);
    }
    // Where the entry of this level for this address lies; makes the tables above it.
    PhysAddr entry_for(VirtAddr address, unsigned level) {
        PhysAddr table = root_;
        for (unsigned at = 2; at > level; --at) {
            PhysAddr const slot = table + 8 * ((address.value >> (12 + 9 * at)) & 511);
            std::uint64_t entry = *board_.read_u64(slot);
            if (!(entry & pte::valid)) {
                clear(next_);
                entry = ((next_.value >> kPageShift) << pte::ppn_shift) | pte::valid;
                put(slot, entry);
                next_ = next_ + kPageBytes;
            }
            table = PhysAddr{((entry >> pte::ppn_shift) & pte::ppn_mask) << kPageShift};
        }
        return table + 8 * ((address.value >> (12 + 9 * level)) & 511);
    }
    void put(PhysAddr at, std::uint64_t value) { ASSERT_TRUE(board_.write(at, std::as_bytes(std::span{&value, 1}))); }

  private:
    void clear(PhysAddr table) {
        std::array<std::byte, kPageBytes> const zeros{};
        ASSERT_TRUE(board_.write(table, zeros));
    }
    Board& board_;
    PhysAddr root_;
    PhysAddr next_;
};

}  // namespace vmcheck::board::test
