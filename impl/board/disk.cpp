#include "impl/board/disk.h"

#include <algorithm>

namespace vmcheck::board {

Disk::Disk(std::vector<std::byte> contents) {
    contents.resize((contents.size() + kSectorBytes - 1) / kSectorBytes * kSectorBytes);
    base_ = std::make_shared<std::vector<std::byte> const>(std::move(contents));
}

std::span<std::byte const, kSectorBytes> Disk::read(std::uint64_t sector) const {
    if (!written_.empty()) {
        if (auto const found = written_.find(sector); found != written_.end()) return found->second;
    }
    return std::span<std::byte const, kSectorBytes>{base_->data() + sector * kSectorBytes, kSectorBytes};
}

void Disk::write(std::uint64_t sector, std::span<std::byte const, kSectorBytes> bytes) {
    std::ranges::copy(bytes, written_[sector].begin());
}

std::vector<std::byte> Disk::contents() const {
    std::vector<std::byte> contents = *base_;
    for (auto const& [sector, bytes] : written_)
        std::ranges::copy(bytes, contents.begin() + static_cast<std::ptrdiff_t>(sector * kSectorBytes));
    return contents;
}

Disk::Base Disk::rebase() {
    if (!written_.empty()) {
        base_ = std::make_shared<std::vector<std::byte> const>(contents());
        written_.clear();
    }
    return base_;
}

void Disk::set_base(Base base) {
    base_ = std::move(base);
    written_.clear();
}

}  // namespace vmcheck::board
