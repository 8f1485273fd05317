#pragma once
// The 16550 UART (National Semiconductor PC16550D data sheet) behind the console.

namespace kernel {

// Once, at boot: 8 data bits, no parity, FIFOs on, an interrupt when something was received.
void initialize_uart();

// Sends one character, waiting until there is room for it.
void uart_put(char character);

// Takes one received character; -1 when there is none.
int uart_get();

}  // namespace kernel
