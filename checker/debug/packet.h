#pragma once
// Packets of GDB's remote serial protocol, as bytes on a line (GDB manual, "Overview" of the Remote Protocol):
// `$data#cc`, where cc is the sum of the data's bytes; `+` and `-` for packets that came well or did not; 0x03 for an
// interrupt. What comes is whatever a client sends.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vmcheck::debug {

// The longest packet that is taken, and sent: its data.
inline constexpr std::size_t kPacketBytesMax = 16'384;

struct Packet {
    std::string data;
};
// A packet whose sum is wrong, or that is too long.
struct Garbled {};
// `-`: the latest packet is to be sent again.
struct SendAgain {};
// 0x03.
struct Interrupt {};
using Received = std::variant<Packet, Garbled, SendAgain, Interrupt>;

class PacketReader {
  public:
    // What has become whole with these bytes. What belongs to nothing is passed over.
    std::vector<Received> take(std::string_view bytes);

  private:
    enum class At { between, data, first_digit, second_digit } at_ = At::between;
    std::string data_;
    bool too_long_ = false;
    std::optional<unsigned> first_digit_;
};

// `$data#cc`; what would end it, or has a meaning in it, is escaped.
std::string frame(std::string_view data);

// ---- what packets are made of

std::string to_hex(std::span<std::byte const> bytes);
std::string to_hex(std::string_view text);
// As eight bytes, little-endian.
std::string to_hex_word(std::uint64_t value);
// Nothing: an odd number of digits, or something else than digits.
std::optional<std::string> from_hex(std::string_view digits);

// Takes what a packet's arguments are written in off its front.
class Fields {
  public:
    explicit Fields(std::string_view rest) : rest_(rest) {}
    std::string_view rest() const { return rest_; }
    bool skip(std::string_view text);
    // Up to that character, which goes too, or to the end.
    std::string_view until(char end);
    // Hexadecimal, of at most 64 bits; nothing: there is none.
    std::optional<std::uint64_t> number();

  private:
    std::string_view rest_;
};

}  // namespace vmcheck::debug
