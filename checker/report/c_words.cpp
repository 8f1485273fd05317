#include "checker/report/c_words.h"

#include "spec/address.h"

#include <fmt/core.h>

#include <array>
#include <string_view>

namespace vmcheck::report {

namespace {

// By spec::Anchor.
constexpr std::array<std::string_view, 14> kBases = {"",
                                                     "(char *)text",
                                                     "(char *)rodata",
                                                     "data",
                                                     "bss",
                                                     "guard",
                                                     "stack",
                                                     "heap",
                                                     "sbrk(0)",
                                                     "(char *)TRAPFRAME",
                                                     "(char *)TRAPFRAME",
                                                     "(char *)TRAMPOLINE",
                                                     "(char *)MAXVA",
                                                     "(char *)KERNBASE"};

std::uint64_t magnitude(std::int64_t value) {
    return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

// Without its sign.
std::string amount_of(std::int64_t bytes) {
    std::uint64_t const pages = magnitude(bytes) / kPageBytes;
    if (!is_in_pages(bytes)) return c_value(magnitude(bytes));
    return pages == 1 ? "PGSIZE" : fmt::format("{}*PGSIZE", pages);
}

}  // namespace

std::string c_value(std::uint64_t value) {
    if (value < 4096) return fmt::format("{}", value);
    if (value < (std::uint64_t{1} << 31)) return fmt::format("{:#x}", value);
    return fmt::format("{:#x}{}", value, value < (std::uint64_t{1} << 63) ? "L" : "UL");
}

std::string c_amount(std::int64_t bytes) {
    return (bytes < 0 ? "-" : "") + amount_of(bytes);
}

bool is_in_pages(std::int64_t bytes) {
    // Beyond this, a number of pages says less than the address does, and no longer fits C's int.
    constexpr std::uint64_t kPagesMax = 1U << 18;
    std::uint64_t const size = magnitude(bytes);
    return size != 0 && size % kPageBytes == 0 && size / kPageBytes <= kPagesMax;
}

std::string c_pointer(spec::Address const& address) {
    std::string base{kBases.at(static_cast<std::size_t>(address.anchor))};
    // As an integer of a pointer's width: a cast from int would be warned of.
    if (base.empty())
        return fmt::format("(char *){:#x}{}", static_cast<std::uint64_t>(address.offset),
                           address.offset < 0 ? "UL" : "L");
    if (address.offset == 0) return base;
    return fmt::format("{} {} {}", base, address.offset < 0 ? '-' : '+', amount_of(address.offset));
}

char const* c_type(unsigned bytes) {
    return bytes == 1 ? "uchar" : bytes == 2 ? "ushort" : bytes == 4 ? "uint" : "uint64";
}

}  // namespace vmcheck::report
