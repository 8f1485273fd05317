#pragma once
// For tests: a board without a kernel. Its harts are put by hand where a kernel would have brought them.

#include "impl/board/board.h"
#include "impl/control/roster.h"

#include <cstring>
#include <span>
#include <stdexcept>
#include <string_view>

namespace vmcheck::test {

inline constexpr board::Parcels kBudget{10'000};
inline constexpr PhysAddr kCode = board::kRamStart;
inline constexpr std::uint32_t kLoopForEver = 0x0000006f;  // j .
inline constexpr std::uint32_t kEcall = 0x00000073;
inline constexpr std::uint32_t kWaitForInterrupt = 0x10500073;  // wfi
inline constexpr std::uint32_t kBackByOne = 0xffdff06f;         // j .-4

inline board::Board bare_board(unsigned harts = 1) {
    board::Config config;
    config.ram_bytes = std::uint64_t{1} << 20;
    config.harts = harts;
    auto board = board::Board::create(std::move(config));
    if (!board) throw std::runtime_error(board.error().message);
    board->reset(kCode);
    return std::move(*board);
}

inline void put(board::Board& board, PhysAddr at, std::string_view bytes) {
    board.write(at, std::as_bytes(std::span{bytes}));
}
inline void put(board::Board& board, PhysAddr at, std::uint32_t instruction) {
    board.write(at, std::as_bytes(std::span{&instruction, 1}));
}

}  // namespace vmcheck::test
