#include "checker/debug/packet.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace vmcheck::debug {

namespace {

std::optional<unsigned> digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

unsigned sum_of(std::string_view data) {
    unsigned sum = 0;
    for (char const c : data) sum += static_cast<unsigned char>(c);
    return sum % 256;
}

}  // namespace

std::vector<Received> PacketReader::take(std::string_view bytes) {
    std::vector<Received> received;
    for (char const c : bytes) {
        if (c == '$' && at_ != At::first_digit && at_ != At::second_digit) {
            // Another begins: what came before it has lost its end.
            if (at_ == At::data) received.emplace_back(Garbled{});
            at_ = At::data;
            data_.clear();
            too_long_ = false;
        } else if (at_ == At::between) {
            if (c == '\x03') received.emplace_back(Interrupt{});
            if (c == '-') received.emplace_back(SendAgain{});
        } else if (at_ == At::data) {
            if (c == '#')
                at_ = At::first_digit;
            else if (data_.size() < kPacketBytesMax)
                data_ += c;
            else
                too_long_ = true;
        } else if (at_ == At::first_digit) {
            first_digit_ = digit(c);
            at_ = At::second_digit;
        } else {
            auto const second = digit(c);
            at_ = At::between;
            if (!too_long_ && first_digit_ && second && *first_digit_ * 16 + *second == sum_of(data_))
                received.emplace_back(Packet{data_});
            else
                received.emplace_back(Garbled{});
        }
    }
    return received;
}

std::string frame(std::string_view data) {
    std::string escaped;
    for (char const c : data) {
        bool const special = c == '$' || c == '#' || c == '}' || c == '*';
        if (special) escaped += '}';
        escaped += special ? static_cast<char>(c ^ 0x20) : c;
    }
    return fmt::format("${}#{:02x}", escaped, sum_of(escaped));
}

std::string to_hex(std::span<std::byte const> bytes) {
    std::string text;
    text.reserve(2 * bytes.size());
    for (std::byte const byte : bytes) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        text += kDigits[std::to_integer<unsigned>(byte) / 16];
        text += kDigits[std::to_integer<unsigned>(byte) % 16];
    }
    return text;
}

std::string to_hex(std::string_view text) {
    return to_hex(std::as_bytes(std::span{text}));
}

std::string to_hex_word(std::uint64_t value) {
    return to_hex(std::as_bytes(std::span{&value, 1}));
}

std::optional<std::string> from_hex(std::string_view digits) {
    std::string text;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        auto const high = digit(digits[i]), low = digit(digits[i + 1]);
        if (!high || !low) return std::nullopt;
        text += static_cast<char>(*high * 16 + *low);
    }
    return digits.size() % 2 == 0 ? std::optional(text) : std::nullopt;
}

bool Fields::skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
}

std::string_view Fields::until(char end) {
    std::size_t const at = std::min(rest_.find(end), rest_.size());
    std::string_view const text = rest_.substr(0, at);
    rest_.remove_prefix(std::min(at + 1, rest_.size()));
    return text;
}

std::optional<std::uint64_t> Fields::number() {
    std::uint64_t value = 0;
    auto const [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, 16);
    if (error != std::errc() || rest_.starts_with('-')) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
}

}  // namespace vmcheck::debug
