#include "impl/board/plic.h"

namespace vmcheck::board {
namespace {

constexpr std::uint64_t kPrioritiesEnd = std::uint64_t{4} * Plic::kSources;  // a word for each
constexpr std::uint64_t kPendingOffset = 0x1000;
constexpr std::uint64_t kEnableOffset = 0x2000;
constexpr std::uint64_t kEnableStride = 0x80;
constexpr std::uint64_t kContextOffset = 0x20'0000;
constexpr std::uint64_t kContextStride = 0x1000;

}  // namespace

unsigned Plic::best_source(unsigned context) const {
    std::uint32_t const candidates = state.pending & ~state.claimed & state.enabled[context];
    unsigned best = 0;
    std::uint32_t best_priority = state.threshold[context];
    for (unsigned source = 1; source < kSources && (candidates >> source) != 0; ++source) {
        if (((candidates >> source) & 1) && state.priority[source] > best_priority) {
            best = source;
            best_priority = state.priority[source];
        }
    }
    return best;
}

unsigned Plic::claim(unsigned context) {
    unsigned const source = best_source(context);
    if (source != 0) {
        state.pending &= ~(1u << source);
        state.claimed |= 1u << source;
        changed_();
    }
    return source;
}

std::uint64_t Plic::read(std::uint64_t offset, unsigned) {
    if (offset < kPrioritiesEnd) return state.priority[offset / 4];
    if (offset >= kContextOffset) {
        std::uint64_t const context = (offset - kContextOffset) / kContextStride;
        if (context >= kContexts) return 0;
        std::uint64_t const within = offset % kContextStride;
        if (within == 0) return state.threshold[context];
        return within == 4 ? claim(static_cast<unsigned>(context)) : 0;
    }
    if (offset >= kEnableOffset) {
        std::uint64_t const context = (offset - kEnableOffset) / kEnableStride;
        return context < kContexts && offset % kEnableStride == 0 ? state.enabled[context] : 0;
    }
    return offset == kPendingOffset ? state.pending : 0;
}

void Plic::write(std::uint64_t offset, unsigned, std::uint64_t value) {
    auto const word = static_cast<std::uint32_t>(value);
    if (offset < kPrioritiesEnd) {
        state.priority[offset / 4] = word & 7;  // QEMU's `virt` has 3 priority bits
    } else if (offset >= kContextOffset) {
        std::uint64_t const context = (offset - kContextOffset) / kContextStride;
        if (context >= kContexts) return;
        std::uint64_t const within = offset % kContextStride;
        if (within == 0) state.threshold[context] = word & 7;
        if (within == 4 && word < kSources) state.claimed &= ~(1u << word);  // completion
    } else if (offset >= kEnableOffset) {
        std::uint64_t const context = (offset - kEnableOffset) / kEnableStride;
        if (context < kContexts && offset % kEnableStride == 0) state.enabled[context] = word & ~1u;
    }
    changed_();
}

void Plic::set_line(unsigned source, bool level) {
    if (level) {
        state.pending |= 1u << source;
    } else {
        state.pending &= ~(1u << source);
    }
    changed_();
}

}  // namespace vmcheck::board
