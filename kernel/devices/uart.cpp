#include "devices/uart.h"

#include "riscv/layout.h"

namespace kernel {
namespace {

enum Register : uint64_t {
    kData = 0,             // RHR when read, THR when written
    kInterruptEnable = 1,  // IER
    kFifoControl = 2,      // FCR
    kLineControl = 3,      // LCR
    kLineStatus = 5,       // LSR
};

constexpr uint8_t kInterruptOnReceive = 1 << 0;
constexpr uint8_t kFifosOnAndCleared = 0b111;
constexpr uint8_t kEightDataBits = 0b11;
constexpr uint8_t kReceived = 1 << 0;
constexpr uint8_t kRoomToSend = 1 << 5;

uint8_t volatile& at(Register which) {
    return *pointer_to<uint8_t volatile>(kUart + which);
}

}  // namespace

void initialize_uart() {
    at(kInterruptEnable) = 0;
    at(kLineControl) = kEightDataBits;
    at(kFifoControl) = kFifosOnAndCleared;
    at(kInterruptEnable) = kInterruptOnReceive;
}

void uart_put(char character) {
    while ((at(kLineStatus) & kRoomToSend) == 0) continue;
    at(kData) = static_cast<uint8_t>(character);
}

int uart_get() {
    if ((at(kLineStatus) & kReceived) == 0) return -1;
    return at(kData);
}

}  // namespace kernel
