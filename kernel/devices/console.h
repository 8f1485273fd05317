#pragma once
// The console as a file: output as it comes, input a line at a time and echoed. While a line is typed, backspace
// (control-H, delete) takes its last character back, and control-U all of them; control-D ends the input. Control-P
// lists the processes.

#include "base/address.h"

namespace kernel {

class AddressSpace;

// Both as read_file() and write_file() (files/file.h).
int64_t read_console(AddressSpace& space, VirtAddr to, size_t bytes);
int64_t write_console(AddressSpace& space, VirtAddr from, size_t bytes);

// Takes what the UART has received.
void console_interrupt();

}  // namespace kernel
