#pragma once
// Disk images in the file-system format of xv6-riscv: what the kernel under test finds on its virtio disk.
//
//     image::Contents contents{.files = {{"init", agent_bytes}}, .devices = {{"console", 1, 0}}};
//     auto disk = image::make_image(contents, image::Geometry{.blocks = 200});
//     if (!disk) return report(disk.error().message);
//     board.insert_disk(disk->bytes);                    disk->inodes.at("init") is what fstat will say
//
// The format is that of xv6-riscv kernel/fs.h and mkfs/mkfs.c, the same from 2020 to 2025 but for the image's size:
//
//     boot block | superblock | log | inodes | free bitmap | data blocks
//
// Same input, same bytes. Nothing here touches a file of the host.

#include "impl/base/error.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::image {

inline constexpr std::uint32_t kBlockBytes = 1024;     // BSIZE
inline constexpr std::uint32_t kRootInode = 1;         // ROOTINO
inline constexpr std::uint32_t kDirectBlocks = 12;     // NDIRECT
inline constexpr std::uint32_t kIndirectBlocks = 256;  // NINDIRECT
inline constexpr std::uint32_t kFileBytesMax = (kDirectBlocks + kIndirectBlocks) * kBlockBytes;
inline constexpr std::uint32_t kNameBytesMax = 14;     // DIRSIZ; a name of full length has no NUL
inline constexpr std::uint32_t kBlocksMax = 1U << 20;  // 1 GiB: a limit of ours
// Files of at most this many bytes are also read rightly by kernels that did the large-files lab (NDIRECT 11).
inline constexpr std::uint32_t kPortableFileBytesMax = 11 * kBlockBytes;

struct File {
    std::string name;
    std::vector<std::byte> bytes;
};

// A device node: what mknod makes. The console is major 1 (xv6 kernel/file.h: CONSOLE).
struct Device {
    std::string name;
    std::int16_t major = 1;
    std::int16_t minor = 0;
};

// Everything lies in the root directory.
struct Contents {
    std::vector<File> files{};
    std::vector<Device> devices{};
    // A root directory without unused entries, its dots last. A kernel reads, locks and unlocks a block for each entry
    // that it passes by, and xv6 looks at its whole process table at each unlock: on the stock kernel an open of the
    // first name costs half of what it does in a directory as mkfs makes it, an open of a name that is not there a
    // tenth.
    bool lean_root = false;
};

struct Geometry {
    std::uint32_t blocks = 2000;    // size of the image (FSSIZE in xv6 kernel/param.h)
    std::uint32_t log_blocks = 31;  // header and 30 blocks (LOGBLOCKS + 1): enough for every vintage
    std::uint32_t inodes = 200;     // NINODES in mkfs/mkfs.c; inode 0 is not used, inode 1 is the root directory
};

struct Image {
    std::vector<std::byte> bytes;
    std::map<std::string, std::uint32_t, std::less<>> inodes;  // by name; files first in the given order, from 2 up
};

// Fails for a name that is empty, longer than kNameBytesMax, given twice, ".", "..", or holds '/' or NUL; for a file
// larger than kFileBytesMax; for more entries than inodes; for contents or metadata that do not fit the geometry.
tl::expected<Image, base::Error> make_image(Contents const& contents, Geometry const& geometry);

// The contents of a file in the root directory of an image of this format. Any bytes may be given as image.
// Fails where the image is damaged, there is no such name, or it is not a file. A leading '/' in `path` is allowed.
tl::expected<std::vector<std::byte>, base::Error> read_file(std::span<std::byte const> image, std::string_view path);

// What an image is made of, as make_image() takes it. `directories`: the names of those in the root, which are left
// out.
struct Unpacked {
    Contents contents;
    Geometry geometry;
    std::vector<std::string> directories;
};
// Any bytes may be given as image. Fails where it is damaged, or not of this format.
tl::expected<Unpacked, base::Error> unpack(std::span<std::byte const> image);

}  // namespace vmcheck::image
