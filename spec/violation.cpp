#include "spec/violation.h"

#include <array>

namespace vmcheck::spec {

namespace {

struct Words {
    std::string_view short_name, title, promise;
};

constexpr std::array<Words, kInvariants> kWords = {{
    {"I1", "contents", "every readable byte of every process is the model's"},
    {"I2", "rights",
     "U, R and X of each user PTE are the logical ones; W only where logically writable; nothing else is mapped for U"},
    {"I3", "isolation", "a frame that a living process may write has no other living reference"},
    {"I4", "reference counts", "the kernel's count of a frame is the number of PTEs that refer to it"},
    {"I5", "no dangling", "no mapped or page-table frame is on the free list; the free list is sound"},
    {"I6", "conservation", "free + reachable frames are constant; nothing leaks, failed calls included"},
    {"I7", "results", "return values, exit statuses, and who was killed are right"},
    {"I8", "laziness", "each promise of the profile is kept: cow fork shares, lazy sbrk maps nothing until touched"},
    {"I9", "liveness", "every step ends; the kernel never panics, hangs or faults"},
    {"I10", "containment", "a failed allocation fails that call or kills that process only"},
}};

Words const& words(Invariant invariant) {
    return kWords[static_cast<std::size_t>(invariant) - 1];
}

}  // namespace

Address place_of(Layout const& layout, VirtAddr address) {
    // The stack is named by its end; its pages lie above the guard.
    constexpr std::array kRegions = {Anchor::text,  Anchor::rodata, Anchor::data,      Anchor::bss,
                                     Anchor::guard, Anchor::heap,   Anchor::trapframe, Anchor::trampoline};
    auto const from = [&](Anchor anchor) {
        return Address{anchor, static_cast<std::int64_t>(address.value - layout.start_of(anchor).value)};
    };
    if (address >= layout.top && address < layout.trapframe) return from(Anchor::trapframe);
    if (address < layout.stack && address >= layout.guard + kPageBytes && layout.stack > layout.guard)
        return from(Anchor::stack);
    Anchor nearest = Anchor::absolute;
    for (Anchor region : kRegions)
        if (VirtAddr const start = layout.start_of(region);
            start <= address && (nearest == Anchor::absolute || start > layout.start_of(nearest)))
            nearest = region;
    // What lies above all user memory, and what programs name as the kernel's, is nobody's.
    bool const nobodys = (nearest == Anchor::trampoline && address >= layout.maxva) ||
                         (nearest == Anchor::heap && address >= layout.kernel);
    return from(nobodys ? Anchor::absolute : nearest);
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
