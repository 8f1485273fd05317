// Reads files back out of an image that may hold anything: every number in it is checked before it is used.

#include "impl/image/disk_image.h"
#include "impl/image/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace vmcheck::image {
namespace {

using format::DirectoryEntry;
using format::DiskInode;
using format::FileType;
using format::Superblock;

using Bytes = std::span<std::byte const>;

tl::unexpected<base::Error> failure(std::string message) {
    return tl::make_unexpected(base::Error{std::move(message)});
}

class Reader {
  public:
    explicit Reader(Bytes image) : image_(image) {}

    tl::expected<void, base::Error> check_superblock() {
        auto const bytes = block(format::kSuperblockAt);
        if (!bytes) return failure("The image is too small to hold a file system.");
        std::memcpy(&super_, bytes->data(), sizeof super_);
        if (super_.magic != format::kMagic)
            return failure(fmt::format("The image is not of xv6's format: its magic number is {:#x}.", super_.magic));
        if (image_.size() / kBlockBytes < super_.size) {
            return failure(fmt::format("The image is cut short: it should have {} blocks, and has {}.", super_.size,
                                       image_.size() / kBlockBytes));
        }
        return {};
    }

    Superblock const& superblock() const { return super_; }

    tl::expected<DiskInode, base::Error> inode(std::uint32_t number) const {
        if (number >= super_.inodes) return failure(fmt::format("The image is damaged: it has no inode {}.", number));
        auto const bytes = block(std::uint64_t{super_.inode_start} + number / format::kInodesPerBlock);
        if (!bytes) return failure(fmt::format("The image is damaged: inode {} lies outside of it.", number));
        DiskInode inode;
        std::memcpy(&inode, bytes->data() + number % format::kInodesPerBlock * sizeof inode, sizeof inode);
        return inode;
    }

    tl::expected<std::vector<std::byte>, base::Error> contents(DiskInode const& inode) const {
        if (inode.bytes > kFileBytesMax)
            return failure(fmt::format("The image is damaged: it has a file of {} bytes.", inode.bytes));
        std::vector<std::byte> contents;
        for (std::uint32_t i = 0; contents.size() < inode.bytes; ++i) {
            auto const bytes = data_block(inode, i);
            if (!bytes) return failure("The image is damaged: a file's block lies outside of it.");
            std::size_t const wanted = std::min<std::size_t>(kBlockBytes, inode.bytes - contents.size());
            contents.insert(contents.end(), bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(wanted));
        }
        return contents;
    }

  private:
    std::optional<Bytes> block(std::uint64_t number) const {
        if (number >= image_.size() / kBlockBytes) return std::nullopt;
        return image_.subspan(static_cast<std::size_t>(number) * kBlockBytes, kBlockBytes);
    }

    // Block i of a file. Block number 0 stands for a hole, which files made by mkfs do not have.
    std::optional<Bytes> data_block(DiskInode const& inode, std::uint32_t i) const {
        std::uint32_t number = 0;
        if (i < kDirectBlocks) {
            number = inode.blocks[i];
        } else {
            auto const indirect = block(inode.blocks[kDirectBlocks]);
            if (!indirect) return std::nullopt;
            std::memcpy(&number, indirect->data() + (i - kDirectBlocks) * sizeof number, sizeof number);
        }
        return number == 0 ? std::nullopt : block(number);
    }

    Bytes image_;
    Superblock super_;
};

struct Entry {
    std::uint32_t inode = 0;
    std::string name;
};

// What a directory lists.
std::vector<Entry> entries_of(std::vector<std::byte> const& directory) {
    std::vector<Entry> entries;
    for (std::size_t at = 0; at + sizeof(DirectoryEntry) <= directory.size(); at += sizeof(DirectoryEntry)) {
        DirectoryEntry entry;
        std::memcpy(&entry, directory.data() + at, sizeof entry);
        auto const end = std::ranges::find(entry.name, '\0');
        if (entry.inode != 0) entries.push_back({entry.inode, std::string(entry.name.begin(), end)});
    }
    return entries;
}

tl::expected<std::vector<Entry>, base::Error> root_of(Reader const& reader) {
    auto const root = reader.inode(format::kRootInode);
    if (!root) return tl::make_unexpected(root.error());
    if (root->type != FileType::kDirectory) return failure("The image is damaged: its root is not a directory.");
    auto const directory = reader.contents(*root);
    if (!directory) return tl::make_unexpected(directory.error());
    return entries_of(*directory);
}

}  // namespace

tl::expected<std::vector<std::byte>, base::Error> read_file(Bytes image, std::string_view path) {
    if (path.starts_with('/')) path.remove_prefix(1);
    Reader reader(image);
    if (auto checked = reader.check_superblock(); !checked) return tl::make_unexpected(checked.error());
    auto const root = root_of(reader);
    if (!root) return tl::make_unexpected(root.error());
    auto const entry = std::ranges::find(*root, path, &Entry::name);
    if (entry == root->end()) return failure(fmt::format("There is no file {} in the image.", path));
    auto const inode = reader.inode(entry->inode);
    if (!inode) return tl::make_unexpected(inode.error());
    if (inode->type != FileType::kFile) return failure(fmt::format("{} is not a file in the image.", path));
    return reader.contents(*inode);
}

tl::expected<Unpacked, base::Error> unpack(Bytes image) {
    Reader reader(image);
    if (auto checked = reader.check_superblock(); !checked) return tl::make_unexpected(checked.error());
    auto const root = root_of(reader);
    if (!root) return tl::make_unexpected(root.error());
    Superblock const& super = reader.superblock();
    Unpacked unpacked{{}, {super.size, super.log_blocks, super.inodes}, {}};
    for (Entry const& entry : *root) {
        if (entry.name == "." || entry.name == "..") continue;
        auto const inode = reader.inode(entry.inode);
        if (!inode) return tl::make_unexpected(inode.error());
        if (inode->type == FileType::kDirectory) {
            unpacked.directories.push_back(entry.name);
        } else if (inode->type == FileType::kDevice) {
            unpacked.contents.devices.push_back({entry.name, inode->major, inode->minor});
        } else {
            auto bytes = reader.contents(*inode);
            if (!bytes) return tl::make_unexpected(bytes.error());
            unpacked.contents.files.push_back({entry.name, std::move(*bytes)});
        }
    }
    return unpacked;
}

}  // namespace vmcheck::image
