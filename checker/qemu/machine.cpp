#include "checker/qemu/machine.h"

#include "impl/elf/kernel_image.h"
#include "impl/image/disk_image.h"

#include <fmt/core.h>

#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace vmcheck::qemu {

namespace {

// A CSR instruction with pmpcfg0 as its register (RISC-V unprivileged spec, chapter "Zicsr"; privileged spec, table 5).
bool writes_pmpcfg0(std::uint32_t instruction) {
    constexpr std::uint32_t kSystem = 0x73, kPmpcfg0 = 0x3a0;
    std::uint32_t const operation = (instruction >> 12) & 7;
    return (instruction & 0x7f) == kSystem && operation % 4 != 0 && instruction >> 20 == kPmpcfg0;
}

bool writes_pmpcfg0(std::span<std::byte const> code) {
    for (std::size_t at = 0; at + sizeof(std::uint32_t) <= code.size(); at += 2) {
        std::uint32_t instruction = 0;
        std::memcpy(&instruction, code.data() + at, sizeof instruction);
        if (writes_pmpcfg0(instruction)) return true;
    }
    return false;
}

// A comma ends an option's value; two stand for one.
std::string option_value(std::string const& text) {
    std::string value;
    for (char c : text) value += c == ',' ? ",," : std::string(1, c);
    return value;
}

// What a repro.c writes into /data before it reads it; for kernels that cannot create files.
std::vector<std::byte> data_file() {
    constexpr std::string_view kPath = "/data";
    constexpr std::size_t kBytes = 6000;
    std::vector<std::byte> bytes(kBytes);
    for (std::size_t at = 0; at < kBytes; at += kPageBytes) std::memcpy(&bytes[at], kPath.data(), kPath.size());
    return bytes;
}

}  // namespace

tl::expected<bool, base::Error> sets_memory_protection(std::filesystem::path const& kernel) {
    auto const image = elf::KernelImage::load(kernel, elf::kDefaultRam);
    if (!image) return tl::unexpected(base::Error{image.error().sentence()});
    for (elf::Segment const& segment : image->segments())
        if (segment.executable && writes_pmpcfg0(segment.bytes)) return true;
    return false;
}

std::vector<std::string> command_line(std::filesystem::path const& emulator, Machine const& machine,
                                      std::filesystem::path const& disk) {
    return {emulator.string(),
            "-machine",
            "virt",
            "-bios",
            "none",
            "-cpu",
            machine.memory_protection ? "rv64" : "rv64,pmp=false",
            "-m",
            fmt::format("{}M", machine.ram_bytes >> 20),
            "-smp",
            fmt::format("{}", machine.harts),
            "-kernel",
            machine.kernel.string(),
            "-display",
            "none",
            "-monitor",
            "none",
            "-serial",
            "stdio",
            "-nic",
            "none",
            "-global",
            fmt::format("virtio-mmio.force-legacy={}", machine.legacy_disk),
            "-drive",
            fmt::format("file={},if=none,format=raw,id=x0", option_value(disk.string())),
            "-device",
            "virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0"};
}

tl::expected<std::vector<std::byte>, base::Error> make_disk(Programs programs) {
    image::Contents contents;
    contents.files.push_back({"init", std::move(programs.init)});
    contents.files.push_back({"echo", std::move(programs.echo)});
    contents.files.push_back({"repro", std::move(programs.repro)});
    contents.files.push_back({"data", data_file()});
    contents.devices.push_back({"console", 1, 0});
    auto image = image::make_image(contents, image::Geometry{});
    if (!image) return tl::unexpected(image.error());
    return std::move(image->bytes);
}

}  // namespace vmcheck::qemu
