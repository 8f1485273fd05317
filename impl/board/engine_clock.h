#pragma once
// See engine_clock.cpp. Internal to the board.

namespace vmcheck::board {

// Makes sure that the program is linked with the engine's own clock.
void use_engine_clock();

}  // namespace vmcheck::board
