#pragma once
// The few pieces of the C++ standard library that a freestanding kernel needs, in our own words.

#include <stddef.h>

// Constructs an object in memory that is already there.
inline void* operator new(size_t, void* place) noexcept {
    return place;
}

namespace kernel {

template <class T>
struct RemoveReference {
    using Type = T;
};
template <class T>
struct RemoveReference<T&> {
    using Type = T;
};

// Marks `value` as one whose contents may be taken.
template <class T>
constexpr typename RemoveReference<T>::Type&& move(T&& value) {
    return static_cast<typename RemoveReference<T>::Type&&>(value);
}

template <class T>
constexpr void swap(T& a, T& b) {
    T kept = move(a);
    a = move(b);
    b = move(kept);
}

template <class T>
constexpr T min(T a, T b) {
    return b < a ? b : a;
}

template <class T>
constexpr T max(T a, T b) {
    return a < b ? b : a;
}

// What may be neither copied nor moved: locks, devices, tables.
struct Immovable {
    constexpr Immovable() = default;
    Immovable(Immovable const&) = delete;
    Immovable& operator=(Immovable const&) = delete;
};

}  // namespace kernel
