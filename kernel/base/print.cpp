#include "base/print.h"

#include "devices/uart.h"

#include <stddef.h>

namespace kernel {
namespace {

void print_digits(uint64_t value, unsigned base) {
    char digits[20];  // 2^64 has 20 decimal digits
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (count > 0) uart_put(digits[--count]);
}

}  // namespace

void print_part(char const* text) {
    for (; *text != 0; text++) uart_put(*text);
}

void print_part(int number) {
    if (number < 0) uart_put('-');
    auto const wide = static_cast<int64_t>(number);
    print_digits(static_cast<uint64_t>(wide < 0 ? -wide : wide), 10);
}

void print_part(Hex number) {
    print_part("0x");
    print_digits(number.value, 16);
}

}  // namespace kernel
