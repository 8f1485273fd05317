#include "impl/image/check_image.h"

#include "impl/image/format.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace vmcheck::image {
namespace {

using format::DirectoryEntry;
using format::DiskInode;
using format::failure;
using format::FileType;
using format::Superblock;

class Checker {
  public:
    explicit Checker(std::span<std::byte const> image) : bytes_(image.begin(), image.end()) {}

    tl::expected<Check, base::Error> run() {
        if (auto sound = read_superblock(); !sound) return tl::make_unexpected(sound.error());
        replay_log();
        owner_.assign(super_.size, 0);
        names_.assign(super_.inodes, 0);
        subdirectories_.assign(super_.inodes, 0);
        reached_.assign(super_.inodes, false);
        for (std::uint32_t number = kRootInode; number < super_.inodes; ++number) check_contents(number);
        check_tree();
        for (std::uint32_t number = kRootInode; number < super_.inodes; ++number) check_links(number);
        check_bits();
        return std::move(check_);
    }

  private:
    template <class... Parts>
    void fault(fmt::format_string<Parts...> text, Parts&&... parts) {
        if (check_.faults.size() < kFaultsMax)
            check_.faults.push_back(fmt::format(text, std::forward<Parts>(parts)...));
    }

    template <class T>
    T at(std::uint64_t block, std::size_t offset) const {
        return format::load<T>(bytes_, block, offset);
    }

    std::uint32_t metadata_blocks() const { return super_.size - super_.data_blocks; }

    tl::expected<void, base::Error> read_superblock() {
        auto const super = format::superblock_of(bytes_);
        if (!super) return tl::make_unexpected(super.error());
        super_ = *super;
        bytes_.resize(std::size_t{super_.size} * kBlockBytes);
        auto const ends = std::array<std::uint64_t, 3>{
            std::uint64_t{super_.log_start} + super_.log_blocks,
            std::uint64_t{super_.inode_start} + super_.inodes / format::kInodesPerBlock + 1,
            std::uint64_t{super_.bitmap_start} + super_.size / format::kBitsPerBlock + 1};
        if (super_.data_blocks > super_.size || super_.log_blocks == 0 || super_.inodes <= kRootInode ||
            std::ranges::any_of(ends, [&](std::uint64_t end) { return end > super_.size - super_.data_blocks; }))
            return failure("The image is damaged: log, inodes or bitmap lie outside of their place.");
        return {};
    }

    void replay_log() {
        auto const count = at<std::uint32_t>(super_.log_start, 0);
        if (count >= super_.log_blocks || count >= kBlockBytes / sizeof count)
            return fault("The log says that it holds {} blocks, and has {}.", count, super_.log_blocks - 1);
        for (std::uint32_t i = 0; i < count; ++i) {
            auto const number = at<std::uint32_t>(super_.log_start, (i + 1) * sizeof(std::uint32_t));
            if (number >= super_.size) return fault("The log has a block for block {} of {}.", number, super_.size);
            auto const from = bytes_.begin() + std::ptrdiff_t{kBlockBytes} * (super_.log_start + 1 + i);
            std::copy(from, from + kBlockBytes, bytes_.begin() + std::ptrdiff_t{kBlockBytes} * number);
        }
        check_.logged_blocks = count;
    }

    DiskInode inode(std::uint32_t number) const {
        return at<DiskInode>(super_.inode_start + number / format::kInodesPerBlock,
                             number % format::kInodesPerBlock * sizeof(DiskInode));
    }

    // Notes that `number` uses `block`; false where it cannot be its own.
    bool claim(std::uint32_t number, std::uint32_t block) {
        if (block < metadata_blocks() || block >= super_.size) {
            fault("Inode {} has block {}, which is not one for data.", number, block);
            return false;
        }
        if (owner_[block] != 0) {
            fault("Block {} belongs to inodes {} and {}.", block, owner_[block], number);
            return false;
        }
        owner_[block] = number;
        return true;
    }

    void check_contents(std::uint32_t number) {
        DiskInode const inode = this->inode(number);
        if (inode.type == FileType::kFree) {
            ++check_.free_inodes;
            return;
        }
        if (inode.type < FileType::kFree || inode.type > FileType::kDevice)
            return fault("Inode {} has type {}, which means nothing.", number, static_cast<int>(inode.type));
        if (inode.bytes > kFileBytesMax)
            return fault("Inode {} has {} bytes, more than a file can have.", number, inode.bytes);
        bool const indirect = inode.blocks[kDirectBlocks] != 0;
        if (indirect && !claim(number, inode.blocks[kDirectBlocks])) return;
        std::uint32_t const used = (inode.bytes + kBlockBytes - 1) / kBlockBytes;
        for (std::uint32_t i = 0; i < kDirectBlocks + (indirect ? kIndirectBlocks : 0); ++i)
            if (std::uint32_t const block = format::block_of(bytes_, inode, i); block != 0) claim(number, block);
        for (std::uint32_t i = 0; i < used; ++i)
            if (format::block_of(bytes_, inode, i) == 0)
                return fault("Inode {} has no block for byte {}.", number, i * kBlockBytes);
    }

