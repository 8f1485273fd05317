#include "checker/report/place.h"

#include <array>
#include <cstdint>
#include <utility>

namespace vmcheck::report {

spec::Address place_of(spec::Layout const& layout, VirtAddr address) {
    using spec::Anchor;
    auto const from = [&](Anchor anchor, VirtAddr base) {
        return spec::Address{anchor, static_cast<std::int64_t>(address.value - base.value)};
    };
    std::array<std::pair<Anchor, VirtAddr>, 7> const pages{{{Anchor::text, layout.text},
                                                            {Anchor::rodata, layout.rodata},
                                                            {Anchor::data, layout.data},
                                                            {Anchor::bss, layout.bss},
                                                            {Anchor::guard, layout.guard},
                                                            {Anchor::trapframe, layout.trapframe},
                                                            {Anchor::trampoline, layout.trampoline}}};
    for (auto const& [anchor, base] : pages)
        if (address.page() == base.page()) return from(anchor, base);
    // The stack and what is counted from its top.
    if (address < layout.stack && address.value >= layout.guard.value + kPageBytes)
        return from(Anchor::stack, layout.stack);
    if (address >= layout.heap && address < layout.top && address < layout.kernel)
        return from(Anchor::heap, layout.heap);
    return {Anchor::absolute, static_cast<std::int64_t>(address.value)};
}

}  // namespace vmcheck::report
