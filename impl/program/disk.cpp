#include "impl/program/disk.h"

#include "impl/abi/launcher_abi.h"

#include <fmt/core.h>

#include <utility>

// The build links the launcher first and says where the file is.
asm(R"(
    .section .rodata
    .balign 8
    .globl vmcheck_launcher_elf_start, vmcheck_launcher_elf_end
vmcheck_launcher_elf_start:
    .incbin ")" VMCHECK_LAUNCHER_ELF R"("
vmcheck_launcher_elf_end:
    .previous
)");

extern "C" std::byte const vmcheck_launcher_elf_start[];
extern "C" std::byte const vmcheck_launcher_elf_end[];

namespace vmcheck::program {

namespace {

std::vector<std::byte> command_file(std::span<std::string const> words) {
    std::vector<std::byte> bytes;
    for (std::string const& word : words) {
        for (char const c : word) bytes.push_back(static_cast<std::byte>(c));
        bytes.push_back(std::byte{0});
    }
    return bytes;
}

void put(image::Contents& contents, std::string name, std::vector<std::byte> bytes) {
    std::erase_if(contents.files, [&](image::File const& file) { return file.name == name; });
    contents.files.push_back({std::move(name), std::move(bytes)});
}

}  // namespace

std::span<std::byte const> launcher_file() {
    return {vmcheck_launcher_elf_start, vmcheck_launcher_elf_end};
}

tl::expected<std::vector<std::byte>, base::Error> make_disk(image::Contents files, image::Geometry const& geometry,
                                                            std::span<std::string const> words) {
    std::vector<std::byte> command = command_file(words);
    if (words.size() > VMCHECK_LAUNCHER_WORDS_MAX || command.size() > VMCHECK_LAUNCHER_BYTES_MAX)
        return tl::unexpected(base::Error{
            fmt::format("A command has at most {} words and {} bytes; this one has {} and {}.",
                        VMCHECK_LAUNCHER_WORDS_MAX, VMCHECK_LAUNCHER_BYTES_MAX, words.size(), command.size())});
    auto const launcher = launcher_file();
    put(files, "init", {launcher.begin(), launcher.end()});
    put(files, VMCHECK_LAUNCHER_FILE, std::move(command));
    auto image = image::make_image(files, geometry);
    if (!image) return tl::unexpected(image.error());
    return std::move(image->bytes);
}

}  // namespace vmcheck::program
