#include "impl/board/clint.h"

namespace vmcheck::board {
namespace {

constexpr std::uint64_t kCompareOffset = 0x4000;
constexpr std::uint64_t kTimeOffset = 0xbff8;

std::uint64_t with_part(std::uint64_t whole, std::uint64_t at, unsigned size, std::uint64_t value) {
    std::uint64_t const mask = (size >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * size)) - 1) << (8 * at);
    return (whole & ~mask) | ((value << (8 * at)) & mask);
}

}  // namespace

std::uint64_t Clint::read(std::uint64_t offset, unsigned size) {
    if (offset >= kTimeOffset) return part_of(clock_.time(), offset - kTimeOffset, size);
    if (offset >= kCompareOffset) {
        std::uint64_t const hart = (offset - kCompareOffset) / 8;
        return hart < kHartsMax ? part_of(state.timer_compare[hart], offset % 8, size) : 0;
    }
    std::uint64_t const hart = offset / 4;
    return hart < kHartsMax && offset % 4 == 0 && state.software_interrupt[hart] ? 1 : 0;
}

void Clint::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (offset >= kTimeOffset) {
        if (offset - kTimeOffset < 8) clock_.jump_to(with_part(clock_.time(), offset - kTimeOffset, size, value));
    } else if (offset >= kCompareOffset) {
        std::uint64_t const hart = (offset - kCompareOffset) / 8;
        if (hart < kHartsMax) {
            state.timer_compare[hart] = with_part(state.timer_compare[hart], offset % 8, size, value);
        }
    } else if (std::uint64_t const hart = offset / 4; hart < kHartsMax && offset % 4 == 0) {
        state.software_interrupt[hart] = (value & 1) != 0;
    }
    changed_();
}

}  // namespace vmcheck::board
