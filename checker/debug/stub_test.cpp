// What a GDB asks and is answered.
#include "checker/debug/stub.h"

#include "checker/debug/packet.h"
#include "checker/debug/recorded_guest_testing.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

namespace vmcheck::debug {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Then = Stub::Answer::Then;

struct Asked : RecordedGuest {
    explicit Asked(unsigned harts = 1)
        : RecordedGuest(harts, harts == 1 ? SCENARIO_SSTC_TIMER : SCENARIO_COUNT_TOGETHER) {}
    std::string ask(std::string const& packet) { return stub.answer(packet).packet; }
    std::uint64_t pc_told() { return word(ask("p20")); }
    static std::uint64_t word(std::string const& digits) {
        std::uint64_t value = 0;
        std::string const bytes = from_hex(digits).value_or("");
        std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
        return value;
    }
    Stub stub{*timeline,
              board,
              {[](std::string_view words) { return "<" + std::string(words) + ">"; }, [] { return false; }}};
};

TEST(Stub, TellsWhatItCanDoAndWhoIsThere) {
    Asked one;
    for (char const* feature :
         {"ReverseStep+", "ReverseContinue+", "QStartNoAckMode+", "qXfer:features:read+", "PacketSize="})
        EXPECT_THAT(one.ask("qSupported:swbreak+"), HasSubstr(feature));
    EXPECT_EQ(one.ask("?"), "T05thread:1;");
    EXPECT_EQ(one.ask("qfThreadInfo"), "m1");
    EXPECT_EQ(one.ask("qsThreadInfo"), "l");
    EXPECT_EQ(one.stub.answer("QStartNoAckMode").then, Then::without_acks);
    EXPECT_EQ(one.stub.answer("D").then, Then::leaves);
    EXPECT_EQ(one.stub.answer("k").then, Then::ends);
    Asked three(3);
    EXPECT_EQ(three.ask("qfThreadInfo"), "m1,2,3");
    EXPECT_EQ(three.ask("T3"), "OK");
    EXPECT_EQ(three.ask("T4"), "E01");
    EXPECT_THAT(from_hex(three.ask("qThreadExtraInfo,2")).value_or(""), StartsWith("hart 1, "));
}

// The registers come in the order in which the description names them.
TEST(Stub, TellsRegistersAsItDescribesThem) {
    Asked asked;
    std::string description;
    for (std::string part = "m"; part.starts_with('m'); description += part.substr(1))
        part = asked.ask(fmt::format("qXfer:features:read:target.xml:{:x},200", description.size()));
    EXPECT_EQ(description, target_description());
    std::string const all = asked.ask("g");
    std::size_t number = 0, digits = 0, compared = 0;
    for (std::size_t at = 0; (at = description.find("<reg name=\"", at)) != std::string::npos; ++number) {
        at += 11;
        std::string const name = description.substr(at, description.find('"', at) - at);
        std::string const value = asked.ask(fmt::format("p{:x}", number));
        EXPECT_EQ(all.substr(digits, value.size()), value) << name;
        digits += value.size();
        using board::Register;
        for (auto const& [called, which] : {std::pair{"pc", Register::pc}, std::pair{"a0", Register::a0},
                                            std::pair{"satp", Register::satp}, std::pair{"priv", Register::privilege}})
            if (name == called) {
                EXPECT_EQ(Asked::word(value), asked.board.read(which));
                ++compared;
            }
    }
    EXPECT_EQ(compared, 4U);
    EXPECT_EQ(digits, all.size());
    EXPECT_EQ(asked.ask(fmt::format("p{:x}", number)), "E01");
}

TEST(Stub, ReadsMemoryAsFarAsThereIsAny) {
    Asked asked;
    EXPECT_EQ(Asked::word(asked.ask(fmt::format("m{:x},8", board::test::kTicksAt.value))), asked.ticks());
    EXPECT_EQ(asked.ask("m0,8"), "E01");
    std::uint64_t const end = asked.board.ram_end().value;
    EXPECT_EQ(asked.ask(fmt::format("m{:x},8", end - 2)).size(), 4U);
    EXPECT_EQ(asked.ask(fmt::format("m{:x},8", end)), "E01");
    EXPECT_EQ(asked.ask("mffffffffffffffff,2"), "E01");
    EXPECT_LE(asked.ask(fmt::format("m{:x},ffffffffffffffff", board::kRamStart.value)).size(), kPacketBytesMax);
}

TEST(Stub, ChangesNothing) {
    Asked asked;
    std::uint64_t const before = asked.board.hash();
    for (std::string const packet :
         {"P20=0000000000000000", "G00", "M80000000,1:00", "X80000000,1:a", "c80000000", "s80000000"})
        EXPECT_EQ(asked.ask(packet), "E01") << packet;
    EXPECT_EQ(asked.board.hash(), before);
}

TEST(Stub, MovesBothWaysAndSaysWhyItStopped) {
    Asked asked;
    asked.timeline->go_to(Position{0});
    std::string const watch = fmt::format("2,{:x},8", board::test::kTicksAt.value);
    std::string const reason = fmt::format("T05thread:1;watch:{:x};", board::test::kTicksAt.value);
    // As on hardware: before the store, which GDB then steps over without the watchpoint.
    EXPECT_EQ(asked.ask("Z" + watch), "OK");
    EXPECT_EQ(asked.ask("vCont;c"), reason);
    EXPECT_EQ(asked.ticks(), 0U);
    std::uint64_t const store = asked.pc_told();
    EXPECT_EQ(asked.ask("z" + watch), "OK");
    EXPECT_EQ(asked.ask("vCont;s:1"), "T05thread:1;");
    EXPECT_EQ(asked.ticks(), 1U);
    EXPECT_EQ(asked.ask("Z" + watch), "OK");
    EXPECT_EQ(asked.ask("vCont;c"), reason);
    EXPECT_EQ(asked.pc_told(), store);
    EXPECT_EQ(asked.ask("bc"), reason);
    EXPECT_EQ(asked.ticks(), 1U);
    EXPECT_EQ(asked.ask("z" + watch), "OK");
    EXPECT_EQ(asked.ask("bs"), "T05thread:1;");
    EXPECT_EQ(asked.ticks(), 0U);
    EXPECT_EQ(asked.pc_told(), store);
    EXPECT_EQ(asked.ask("bc"), "T05thread:1;replaylog:begin;");
    EXPECT_EQ(asked.ask(fmt::format("Z0,{:x},2", store)), "OK");
    EXPECT_EQ(asked.ask("c"), "T05thread:1;");
    EXPECT_EQ(asked.pc_told(), store);
    EXPECT_EQ(asked.ask("s"), "T05thread:1;");
    EXPECT_EQ(asked.ticks(), 1U);
    EXPECT_EQ(asked.ask("bs"), "T05thread:1;");
    EXPECT_EQ(asked.pc_told(), store);
    EXPECT_EQ(asked.ask(fmt::format("z0,{:x},2", store)), "OK");
    // Out of a range: the first instruction that does not lie in it.
    EXPECT_EQ(asked.ask(fmt::format("vCont;r{:x},{:x}:1;c", store, store + 0x10)), "T05thread:1;");
    EXPECT_FALSE(asked.pc_told() >= store && asked.pc_told() < store + 0x10);
    EXPECT_EQ(asked.ask("c"), "T05thread:1;replaylog:end;");
}

TEST(Stub, StepsTheHartThatItIsTold) {
    Asked asked(3);
    asked.timeline->go_to(Position{asked.timeline->end().value / 2});
    for (unsigned hart = 1; hart <= 3; ++hart) {
        EXPECT_EQ(asked.ask(fmt::format("vCont;s:{};c", hart)), fmt::format("T05thread:{};", hart));
        EXPECT_EQ(asked.timeline->hart().value, hart - 1);
        // Its registers, and on demand another's.
        EXPECT_EQ(asked.pc_told(), asked.board.read(board::HartIndex{hart - 1}, board::Register::pc));
        EXPECT_EQ(asked.ask("Hg1"), "OK");
        EXPECT_EQ(asked.pc_told(), asked.board.read(board::HartIndex{0}, board::Register::pc));
    }
    EXPECT_EQ(asked.ask("Hg9"), "E01");
}

TEST(Stub, AnswersMonitorCommands) {
    Asked asked;
    EXPECT_EQ(from_hex(asked.ask("qRcmd," + to_hex("why now"))), "<why now>");
    EXPECT_EQ(asked.ask("qRcmd,xyz"), "E01");
}

// Whatever it is sent, it answers, and stands where it stood.
TEST(Stub, IsNotHurtByRubbish) {
    Asked asked;
    Position const now = asked.timeline->now();
    std::uint64_t random = 1;
    auto const next = [&random] { return random = random * 6364136223846793005U + 1442695040888963407U; };
    std::string_view const heads = "?gpmGPMXHTZzvDqQbABCJ!~";
    std::string_view const letters = "0123456789abcdef,;:-=Z\x01\xff";
    for (int i = 0; i < 3'000; ++i) {
        std::string packet(1, heads[(next() >> 33) % heads.size()]);
        for (std::uint64_t n = (next() >> 33) % 24; n > 0; --n) packet += letters[(next() >> 33) % letters.size()];
        asked.ask(packet);
    }
    for (char const* packet : {"vCont;r", "vCont;r1", "vCont;s:99", "Z2,80000000,ffffffffffffffff", "Z9,0,0", "Z", "H",
                               "p", "m", "qXfer:features:read:target.xml:zz", "qXfer:features:read:other:0,1"})
        asked.ask(packet);
    EXPECT_EQ(asked.timeline->now(), now);
}

}  // namespace
}  // namespace vmcheck::debug
