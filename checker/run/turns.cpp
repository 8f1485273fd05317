#include "checker/run/turns.h"

#include <cmath>

namespace vmcheck::run {

std::size_t place_to_begin(std::size_t night, std::size_t size) {
    constexpr double kPartOfTheWhole = 0.618'033'988'749'894'9;
    double const turns = kPartOfTheWhole * static_cast<double>(night);
    return static_cast<std::size_t>((turns - std::floor(turns)) * static_cast<double>(size));
}

}  // namespace vmcheck::run
