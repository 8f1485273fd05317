#include "impl/board/types.h"

namespace vmcheck::board {

std::string_view name_of(PageFault fault) {
    switch (fault) {
        case PageFault::non_canonical:
            return "the address is not canonical";
        case PageFault::table_outside_ram:
            return "a page table lies outside RAM";
        case PageFault::invalid:
            return "a PTE is not valid";
        case PageFault::reserved_bits:
            return "a PTE has a reserved combination of bits";
        case PageFault::no_leaf:
            return "the last-level PTE is not a leaf";
        case PageFault::misaligned_superpage:
            return "a superpage is misaligned";
        case PageFault::privilege:
            return "the page belongs to another privilege mode";
        case PageFault::permission:
            return "the PTE does not permit this access";
        case PageFault::unsupported_mode:
            return "satp holds an unsupported mode";
    }
    return "unknown";
}

}  // namespace vmcheck::board
