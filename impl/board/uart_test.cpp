#include "impl/board/uart.h"

#include <gtest/gtest.h>

namespace vmcheck::board {
namespace {

class UartLine final : public InterruptLines {
  public:
    void set_line(unsigned source, bool level) override {
        EXPECT_EQ(source, kUartSource);
        high = level;
        ++calls;
    }
    bool high = false;
    int calls = 0;
};

struct UartTest : testing::Test {
    enum : std::uint64_t {
        kData,
        kInterruptEnable,
        kIdentity,
        kLineControl,
        kModemControl,
        kLineStatus,
        kModemStatus,
        kScratch
    };
    std::uint64_t get(std::uint64_t offset) { return uart.read(offset, 1); }
    void put(std::uint64_t offset, std::uint64_t value) { uart.write(offset, 1, value); }

    Console console{8};
    UartLine lines;
    Uart uart{console, lines};
};

TEST_F(UartTest, WhatIsWrittenToTheTransmitterIsOnTheConsole) {
    for (char const c : std::string{"hello"}) put(kData, static_cast<std::uint8_t>(c));
    EXPECT_EQ(console.text(), "hello");
    EXPECT_EQ(get(kLineStatus) & 0x60, 0x60u) << "the transmitter is always empty";
}

TEST_F(UartTest, TheConsoleIsBounded) {
    for (int i = 0; i < 20; ++i) put(kData, 'x');
    EXPECT_EQ(console.text().size(), 8u);
    EXPECT_EQ(console.dropped(), 12u);
}

TEST_F(UartTest, ReceivedBytesAreReadInOrder) {
    EXPECT_EQ(get(kLineStatus) & 1, 0u);
    EXPECT_EQ(uart.receive("ab"), 2u);
    EXPECT_EQ(get(kLineStatus) & 1, 1u);
    EXPECT_EQ(get(kData), 'a');
    EXPECT_EQ(get(kData), 'b');
    EXPECT_EQ(get(kLineStatus) & 1, 0u);
    EXPECT_EQ(get(kData), 0u);
}

TEST_F(UartTest, TheReceiverHoldsABoundedNumberOfBytes) {
    EXPECT_EQ(uart.receive(std::string(Uart::kReceiveBytesMax + 10, 'x')), Uart::kReceiveBytesMax);
    EXPECT_EQ(uart.receive("y"), 0u);
    put(kIdentity, 3);  // FCR: enable and clear
    EXPECT_EQ(get(kLineStatus) & 1, 0u);
}

TEST_F(UartTest, ReceivingInterruptsWhileEnabledAndUntilRead) {
    uart.receive("a");
    EXPECT_FALSE(lines.high);
    put(kInterruptEnable, 1);
    EXPECT_TRUE(lines.high);
    EXPECT_EQ(get(kIdentity) & 0xf, 4u);
    get(kData);
    EXPECT_FALSE(lines.high);
    EXPECT_EQ(get(kIdentity) & 0xf, 1u);
}

TEST_F(UartTest, EachTransmittedByteInterruptsUntilTheIdentityIsRead) {
    put(kInterruptEnable, 2);
    EXPECT_TRUE(lines.high) << "enabling it while the transmitter is empty raises it";
    EXPECT_EQ(get(kIdentity) & 0xf, 2u);
    EXPECT_FALSE(lines.high);
    put(kData, 'x');
    EXPECT_TRUE(lines.high);
    EXPECT_EQ(get(kIdentity) & 0xf, 2u);
    EXPECT_EQ(get(kIdentity) & 0xf, 1u);
    put(kData, 'y');
    put(kInterruptEnable, 0);
    EXPECT_FALSE(lines.high);
}

TEST_F(UartTest, ReceptionGoesBeforeTransmission) {
    put(kInterruptEnable, 3);
    uart.receive("a");
    EXPECT_EQ(get(kIdentity) & 0xf, 4u);
    get(kData);
    EXPECT_EQ(get(kIdentity) & 0xf, 2u);
}

TEST_F(UartTest, TheDivisorHidesDataAndInterruptEnable) {
    put(kLineControl, 0x80);
    put(kData, 3);
    put(kInterruptEnable, 1);
    EXPECT_EQ(get(kData), 3u);
    EXPECT_EQ(get(kInterruptEnable), 1u);
    put(kLineControl, 3);
    EXPECT_EQ(get(kInterruptEnable), 0u);
    EXPECT_TRUE(console.text().empty());
    EXPECT_EQ(get(kLineControl), 3u);
}

TEST_F(UartTest, KeepsItsScratchRegisterAndIgnoresTheRest) {
    put(kScratch, 0xa5);
    EXPECT_EQ(get(kScratch), 0xa5u);
    put(100, 1);
    EXPECT_EQ(get(100), 0u);
    put(kIdentity, 1);
    EXPECT_EQ(get(kIdentity) & 0xc0, 0xc0u) << "the FIFOs are enabled";
}

}  // namespace
}  // namespace vmcheck::board