    std::vector<DirectoryEntry> entries_of(std::uint32_t directory) const {
        DiskInode const inode = this->inode(directory);
        std::vector<DirectoryEntry> entries;
        for (std::uint32_t offset = 0; offset + sizeof(DirectoryEntry) <= inode.bytes && offset < kFileBytesMax;
             offset += sizeof(DirectoryEntry)) {
            std::uint32_t const block = format::block_of(bytes_, inode, offset / kBlockBytes);
            if (block >= super_.size) continue;
            if (auto const entry = at<DirectoryEntry>(block, offset % kBlockBytes); entry.inode != 0)
                entries.push_back(entry);
        }
        return entries;
    }

    // Goes through all directories that can be reached from the root.
    void check_tree() {
        if (inode(kRootInode).type != FileType::kDirectory)
            return fault("Inode {} is not a directory, and should be the root.", kRootInode);
        reached_[kRootInode] = true;
        names_[kRootInode] = 1;  // its link is for no name
        std::vector<std::pair<std::uint32_t, std::uint32_t>> to_do{{kRootInode, kRootInode}};
        while (!to_do.empty()) {
            auto const [directory, parent] = to_do.back();
            to_do.pop_back();
            for (std::uint32_t const below : check_directory(directory, parent)) to_do.emplace_back(below, directory);
        }
    }

    // Returns the directories in it.
    std::vector<std::uint32_t> check_directory(std::uint32_t directory, std::uint32_t parent) {
        std::set<std::string> seen;
        std::vector<std::uint32_t> below;
        for (DirectoryEntry const& entry : entries_of(directory)) {
            std::string const name = entry.text();
            if (name.empty() || !seen.insert(name).second)
                fault("Directory {} has the name '{}' twice, or it is empty.", directory, name);
            if (name == "." || name == "..") {
                if (entry.inode != (name == "." ? directory : parent))
                    fault("'{}' of directory {} leads to inode {}.", name, directory, entry.inode);
            } else if (entry.inode >= super_.inodes || inode(entry.inode).type == FileType::kFree) {
                fault("'{}' in directory {} leads to inode {}, which is not in use.", name, directory, entry.inode);
            } else if (enter(entry.inode)) {
                ++subdirectories_[directory];
                below.push_back(entry.inode);
            }
        }
        if (!seen.contains(".") || !seen.contains("..")) fault("Directory {} has not both its dots.", directory);
        return below;
    }

    // Counts a name of `number`; true when it is that of a directory not yet reached.
    bool enter(std::uint32_t number) {
        ++names_[number];
        bool const again = reached_[number];
        reached_[number] = true;
        if (inode(number).type != FileType::kDirectory) return false;
        if (again) fault("Directory {} has two names.", number);
        return !again;
    }

    void check_links(std::uint32_t number) {
        DiskInode const inode = this->inode(number);
        if (inode.type == FileType::kFree) return;
        if (!reached_[number] && inode.links == 0) {
            ++check_.orphans;
            return;
        }
        std::uint32_t const links = names_[number] + subdirectories_[number];
        if (inode.links < 0 || static_cast<std::uint32_t>(inode.links) != links)
            fault("Inode {} says that it has {} links, and has {}.", number, inode.links, links);
    }

    void check_bits() {
        for (std::uint32_t block = 0; block < super_.size; ++block) {
            auto const bits = at<std::uint8_t>(std::uint64_t{super_.bitmap_start} + block / format::kBitsPerBlock,
                                               block % format::kBitsPerBlock / 8);
            bool const marked = (bits >> (block % 8) & 1) != 0;
            bool const used = block < metadata_blocks() || owner_[block] != 0;
            if (!marked) ++check_.free_blocks;
            if (marked && !used) fault("Block {} is marked as used, and nothing uses it.", block);
            if (!marked && used) fault("Block {} is marked as free, and inode {} uses it.", block, owner_[block]);
        }
    }

    std::vector<std::byte> bytes_;
    Superblock super_;
    Check check_;
    // By block: the inode that uses it, 0 for none. By inode: how many names lead to it, how many directories are in
    // it, whether the root leads to it.
    std::vector<std::uint32_t> owner_;
    std::vector<std::uint32_t> names_;
    std::vector<std::uint32_t> subdirectories_;
    std::vector<bool> reached_;
};

}  // namespace

tl::expected<Check, base::Error> check_image(std::span<std::byte const> image) {
    return Checker(image).run();
}

}  // namespace vmcheck::image
