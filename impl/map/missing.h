#pragma once
// How the kernel map says that a part of it is not there.

#include <tl/expected.hpp>

#include <string>

namespace vmcheck::map {

// Why a part of the map is not there: a full sentence for the user.
struct Missing {
    std::string reason;
};

template <class T>
using Part = tl::expected<T, Missing>;

}  // namespace vmcheck::map
