#include "impl/board/translated_code.h"

#include <algorithm>

namespace vmcheck::board {

void TranslatedCode::before_overwrite(FrameNo frame, std::span<std::byte const, kPageBytes> old_bytes) {
    auto const [entry, is_new] = doubtful_.try_emplace(frame);
    if (!is_new) return;  // the copy is of the bytes that the code was made from; those in RAM came later
    std::ranges::copy(old_bytes, entry->second.begin());
    flush_requested_ = true;
}

bool TranslatedCode::settle(FrameNo frame) {
    auto const found = doubtful_.find(frame);
    if (found == doubtful_.end()) return true;
    if (!std::ranges::equal(found->second, memory_.frame(frame))) return false;
    doubtful_.erase(found);
    return true;
}

}  // namespace vmcheck::board
