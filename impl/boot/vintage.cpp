#include "impl/boot/vintage.h"

#include "impl/base/files.h"

#include <fmt/core.h>

#include <string_view>

namespace vmcheck {

namespace {

bool has(elf::KernelImage const& image, std::string_view symbol) {
    return image.find_symbol(symbol) != nullptr;
}

bool mentions(std::filesystem::path const& file, std::string_view word) {
    return base::read_file(file).value_or(std::string()).find(word) != std::string::npos;
}

}  // namespace

std::string to_string(Vintage vintage) {
    if (!vintage.known()) return {};
    if (vintage.from == vintage.to) return fmt::format("{} tree", vintage.from);
    return fmt::format("{}-{} tree", vintage.from, vintage.to);
}

Vintage find_vintage(elf::KernelImage const& image, Habits habits, std::optional<std::filesystem::path> const& tree) {
    bool const nameless = image.symbols().empty();
    if (!nameless && (!has(image, "kalloc") || !has(image, "usertrap") || !has(image, "uvmcopy"))) return {};
    if (habits.all_segments_rwx) return {2020, 2021};
    if (nameless) return habits.sbrk_takes_mode ? Vintage{2025, 2025} : Vintage{2022, 2024};
    if (!has(image, "timervec")) return has(image, "kfork") ? Vintage{2025, 2025} : Vintage{2024, 2024};
    if (tree && mentions(*tree / "kernel" / "param.h", "USERSTACK")) return {2023, 2023};
    return {2022, 2023};
}

}  // namespace vmcheck
