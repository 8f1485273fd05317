#pragma once
// Bytes and strings. The first three are real functions with C names, never inlined as a whole: the board recognises
// calls of them by symbol and does the work on the host, and the compiler may call them by itself.

#include <stddef.h>

extern "C" {
void* memset(void* to, int byte, size_t bytes);
void* memmove(void* to, void const* from, size_t bytes);  // the two ranges may overlap
void* memcpy(void* to, void const* from, size_t bytes);
}

namespace kernel {

size_t length_of(char const* string);
bool equal(char const* a, char const* b);

}  // namespace kernel
