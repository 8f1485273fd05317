// Packets: framing, sums, and what strangers send.
#include "checker/debug/packet.h"

#include <gtest/gtest.h>

namespace vmcheck::debug {
namespace {

// "packet:?", "garbled", "again", "interrupt".
std::vector<std::string> taken(std::vector<Received> const& all) {
    std::vector<std::string> words;
    for (Received const& each : all) {
        if (auto const* packet = std::get_if<Packet>(&each)) words.push_back("packet:" + packet->data);
        if (std::holds_alternative<Garbled>(each)) words.emplace_back("garbled");
        if (std::holds_alternative<SendAgain>(each)) words.emplace_back("again");
        if (std::holds_alternative<Interrupt>(each)) words.emplace_back("interrupt");
    }
    return words;
}

using Words = std::vector<std::string>;

TEST(Packet, IsFramedWithItsSum) {
    EXPECT_EQ(frame("OK"), "$OK#9a");
    EXPECT_EQ(frame(""), "$#00");
    EXPECT_EQ(frame("a#b"),
              "$a}\x03"
              "b#43");
}

TEST(Packet, ComesInAnyPieces) {
    std::string const line = "+$?#3f+\x03$qC#b4-";
    PacketReader whole;
    Words const expected{"packet:?", "interrupt", "packet:qC", "again"};
    EXPECT_EQ(taken(whole.take(line)), expected);
    PacketReader pieces;
    Words seen;
    for (char const c : line)
        for (std::string& word : taken(pieces.take({&c, 1}))) seen.push_back(std::move(word));
    EXPECT_EQ(seen, expected);
}

TEST(Packet, WithAWrongSumOrNoEndIsGarbled) {
    PacketReader reader;
    EXPECT_EQ(taken(reader.take("$?#3e$?#zz$abc$?#3f")), (Words{"garbled", "garbled", "garbled", "packet:?"}));
}

TEST(Packet, ThatIsEnormousIsDroppedAndTheNextIsTaken) {
    PacketReader reader;
    EXPECT_EQ(taken(reader.take("$" + std::string(64u << 20, 'a'))), Words{});
    EXPECT_EQ(taken(reader.take("#00$?#3f")), (Words{"garbled", "packet:?"}));
}

TEST(Packet, HoldsNumbersAndBytesInHexadecimal) {
    EXPECT_EQ(to_hex("GDB"), "474442");
    EXPECT_EQ(to_hex_word(0x80000abc), "bc0a008000000000");
    EXPECT_EQ(from_hex("474442"), "GDB");
    EXPECT_EQ(from_hex("47444"), std::nullopt);
    EXPECT_EQ(from_hex("4x"), std::nullopt);
    Fields fields("m80000000,10;rest");
    EXPECT_TRUE(fields.skip("m"));
    EXPECT_EQ(fields.number(), 0x80000000U);
    EXPECT_FALSE(fields.skip(";"));
    EXPECT_TRUE(fields.skip(","));
    EXPECT_EQ(fields.until(';'), "10");
    EXPECT_EQ(fields.rest(), "rest");
    EXPECT_EQ(fields.number(), std::nullopt);
    EXPECT_EQ(Fields("-1").number(), std::nullopt);
    EXPECT_EQ(Fields("10000000000000000").number(), std::nullopt);
}

}  // namespace
}  // namespace vmcheck::debug
