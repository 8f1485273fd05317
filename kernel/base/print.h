#pragma once
// Text for people, straight to the console:  print("pid ", 3, " at ", Hex{0x1000}, "\n").
// It takes no lock, so that panic() may use it whatever is locked.

#include <stdint.h>

namespace kernel {

struct Hex {
    uint64_t value;
};

void print_part(char const* text);
void print_part(int number);
void print_part(Hex number);

template <class... Parts>
void print(Parts... parts) {
    (print_part(parts), ...);
}

}  // namespace kernel
