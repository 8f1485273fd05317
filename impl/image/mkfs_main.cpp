// vmcheck-mkfs [--blocks N] OUT NAME=PATH... : writes a disk image with these files and the console's device node.
// vmcheck-mkfs --check IMAGE: says whether the file system in an image is in order.
//
// For the build, which runs the built-in kernel on QEMU, and for those who work on that kernel. Exit codes as in the
// manual: 0, 1 not in order, 2 usage, 3 environment.

#include "impl/base/files.h"
#include "impl/image/check_image.h"
#include "impl/image/disk_image.h"

#include <fmt/core.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace {

constexpr int kNotInOrder = 1;
constexpr int kUsageError = 2;
constexpr int kEnvironmentError = 3;
constexpr std::string_view kUsage = "usage: vmcheck-mkfs [--blocks N] OUT NAME=PATH... or vmcheck-mkfs --check IMAGE";

int fail(int code, std::string_view message) {
    fmt::print(stderr, "vmcheck-mkfs: {}\n", message);
    return code;
}

std::optional<std::uint32_t> number_in(std::string_view text) {
    std::uint32_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

int check(char const* path) {
    auto const bytes = vmcheck::base::read_bytes(
        path, {.bytes_max = std::uint64_t{vmcheck::image::kBlocksMax} * vmcheck::image::kBlockBytes});
    if (!bytes) return fail(kEnvironmentError, bytes.error().message);
    auto const checked = vmcheck::image::check_image(*bytes);
    if (!checked) return fail(kUsageError, fmt::format("{}: {}", path, checked.error().message));
    for (std::string const& fault : checked->faults) fmt::print("{}\n", fault);
    fmt::print("{}: {}; {} blocks and {} inodes free, {} inodes without a name, {} blocks in the log\n", path,
               checked->faults.empty() ? "in order" : "not in order", checked->free_blocks, checked->free_inodes,
               checked->orphans, checked->logged_blocks);
    return checked->faults.empty() ? 0 : kNotInOrder;
}

int make(std::span<char* const> arguments) {
    namespace image = vmcheck::image;
    image::Geometry geometry;
    if (arguments.size() >= 2 && std::string_view(arguments[0]) == "--blocks") {
        auto const blocks = number_in(arguments[1]);
        if (!blocks) return fail(kUsageError, kUsage);
        geometry.blocks = *blocks;
        arguments = arguments.subspan(2);
    }
    if (arguments.empty() || std::string_view(arguments[0]).starts_with('-')) return fail(kUsageError, kUsage);
    std::string const output = arguments[0];

    image::Contents contents;
    contents.devices.push_back({"console", 1, 0});
    for (std::string_view const argument : arguments.subspan(1)) {
        std::size_t const equals = argument.find('=');
        if (equals == std::string_view::npos) return fail(kUsageError, kUsage);
        auto bytes = vmcheck::base::read_bytes(argument.substr(equals + 1), {.bytes_max = image::kFileBytesMax});
        if (!bytes) return fail(kEnvironmentError, bytes.error().message);
        contents.files.push_back({std::string(argument.substr(0, equals)), std::move(*bytes)});
    }
    auto const made = image::make_image(contents, geometry);
    if (!made) return fail(kUsageError, made.error().message);
    if (auto const written = vmcheck::base::write_file(output, made->bytes); !written)
        return fail(kEnvironmentError, written.error().message);
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count == 3 && std::string_view(arguments[1]) == "--check") return check(arguments[2]);
    return make(std::span(arguments, static_cast<std::size_t>(count)).subspan(count > 0 ? 1 : 0));
}
