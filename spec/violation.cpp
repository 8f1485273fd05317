#include "spec/violation.h"

#include <array>
#include <utility>

namespace vmcheck::spec {

namespace {

struct Words {
    std::string_view short_name, title, promise;
};

constexpr std::array<Words, kInvariants> kWords = {{
    {"I1", "contents", "every readable byte of every process is the model's"},
    {"I2", "rights",
     "U, R and X of each user PTE are the logical ones; W only where logically writable; nothing else is mapped for U"},
    {"I3", "isolation", "a frame that any user PTE may write has exactly one reference"},
    {"I4", "reference counts", "the kernel's count of a frame is the number of PTEs that refer to it"},
    {"I5", "no dangling", "no mapped or page-table frame is on the free list; the free list is sound"},
    {"I6", "conservation", "free + reachable frames are constant; nothing leaks, failed calls included"},
    {"I7", "results", "return values, exit statuses, and who was killed are right"},
    {"I8", "laziness", "each promise of the profile is kept: cow fork shares, lazy sbrk maps nothing until touched"},
    {"I9", "liveness", "every step ends within its budget; the kernel never panics, hangs or faults"},
    {"I10", "containment", "a failed allocation fails that call or kills that process only"},
}};

Words const& words(Invariant invariant) {
    return kWords[static_cast<std::size_t>(invariant) - 1];
}

}  // namespace

Address place_of(Layout const& layout, VirtAddr address) {
    // The stack is named by its end; its pages lie above the guard.
    std::array<std::pair<Anchor, VirtAddr>, 8> const regions = {{{Anchor::text, layout.text},
                                                                 {Anchor::rodata, layout.rodata},
                                                                 {Anchor::data, layout.data},
                                                                 {Anchor::bss, layout.bss},
                                                                 {Anchor::guard, layout.guard},
                                                                 {Anchor::heap, layout.heap},
                                                                 {Anchor::trapframe, layout.trapframe},
                                                                 {Anchor::trampoline, layout.trampoline}}};
    auto const from = [&](Anchor anchor, VirtAddr start) {
        return Address{anchor, static_cast<std::int64_t>(address.value - start.value)};
    };
    if (address < layout.stack && address >= layout.guard + kPageBytes && layout.stack > layout.guard)
        return from(Anchor::stack, layout.stack);
    std::pair<Anchor, VirtAddr> nearest{Anchor::absolute, VirtAddr{0}};
    for (auto const& region : regions)
        if (region.second <= address && (nearest.first == Anchor::absolute || region.second > nearest.second))
            nearest = region;
    // What lies above all user memory, and what programs name as the kernel's, is nobody's.
    bool const nobodys = (nearest.first == Anchor::trampoline && address >= layout.maxva) ||
                         (nearest.first == Anchor::heap && address >= layout.kernel);
    if (nobodys) nearest = {Anchor::absolute, VirtAddr{0}};
    return from(nearest.first, nearest.second);
}

std::string_view short_name(Invariant invariant) {
    return words(invariant).short_name;
}
std::string_view title(Invariant invariant) {
    return words(invariant).title;
}
std::string_view promise(Invariant invariant) {
    return words(invariant).promise;
}

}  // namespace vmcheck::spec
