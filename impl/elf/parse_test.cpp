#include "impl/elf/elf_builder_testing.h"
#include "impl/elf/kernel_image.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace vmcheck::elf {
namespace {

using testing::BuiltSegment;
using testing::ElfBuilder;
using ::testing::HasSubstr;
using Kind = ElfError::Kind;

std::vector<std::byte> bytes_of(std::string_view text) {
    std::vector<std::byte> bytes(text.size());
    std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
    return bytes;
}

// The error for these bytes, checked to be a sentence that begins with the file's name.
ElfError error_of(std::vector<std::byte> bytes) {
    auto const image = KernelImage::parse(std::move(bytes), "some/file", kDefaultRam);
    if (image) {
        ADD_FAILURE() << "the file was accepted";
        return {Kind::kMalformed, "", ""};
    }
    EXPECT_EQ(image.error().sentence(), "some/file: " + image.error().message);
    EXPECT_EQ(image.error().message.back(), '.');
    return image.error();
}

TEST(Parse, RefusesAnEmptyFile) {
    EXPECT_EQ(error_of({}).kind, Kind::kEmpty);
}

TEST(Parse, RefusesText) {
    auto const error = error_of(bytes_of("int main(void) { return 0; }\n"));
    EXPECT_EQ(error.kind, Kind::kNotElf);
    EXPECT_THAT(error.message, HasSubstr("text"));
    EXPECT_EQ(error_of(bytes_of("x")).kind, Kind::kNotElf);
}

TEST(Parse, RefusesOtherBinaries) {
    auto const error = error_of(std::vector<std::byte>(100));
    EXPECT_EQ(error.kind, Kind::kNotElf);
    EXPECT_THAT(error.message, ::testing::Not(HasSubstr("text")));
}

TEST(Parse, NamesTheMachineThatAFileIsBuiltFor) {
    ElfBuilder builder;
    builder.machine = EM_X86_64;
    EXPECT_EQ(error_of(builder.build()).kind, Kind::kNotRiscv);
    EXPECT_THAT(error_of(builder.build()).message, HasSubstr("x86-64"));
    builder.machine = EM_AARCH64;
    EXPECT_THAT(error_of(builder.build()).message, HasSubstr("aarch64"));
    builder.machine = 0x1234;
    EXPECT_THAT(error_of(builder.build()).message, HasSubstr("4660"));
}

TEST(Parse, Refuses32Bits) {
    ElfBuilder builder;
    builder.elf_class = ELFCLASS32;
    EXPECT_EQ(error_of(builder.build()).kind, Kind::kNot64Bit);
}

TEST(Parse, RefusesBigEndian) {
    ElfBuilder builder;
    builder.data = ELFDATA2MSB;
    builder.machine = EM_RISCV << 8;
    EXPECT_EQ(error_of(builder.build()).kind, Kind::kBigEndian);
}

TEST(Parse, RefusesWhatIsNotAnExecutable) {
    ElfBuilder builder;
    for (int const type : {ET_REL, ET_DYN, ET_CORE, ET_NONE}) {
        builder.type = static_cast<std::uint16_t>(type);
        EXPECT_EQ(error_of(builder.build()).kind, Kind::kNotExecutable);
    }
    builder.type = ET_REL;
    EXPECT_THAT(error_of(builder.build()).message, HasSubstr("not linked"));
}

TEST(Parse, RefusesAFileWithoutSegments) {
    ElfBuilder builder;
    builder.segments.clear();
    EXPECT_EQ(error_of(builder.build()).kind, Kind::kNoSegment);
    builder.segments = {BuiltSegment{.type = PT_NOTE}, BuiltSegment{.file_bytes = 0, .memory_bytes = 0}};
    EXPECT_EQ(error_of(builder.build()).kind, Kind::kNoSegment);
}

TEST(Parse, RefusesSegmentsOutsideOfMemory) {
    ElfBuilder builder;
    for (std::uint64_t const address : {0x7ffffff0ULL, 0x87ffff00ULL, 0x88000000ULL, ~0ULL - 0x10}) {
        builder.segments = {BuiltSegment{}, BuiltSegment{.address = address}};
        EXPECT_EQ(error_of(builder.build()).kind, Kind::kOutsideRange) << std::hex << address;
    }
    builder.segments = {BuiltSegment{.memory_bytes = ~0ULL}};
    EXPECT_EQ(error_of(builder.build()).kind, Kind::kOutsideRange);
}

TEST(Parse, RefusesAnEntryOutsideOfItsSegments) {
    ElfBuilder builder;
    for (std::uint64_t const entry : {0ULL, 0x7fffffffULL, 0x80000200ULL, ~0ULL}) {
        builder.entry = entry;
        EXPECT_EQ(error_of(builder.build()).kind, Kind::kOutsideRange) << std::hex << entry;
    }
}

TEST(Parse, RefusesOverlappingSegments) {
    ElfBuilder builder;
    builder.segments = {BuiltSegment{.address = 0x80000100}, BuiltSegment{}};
    EXPECT_EQ(error_of(builder.build()).kind, Kind::kOverlap);
    builder.segments = {BuiltSegment{.address = 0x80000200}, BuiltSegment{}};
    EXPECT_TRUE(KernelImage::parse(builder.build(), "kernel", kDefaultRam));
}

TEST(Parse, RefusesMoreBytesInTheFileThanInMemory) {
    ElfBuilder builder;
    builder.segments = {BuiltSegment{.file_bytes = 0x201}};
    EXPECT_EQ(error_of(builder.build()).kind, Kind::kMalformed);
}

TEST(Parse, AcceptsUserPrograms) {
    ElfBuilder builder;
    builder.entry = 0x10;
    builder.segments = {BuiltSegment{.address = 0}};
    EXPECT_FALSE(KernelImage::parse(builder.build(), "agent", kDefaultRam));
    EXPECT_TRUE(KernelImage::parse(builder.build(), "agent", kUserSpace));
}

ElfBuilder ordinary() {
    ElfBuilder builder;
    builder.segments = {BuiltSegment{}, BuiltSegment{.address = 0x80001000}};
    builder.symbols = {{"main", 0x80000010, 0x10, STT_FUNC}, {"kmem", 0x80001000, 0x20, STT_OBJECT}};
    return builder;
}

TEST(Parse, RefusesEveryTruncation) {
    auto const whole = ordinary().build();
    ASSERT_TRUE(KernelImage::parse(whole, "kernel", kDefaultRam));
    for (std::size_t length = 4; length < whole.size(); ++length) {
        auto const part = std::vector<std::byte>(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        EXPECT_EQ(error_of(part).kind, Kind::kTruncated) << length;
    }
}

}  // namespace
}  // namespace vmcheck::elf
