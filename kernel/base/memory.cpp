#include "base/memory.h"

#include <stdint.h>

// Eight bytes at a time when everything is aligned, which whole pages always are.
namespace {

using Word [[gnu::may_alias]] = uint64_t;

bool words_only(void const* a, void const* b, size_t bytes) {
    return ((reinterpret_cast<uintptr_t>(a) | reinterpret_cast<uintptr_t>(b) | bytes) & (sizeof(Word) - 1)) == 0;
}

template <class Unit>
void copy_upwards(void* to, void const* from, size_t units) {
    auto* target = static_cast<Unit*>(to);
    auto const* source = static_cast<Unit const*>(from);
    for (size_t i = 0; i < units; i++) target[i] = source[i];
}

template <class Unit>
void copy_downwards(void* to, void const* from, size_t units) {
    auto* target = static_cast<Unit*>(to);
    auto const* source = static_cast<Unit const*>(from);
    while (units-- > 0) target[units] = source[units];
}

template <class Unit>
void fill(void* to, Unit value, size_t units) {
    auto* target = static_cast<Unit*>(to);
    for (size_t i = 0; i < units; i++) target[i] = value;
}

}  // namespace

extern "C" [[gnu::noipa]] void* memset(void* to, int byte, size_t bytes) {
    auto const value = static_cast<uint8_t>(byte);
    if (words_only(to, to, bytes)) {
        fill<Word>(to, value * UINT64_C(0x0101010101010101), bytes / sizeof(Word));
    } else {
        fill<uint8_t>(to, value, bytes);
    }
    return to;
}

extern "C" [[gnu::noipa]] void* memmove(void* to, void const* from, size_t bytes) {
    bool const words = words_only(to, from, bytes);
    bool const upwards = to <= from;  // overwrites only what has been read, also where the ranges overlap
    if (words && upwards) {
        copy_upwards<Word>(to, from, bytes / sizeof(Word));
    } else if (words) {
        copy_downwards<Word>(to, from, bytes / sizeof(Word));
    } else if (upwards) {
        copy_upwards<uint8_t>(to, from, bytes);
    } else {
        copy_downwards<uint8_t>(to, from, bytes);
    }
    return to;
}

extern "C" [[gnu::noipa]] void* memcpy(void* to, void const* from, size_t bytes) {
    return memmove(to, from, bytes);
}

namespace kernel {

size_t length_of(char const* string) {
    size_t length = 0;
    while (string[length] != 0) length++;
    return length;
}

bool equal(char const* a, char const* b) {
    while (*a != 0 && *a == *b) a++, b++;
    return *a == *b;
}

}  // namespace kernel
