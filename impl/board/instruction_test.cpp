#include "impl/board/instruction.h"

#include <gtest/gtest.h>

namespace vmcheck::board {
namespace {

struct Expected {
    std::uint32_t bits;
    char const* assembly;
    unsigned base;
    std::int64_t offset;
    unsigned size;
    bool stores;
};

// As encoded by the GNU assembler.
constexpr Expected kAccesses[] = {
    {0xff853503, "ld a0, -8(a0)", 10, -8, 8, false},  {0x7ff54503, "lbu a0, 2047(a0)", 10, 2047, 1, false},
    {0x00256503, "lwu a0, 2(a0)", 10, 2, 4, false},   {0xfea5bc23, "sd a0, -8(a1)", 11, -8, 8, true},
    {0x00a58023, "sb a0, 0(a1)", 11, 0, 1, true},     {0x00853507, "fld fa0, 8(a0)", 10, 8, 8, false},
    {0x00a53427, "fsd fa0, 8(a0)", 10, 8, 8, true},   {0x0ca5a52f, "amoswap.w.aq a0, a0, (a1)", 11, 0, 4, true},
    {0x1005b52f, "lr.d a0, (a1)", 11, 0, 8, false},   {0x18a5b52f, "sc.d a0, a0, (a1)", 11, 0, 8, true},
    {0x45d8, "c.lw a4, 12(a1)", 11, 12, 4, false},    {0x65f8, "c.ld a4, 200(a1)", 11, 200, 8, false},
    {0xc5d8, "c.sw a4, 12(a1)", 11, 12, 4, true},     {0xe5f8, "c.sd a4, 200(a1)", 11, 200, 8, true},
    {0x50fe, "c.lwsp ra, 252(sp)", 2, 252, 4, false}, {0x70fe, "c.ldsp ra, 504(sp)", 2, 504, 8, false},
    {0xdf86, "c.swsp ra, 252(sp)", 2, 252, 4, true},  {0xff86, "c.sdsp ra, 504(sp)", 2, 504, 8, true},
};

TEST(Instruction, TellsWhereLoadsStoresAndAtomicsGo) {
    for (Expected const& expected : kAccesses) {
        auto const access = decode_memory_access(expected.bits);
        ASSERT_TRUE(access) << expected.assembly;
        EXPECT_EQ(access->base, expected.base) << expected.assembly;
        EXPECT_EQ(access->offset, expected.offset) << expected.assembly;
        EXPECT_EQ(access->size, expected.size) << expected.assembly;
        EXPECT_EQ(access->stores, expected.stores) << expected.assembly;
    }
}

TEST(Instruction, SeesNoMemoryAccessInOthers) {
    for (std::uint32_t const bits : {0x00000013u /* nop */, 0x00000073u /* ecall */, 0x0001u /* c.nop */,
                                     0x0028u /* c.addi4spn */, 0x8082u /* ret */, 0x0000u}) {
        EXPECT_FALSE(decode_memory_access(bits)) << bits;
    }
}

TEST(Instruction, DecodesCsrAccesses) {
    auto const read = decode_csr_access(0xc0102573);  // csrr a0, time
    ASSERT_TRUE(read);
    EXPECT_EQ(read->csr, 0xc01u);
    EXPECT_EQ(read->destination, 10u);
    EXPECT_FALSE(read->writes());

    auto const write = decode_csr_access(0x14d51073);  // csrw stimecmp, a0
    ASSERT_TRUE(write);
    EXPECT_EQ(write->csr, 0x14du);
    EXPECT_EQ(write->operation, CsrAccess::Operation::write);
    EXPECT_EQ(write->source, 10u);
    EXPECT_FALSE(write->immediate);
    EXPECT_TRUE(write->writes());

    auto const clear = decode_csr_access(0x30a17073);  // csrci menvcfg, 2
    ASSERT_TRUE(clear);
    EXPECT_EQ(clear->operation, CsrAccess::Operation::clear);
    EXPECT_TRUE(clear->immediate);
    EXPECT_EQ(clear->source, 2u);

    EXPECT_FALSE(decode_csr_access(0x00000073)) << "ecall";
    EXPECT_FALSE(decode_csr_access(0x10500073)) << "wfi";
}

// As the GNU assembler has them, each on its own.
std::vector<std::uint64_t> updates(std::vector<std::uint16_t> const& code) {
    return find_updates(std::as_bytes(std::span(code)), VirtAddr{0x80000000});
}

TEST(Instruction, FindsStoresOfWhatWasLoaded) {
    std::vector<std::uint16_t> const load = {0x4398}, add = {0x2705}, store = {0xc398};  // c.lw a4,0(a5) c.addiw c.sw
    auto const joined = [](std::vector<std::vector<std::uint16_t>> const& parts) {
        std::vector<std::uint16_t> all;
        for (auto const& part : parts) all.insert(all.end(), part.begin(), part.end());
        return all;
    };
    std::vector<std::uint16_t> const jump = {0xa001}, other = {0x43dc};  // c.j; c.lw a5,4(a5), which moves a5
    EXPECT_EQ(updates(joined({load, add, store})), (std::vector<std::uint64_t>{4}));
    EXPECT_TRUE(updates(joined({load, add, jump, store})).empty());
    EXPECT_TRUE(updates(joined({load, other, store})).empty());
    EXPECT_TRUE(updates(joined({store, load})).empty());
    // auipc a4,1; lw a5,16(a4); auipc a3,1; sw a5,8(a3): the same word by another register.
    EXPECT_EQ(updates({0x1717, 0x0000, 0x2783, 0x0107, 0x1697, 0x0000, 0xa423, 0x00f6}),
              (std::vector<std::uint64_t>{12}));
    // And another word.
    EXPECT_TRUE(updates({0x1717, 0x0000, 0x2783, 0x0147, 0x1697, 0x0000, 0xa423, 0x00f6}).empty());
    // On the stack: c.lwsp a5,12(sp); c.swsp a5,12(sp).
    EXPECT_TRUE(updates({0x47b2, 0xc63e}).empty());
}

TEST(Instruction, DecodesBranches) {
    auto const beq = decode_branch(0xfea48ae3);  // beq s1,a0,.-12
    ASSERT_TRUE(beq);
    EXPECT_EQ(beq->offset, -12);
    EXPECT_EQ(beq->taken_if, Branch::If::equal);
    EXPECT_TRUE(beq->compares(9) && beq->compares(10) && !beq->compares(0));
    auto const bne = decode_branch(0xff3791e3);  // bne a5,s3,.-30
    ASSERT_TRUE(bne);
    EXPECT_EQ(bne->offset, -30);
    EXPECT_EQ(bne->taken_if, Branch::If::unequal);
    EXPECT_EQ(decode_branch(0x012a4a63)->taken_if, Branch::If::other) << "blt s4,s2";
    auto const beqz = decode_branch(0xd3ed);  // c.beqz a5,.-30
    ASSERT_TRUE(beqz);
    EXPECT_EQ(beqz->offset, -30);
    EXPECT_EQ(beqz->taken_if, Branch::If::equal);
    EXPECT_TRUE(beqz->compares(15) && beqz->compares(0));
    EXPECT_FALSE(decode_branch(0xbfd1)) << "c.j";
    EXPECT_FALSE(decode_branch(0x9b1ff0ef)) << "jal";
}

TEST(Instruction, DecodesJumps) {
    EXPECT_EQ(decode_jump(0xbfd1), -44) << "c.j";
    EXPECT_EQ(decode_jump(0xa811), 20) << "c.j";
    EXPECT_EQ(decode_jump(0x0000006f), 0) << "j .";
    EXPECT_EQ(decode_jump(0xffdff06f), -4) << "j .-4";
    EXPECT_FALSE(decode_jump(0x9b1ff0ef)) << "jal";
}

TEST(Instruction, DecodesMovesAndIncrements) {
    auto const move = decode_move(0x8526);  // c.mv a0,s1
    ASSERT_TRUE(move);
    EXPECT_EQ(move->to, 10u);
    EXPECT_EQ(move->from, 9u);
    EXPECT_FALSE(decode_move(0x8082)) << "ret";
    EXPECT_FALSE(decode_move(0x975a)) << "c.add a4,s6";

    auto const increment = decode_increment(0x16848493);  // addi s1,s1,360
    ASSERT_TRUE(increment);
    EXPECT_EQ(increment->to, 9u);
    EXPECT_EQ(increment->by, 360);
    auto const short_one = decode_increment(0x14fd);  // c.addi s1,-1
    ASSERT_TRUE(short_one);
    EXPECT_EQ(short_one->by, -1);
    EXPECT_FALSE(decode_increment(0x06048593)) << "addi a1,s1,96";
    EXPECT_FALSE(decode_increment(0x00000013)) << "nop";
}

TEST(Instruction, DecodesMasks) {
    auto const wide = decode_mask(0x00f7f713);  // andi a4,a5,15
    ASSERT_TRUE(wide);
    EXPECT_EQ(wide->to, 14u);
    EXPECT_EQ(wide->from, 15u);
    auto const compressed = decode_mask(0x8b85);  // c.andi a5,1
    ASSERT_TRUE(compressed);
    EXPECT_EQ(compressed->to, 15u);
    EXPECT_EQ(compressed->from, 15u);
    EXPECT_FALSE(decode_mask(0x83a9)) << "c.srli a5,10";
    EXPECT_FALSE(decode_mask(0x00c79513)) << "slli a0,a5,12";
}

TEST(Instruction, KnowsBothBreakpoints) {
    EXPECT_TRUE(is_ebreak(0x00100073));
    EXPECT_TRUE(is_ebreak(0xabcd9002)) << "whatever follows a compressed instruction";
    EXPECT_FALSE(is_ebreak(0x00000073));
}

}  // namespace
}  // namespace vmcheck::board
