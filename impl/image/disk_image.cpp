// Writes the image. As in xv6-riscv mkfs/mkfs.c, and like it from the front to the back, blocks in order of use.

#include "impl/image/disk_image.h"

#include "impl/image/format.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

namespace vmcheck::image {
namespace {

using format::DirectoryEntry;
using format::DiskInode;
using format::failure;
using format::FileType;
using format::Superblock;

constexpr std::uint32_t blocks_for(std::uint64_t bytes) {
    return static_cast<std::uint32_t>((bytes + kBlockBytes - 1) / kBlockBytes);
}

// Where everything goes; fails where the metadata alone do not fit.
tl::expected<Superblock, base::Error> lay_out(Geometry const& geometry) {
    if (geometry.blocks > kBlocksMax)
        return failure(
            fmt::format("An image of {} blocks is too large; the limit is {}.", geometry.blocks, kBlocksMax));
    if (geometry.inodes > format::kInodesMax || geometry.inodes <= kRootInode) {
        return failure(
            fmt::format("An image cannot have {} inodes, only 2 to {}.", geometry.inodes, format::kInodesMax));
    }
    if (geometry.log_blocks < 2 || geometry.log_blocks > geometry.blocks)
        return failure(
            fmt::format("A log of {} blocks does not work; it needs a header and some blocks.", geometry.log_blocks));
    Superblock super;
    super.size = geometry.blocks;
    super.inodes = geometry.inodes;
    super.log_blocks = geometry.log_blocks;
    super.log_start = format::kLogAt;
    super.inode_start = super.log_start + super.log_blocks;
    super.bitmap_start = super.inode_start + geometry.inodes / format::kInodesPerBlock + 1;
    std::uint32_t const metadata = super.bitmap_start + geometry.blocks / format::kBitsPerBlock + 1;
    if (metadata >= geometry.blocks) {
        return failure(fmt::format("An image of {} blocks is too small: log, inodes and bitmap take {} of them.",
                                   geometry.blocks, metadata));
    }
    super.data_blocks = geometry.blocks - metadata;
    return super;
}

tl::expected<void, base::Error> check_name(std::string const& name) {
    if (name.empty()) return failure("A file in the image needs a name; one has none.");
    if (name.size() > kNameBytesMax)
        return failure(fmt::format("The name {} is longer than the {} bytes that xv6 allows.", name, kNameBytesMax));
    if (name == "." || name == ".." || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
        return failure(fmt::format("The name {} cannot be used for a file in the root directory.", name));
    return {};
}

class Writer {
  public:
    Writer(Superblock const& super, bool lean_root)
        : super_(super), lean_root_(lean_root), next_block_(super.size - super.data_blocks), next_inode_(kRootInode) {
        image_.bytes.resize(std::size_t{super.size} * kBlockBytes);
        write(format::kSuperblockAt, 0, &super_, sizeof super_);
        // The root directory is inode 1, before everything that it lists.
        if (!lean_root_) add_dots();
        ++next_inode_;
    }

    tl::expected<void, base::Error> add_file(File const& file) {
        if (auto inode = new_inode(file.name); !inode) return tl::make_unexpected(inode.error());
        if (file.bytes.size() > kFileBytesMax) {
            return failure(fmt::format("The file {} has {} bytes; xv6 files have at most {}.", file.name,
                                       file.bytes.size(), kFileBytesMax));
        }
        DiskInode inode;
        inode.type = FileType::kFile;
        return add(file.name, inode, file.bytes);
    }

    tl::expected<void, base::Error> add_device(Device const& device) {
        if (auto inode = new_inode(device.name); !inode) return tl::make_unexpected(inode.error());
        DiskInode inode;
        inode.type = FileType::kDevice;
        inode.major = device.major;
        inode.minor = device.minor;
        return add(device.name, inode, {});
    }

    tl::expected<Image, base::Error> finish() {
        DiskInode root;
        root.type = FileType::kDirectory;
        if (lean_root_)
            add_dots();
        else  // as mkfs/mkfs.c makes it ("fix size of root inode dir"); the kernel does not ask for it
            directory_.resize(std::size_t{blocks_for(directory_.size())} * kBlockBytes);
        if (auto written = write_inode(kRootInode, root, directory_); !written)
            return tl::make_unexpected(written.error());
        for (std::uint32_t block = 0; block < next_block_; ++block) {
            std::size_t const byte = std::size_t{super_.bitmap_start} * kBlockBytes + block / 8;
            image_.bytes[byte] |= std::byte{1} << (block % 8);
        }
        return std::move(image_);
    }

  private:
    void write(std::uint32_t block, std::size_t offset, void const* from, std::size_t bytes) {
        std::memcpy(image_.bytes.data() + std::size_t{block} * kBlockBytes + offset, from, bytes);
    }

    void add_entry(std::string const& name, std::uint32_t inode) {
        DirectoryEntry entry;
        entry.inode = static_cast<std::uint16_t>(inode);
        std::ranges::copy(name, entry.name.begin());
        auto const* const from = reinterpret_cast<std::byte const*>(&entry);
        directory_.insert(directory_.end(), from, from + sizeof entry);
    }

    void add_dots() {
        add_entry(".", kRootInode);
        add_entry("..", kRootInode);
    }

    tl::expected<void, base::Error> new_inode(std::string const& name) {
        if (auto checked = check_name(name); !checked) return checked;
        if (image_.inodes.contains(name)) return failure(fmt::format("The name {} is given twice.", name));
        if (next_inode_ >= super_.inodes || image_.inodes.size() + 3 > format::kEntriesMax) {
            return failure(fmt::format("There is no room for {}: the image has {} inodes, two of them not for files.",
                                       name, super_.inodes));
        }
        return {};
    }

    tl::expected<void, base::Error> add(std::string const& name, DiskInode inode, std::vector<std::byte> const& bytes) {
        if (auto written = write_inode(next_inode_, inode, bytes); !written) return written;
        add_entry(name, next_inode_);
        image_.inodes.emplace(name, next_inode_++);
        return {};
    }

    tl::expected<void, base::Error> write_inode(std::uint32_t number, DiskInode inode,
                                                std::vector<std::byte> const& bytes) {
        std::uint32_t const count = blocks_for(bytes.size());
        bool const is_indirect = count > kDirectBlocks;
        if (count + (is_indirect ? 1 : 0) > super_.size - next_block_) {
            return failure(fmt::format("The image of {} blocks is too small for its files; {} blocks more are needed.",
                                       super_.size, count + (is_indirect ? 1 : 0) - (super_.size - next_block_)));
        }
        inode.links = 1;
        inode.bytes = static_cast<std::uint32_t>(bytes.size());
        for (std::uint32_t i = 0; i < count; ++i) {
            if (i == kDirectBlocks) inode.blocks[kDirectBlocks] = next_block_++;
            std::uint32_t const block = next_block_++;
            if (i < kDirectBlocks)
                inode.blocks[i] = block;
            else
                write(inode.blocks[kDirectBlocks], (i - kDirectBlocks) * sizeof block, &block, sizeof block);
            std::size_t const at = std::size_t{i} * kBlockBytes;
            write(block, 0, bytes.data() + at, std::min<std::size_t>(kBlockBytes, bytes.size() - at));
        }
        write(super_.inode_start + number / format::kInodesPerBlock, number % format::kInodesPerBlock * sizeof inode,
              &inode, sizeof inode);
        return {};
    }

    Superblock super_;
    bool lean_root_;
    std::uint32_t next_block_;
    std::uint32_t next_inode_;
    std::vector<std::byte> directory_;
    Image image_;
};

}  // namespace

tl::expected<Image, base::Error> make_image(Contents const& contents, Geometry const& geometry) {
    auto const super = lay_out(geometry);
    if (!super) return tl::make_unexpected(super.error());
    Writer writer(*super, contents.lean_root);
    for (File const& file : contents.files)
        if (auto added = writer.add_file(file); !added) return tl::make_unexpected(added.error());
    for (Device const& device : contents.devices)
        if (auto added = writer.add_device(device); !added) return tl::make_unexpected(added.error());
    return writer.finish();
}

}  // namespace vmcheck::image
