#pragma once
// The contents of the disk: an immutable base that boards share, and the sectors that this board has written.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace vmcheck::board {

inline constexpr std::size_t kSectorBytes = 512;

class Disk {
  public:
    using Sector = std::array<std::byte, kSectorBytes>;
    using Base = std::shared_ptr<std::vector<std::byte> const>;
    // Ordered, so that everything derived from it (a hash, a dump) is the same in every run.
    using Written = std::map<std::uint64_t, Sector>;

    // Padded with zeros to whole sectors.
    explicit Disk(std::vector<std::byte> contents);

    std::uint64_t sectors() const { return base_->size() / kSectorBytes; }

    // Requires: sector < sectors().
    std::span<std::byte const, kSectorBytes> read(std::uint64_t sector) const;
    void write(std::uint64_t sector, std::span<std::byte const, kSectorBytes> bytes);

    // The present contents.
    std::vector<std::byte> contents() const;

    // The present contents as a new base, shared from now on; nothing is written relative to it.
    Base rebase();
    void set_base(Base base);
    Written const& written() const { return written_; }
    void set_written(Written written) { written_ = std::move(written); }
    void discard_written() { written_.clear(); }

  private:
    Base base_;
    Written written_;
};

}  // namespace vmcheck::board
