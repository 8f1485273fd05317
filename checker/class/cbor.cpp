#include "checker/class/cbor.h"

#include <cstdint>

namespace vmcheck::classes {

namespace {

// The items one after another, without calling itself. Source: RFC 8949, 3, "Specification of the CBOR Encoding".
class Walk {
  public:
    explicit Walk(std::vector<std::byte> const& bytes) : bytes_(bytes) {}

    bool is_plain() {
        std::vector<std::uint64_t> left{1};  // items that are still to come, of each level
        while (!left.empty()) {
            if (left.back() == 0) {
                left.pop_back();
                continue;
            }
            --left.back();
            auto const inside = next();
            if (!inside || left.size() > kNestingMax) return false;
            if (*inside > 0) left.push_back(*inside);
        }
        return at_ == bytes_.size();
    }

  private:
    std::uint64_t rest() const { return bytes_.size() - at_; }

    // Goes past one item, up to those that are inside of it: how many these are. Nothing where there is no such item.
    std::optional<std::uint64_t> next() {
        enum Major : std::uint8_t { number, negative, binary, text, array, map, tag, simple };
        if (rest() == 0) return std::nullopt;
        auto const first = std::to_integer<unsigned>(bytes_[at_++]);
        auto const argument = argument_of(first & 0x1f);
        if (!argument) return std::nullopt;
        switch (first >> 5) {
            case number:
            case negative:
            case simple:
                return 0;
            case binary:
            case text:
                if (*argument > rest()) return std::nullopt;
                at_ += *argument;
                return 0;
            case array:
            case map:
                // Each of them takes a byte at least.
                if (*argument > rest()) return std::nullopt;
                return first >> 5 == map ? 2 * *argument : *argument;
            default:
                return std::nullopt;
        }
    }

    std::optional<std::uint64_t> argument_of(unsigned info) {
        constexpr unsigned kInBytes = 24, kEnd = 28;  // from 24 to 27 it is in 1, 2, 4 or 8 bytes
        if (info < kInBytes) return info;
        if (info >= kEnd) return std::nullopt;
        std::uint64_t const size = std::uint64_t{1} << (info - kInBytes);
        if (size > rest()) return std::nullopt;
        std::uint64_t value = 0;
        for (std::uint64_t i = 0; i < size; ++i) value = value << 8 | std::to_integer<std::uint64_t>(bytes_[at_++]);
        return value;
    }

    std::vector<std::byte> const& bytes_;
    std::size_t at_ = 0;
};

}  // namespace

std::optional<nlohmann::json> parse_cbor(std::vector<std::byte> const& bytes) {
    if (!Walk(bytes).is_plain()) return std::nullopt;
    auto const* const begin = reinterpret_cast<std::uint8_t const*>(bytes.data());
    auto document = nlohmann::json::from_cbor(begin, begin + bytes.size(), true, false);
    if (document.is_discarded()) return std::nullopt;
    return document;
}

}  // namespace vmcheck::classes
