#pragma once
// The 16550 UART (National Semiconductor PC16550D data sheet) behind the console.

#include <stddef.h>

namespace kernel {

// Once, at boot: 8 data bits, no parity, FIFOs on, an interrupt when something was received, and, where the kernel is
// built for it (config.h), when something was sent.
void initialize_uart();

// Sends one character, waiting until there is room for it.
void uart_put(char character);

// Sends text for the current process, which sleeps while the UART is busy if the kernel is built so.
// REQUIRES then: no spin lock is held.
void uart_send(char const* text, size_t bytes);

// Takes note of what the UART has sent.
void uart_interrupt();

// Takes one received character; -1 when there is none.
int uart_get();

}  // namespace kernel
