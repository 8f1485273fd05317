#include "devices/uart.h"

#include "config.h"
#include "process/scheduler.h"
#include "riscv/layout.h"

namespace kernel {
namespace {

enum Register : uint64_t {
    kData = 0,               // RHR when read, THR when written
    kInterruptEnable = 1,    // IER
    kInterruptIdentity = 2,  // IIR when read; reading it also ends a transmit interrupt
    kFifoControl = 2,        // FCR when written
    kLineControl = 3,        // LCR
    kLineStatus = 5,         // LSR
};

constexpr uint8_t kInterruptOnReceive = 1 << 0;
constexpr uint8_t kInterruptOnSent = 1 << 1;
constexpr uint8_t kFifosOnAndCleared = 0b111;
constexpr uint8_t kEightDataBits = 0b11;
constexpr uint8_t kReceived = 1 << 0;
constexpr uint8_t kRoomToSend = 1 << 5;

uint8_t volatile& at(Register which) {
    return *pointer_to<uint8_t volatile>(kUart + which);
}

constexpr bool kSleepsToSend = kUartSending == UartSending::interrupts;

struct Sender {
    SpinLock lock;
    bool busy = false;  // until the interrupt that says that the last character has gone
};
constinit Sender sender;

}  // namespace

void initialize_uart() {
    at(kInterruptEnable) = 0;
    at(kLineControl) = kEightDataBits;
    at(kFifoControl) = kFifosOnAndCleared;
    at(kInterruptEnable) = kSleepsToSend ? kInterruptOnReceive | kInterruptOnSent : kInterruptOnReceive;
}

void uart_put(char character) {
    while ((at(kLineStatus) & kRoomToSend) == 0) continue;
    at(kData) = static_cast<uint8_t>(character);
}

void uart_send(char const* text, size_t bytes) {
    SpinGuard guard(sender.lock);
    for (size_t i = 0; i < bytes; i++) {
        while (kSleepsToSend && sender.busy) sleep_on(&sender, sender.lock);
        uart_put(text[i]);
        sender.busy = kSleepsToSend;
    }
}

void uart_interrupt() {
    if constexpr (!kSleepsToSend) return;
    SpinGuard guard(sender.lock);
    [[maybe_unused]] uint8_t const why = at(kInterruptIdentity);
    if ((at(kLineStatus) & kRoomToSend) == 0 || !sender.busy) return;
    sender.busy = false;
    wake_all(&sender);
}

int uart_get() {
    if ((at(kLineStatus) & kReceived) == 0) return -1;
    return at(kData);
}

}  // namespace kernel
