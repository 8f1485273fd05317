#pragma once
// Is the file system in an image in order? What fsck asks of others, asked of xv6's format: after a kernel has written
// to a disk, and wherever it was stopped while it did.
//
//     auto const check = image::check_image(bytes);
//     if (!check) return report(check.error().message);        no file system at all
//     for (std::string const& fault : check->faults) ...       empty: all is well

#include "impl/image/disk_image.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vmcheck::image {

struct Check {
    // One sentence each, at most kFaultsMax. A block that is used twice, or is used and marked free, or is marked used
    // and is not; a file with a hole; a name without an inode; links that are not as many as the names; a directory
    // that has not its dots, or is not reached, or is reached twice.
    std::vector<std::string> faults;
    std::uint32_t logged_blocks = 0;  // that a log had yet to bring to their places; judged as if it had
    std::uint32_t orphans = 0;        // inodes without a name: a kernel that stopped had them open
    std::uint32_t free_blocks = 0;
    std::uint32_t free_inodes = 0;
};
inline constexpr std::size_t kFaultsMax = 20;

// Any bytes may be given. Fails where they hold no file system of xv6's format, or one that is cut short.
tl::expected<Check, base::Error> check_image(std::span<std::byte const> image);

}  // namespace vmcheck::image
