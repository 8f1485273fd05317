#include "impl/board/translated_code.h"

#include <gtest/gtest.h>

namespace vmcheck::board {
namespace {

struct TranslatedCodeTest : testing::Test {
    TranslatedCodeTest() { memory.add_listener(code); }
    void overwrite(std::uint8_t value) { memory.store(kRamStart + 100, value); }

    Memory memory = std::move(*Memory::create(4 * kPageBytes));
    TranslatedCode code{memory};
    FrameNo const frame = kRamStart.frame();
};

TEST_F(TranslatedCodeTest, AFrameThatTheHostHasNotTouchedMayAlwaysBeFetched) {
    EXPECT_TRUE(code.may_fetch(frame));
    EXPECT_TRUE(code.may_fetch(frame));
    EXPECT_TRUE(code.is_known_good(frame));
}

TEST_F(TranslatedCodeTest, AnOverwrittenFrameMayNotBeFetchedUntilItsCodeIsDropped) {
    code.may_fetch(frame);
    overwrite(1);
    EXPECT_TRUE(code.take_flush_request());
    EXPECT_FALSE(code.take_flush_request());
    EXPECT_FALSE(code.is_known_good(frame));
    EXPECT_FALSE(code.may_fetch(frame));
    EXPECT_FALSE(code.may_fetch(frame));
    code.forget(frame);
    EXPECT_TRUE(code.may_fetch(frame));
}

TEST_F(TranslatedCodeTest, BytesThatAreBackAsTheyWereNeedNoDropping) {
    code.may_fetch(frame);
    overwrite(1);
    overwrite(2);
    overwrite(0);
    EXPECT_TRUE(code.may_fetch(frame));
    EXPECT_TRUE(code.is_known_good(frame));
}

TEST_F(TranslatedCodeTest, OverwritingAFrameWithoutCodeAsksForNothing) {
    overwrite(1);
    EXPECT_FALSE(code.take_flush_request());
    EXPECT_FALSE(code.is_known_good(frame)) << "nothing is known of it yet";
    EXPECT_TRUE(code.may_fetch(frame));
}

}  // namespace
}  // namespace vmcheck::board
