// Reads files back out of an image that may hold anything: every number in it is checked before it is used.

#include "impl/image/disk_image.h"
#include "impl/image/format.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

namespace vmcheck::image {
namespace {

using format::Bytes;
using format::DirectoryEntry;
using format::DiskInode;
using format::failure;
using format::FileType;
using format::Superblock;

class Reader {
  public:
    Reader(Bytes image, Superblock const& super) : image_(image), super_(super) {}

    tl::expected<DiskInode, base::Error> inode(std::uint32_t number) const {
        if (number >= super_.inodes) return failure(fmt::format("The image is damaged: it has no inode {}.", number));
        std::uint64_t const block = std::uint64_t{super_.inode_start} + number / format::kInodesPerBlock;
        if (!has(block)) return failure(fmt::format("The image is damaged: inode {} lies outside of it.", number));
        return format::load<DiskInode>(image_, block, number % format::kInodesPerBlock * sizeof(DiskInode));
    }

    tl::expected<std::vector<std::byte>, base::Error> contents(DiskInode const& inode) const {
        if (inode.bytes > kFileBytesMax)
            return failure(fmt::format("The image is damaged: it has a file of {} bytes.", inode.bytes));
        std::vector<std::byte> contents;
        for (std::uint32_t i = 0; contents.size() < inode.bytes; ++i) {
            // Block number 0 stands for a hole, which files made by mkfs do not have.
            std::uint32_t const block = format::block_of(image_, inode, i);
            if (block == 0 || !has(block)) return failure("The image is damaged: a file's block lies outside of it.");
            std::size_t const wanted = std::min<std::size_t>(kBlockBytes, inode.bytes - contents.size());
            Bytes const bytes = image_.subspan(std::size_t{block} * kBlockBytes, wanted);
            contents.insert(contents.end(), bytes.begin(), bytes.end());
        }
        return contents;
    }

  private:
    bool has(std::uint64_t block) const { return block < image_.size() / kBlockBytes; }

    Bytes image_;
    Superblock super_;
};

// What the root directory lists.
tl::expected<std::vector<DirectoryEntry>, base::Error> root_of(Reader const& reader) {
    auto const root = reader.inode(kRootInode);
    if (!root) return tl::make_unexpected(root.error());
    if (root->type != FileType::kDirectory) return failure("The image is damaged: its root is not a directory.");
    auto const directory = reader.contents(*root);
    if (!directory) return tl::make_unexpected(directory.error());
    std::vector<DirectoryEntry> entries(directory->size() / sizeof(DirectoryEntry));
    if (!entries.empty()) std::memcpy(entries.data(), directory->data(), entries.size() * sizeof(DirectoryEntry));
    std::erase_if(entries, [](DirectoryEntry const& entry) { return entry.inode == 0; });
    return entries;
}

}  // namespace

tl::expected<Superblock, base::Error> format::superblock_of(Bytes image) {
    std::uint64_t const blocks = image.size() / kBlockBytes;
    if (blocks <= kSuperblockAt) return failure("The image is too small to hold a file system.");
    auto const super = load<Superblock>(image, kSuperblockAt, 0);
    if (super.magic != kMagic)
        return failure(fmt::format("The image is not of xv6's format: its magic number is {:#x}.", super.magic));
    if (blocks < super.size)
        return failure(
            fmt::format("The image is cut short: it should have {} blocks, and has {}.", super.size, blocks));
    return super;
}

std::uint32_t format::block_of(Bytes image, DiskInode const& inode, std::uint32_t i) {
    if (i < kDirectBlocks) return inode.blocks[i];
    std::uint32_t const numbers = inode.blocks[kDirectBlocks];
    if (numbers == 0 || numbers >= image.size() / kBlockBytes) return 0;
    return load<std::uint32_t>(image, numbers, (i - kDirectBlocks) * sizeof(std::uint32_t));
}

tl::expected<std::vector<std::byte>, base::Error> read_file(Bytes image, std::string_view path) {
    if (path.starts_with('/')) path.remove_prefix(1);
    auto const super = format::superblock_of(image);
    if (!super) return tl::make_unexpected(super.error());
    Reader const reader(image, *super);
    auto const root = root_of(reader);
    if (!root) return tl::make_unexpected(root.error());
    auto const entry = std::ranges::find(*root, path, &DirectoryEntry::text);
    if (entry == root->end()) return failure(fmt::format("There is no file {} in the image.", path));
    auto const inode = reader.inode(entry->inode);
    if (!inode) return tl::make_unexpected(inode.error());
    if (inode->type != FileType::kFile) return failure(fmt::format("{} is not a file in the image.", path));
    return reader.contents(*inode);
}

tl::expected<Unpacked, base::Error> unpack(Bytes image) {
    auto const super = format::superblock_of(image);
    if (!super) return tl::make_unexpected(super.error());
    Reader const reader(image, *super);
    auto const root = root_of(reader);
    if (!root) return tl::make_unexpected(root.error());
    Unpacked unpacked{{}, {super->size, super->log_blocks, super->inodes}, {}};
    for (DirectoryEntry const& entry : *root) {
        std::string name = entry.text();
        if (name == "." || name == "..") continue;
        auto const inode = reader.inode(entry.inode);
        if (!inode) return tl::make_unexpected(inode.error());
        if (inode->type == FileType::kDirectory) {
            unpacked.directories.push_back(std::move(name));
        } else if (inode->type == FileType::kDevice) {
            unpacked.contents.devices.push_back({std::move(name), inode->major, inode->minor});
        } else {
            auto bytes = reader.contents(*inode);
            if (!bytes) return tl::make_unexpected(bytes.error());
            unpacked.contents.files.push_back({std::move(name), std::move(*bytes)});
        }
    }
    return unpacked;
}

}  // namespace vmcheck::image
