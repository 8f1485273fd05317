#include "impl/elf/kernel_image.h"

#include "impl/elf/elf_builder_testing.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace vmcheck::elf {
namespace {

using testing::ElfBuilder;
using Kind = ElfError::Kind;

// A directory of its own for each test, removed at the end.
class KernelImageFiles : public ::testing::Test {
  protected:
    void SetUp() override {
        auto const* const test = ::testing::UnitTest::GetInstance()->current_test_info();
        directory_ = std::filesystem::temp_directory_path() /
                     ("vmcheck_elf_" + std::string(test->name()) + "_" + std::to_string(::getpid()));
        std::filesystem::create_directories(directory_);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::filesystem::path write(std::string const& name, std::vector<std::byte> const& bytes) {
        auto path = directory_ / name;
        std::ofstream file(path, std::ios::binary);
        for (std::byte const b : bytes) file.put(static_cast<char>(b));
        return path;
    }

    std::filesystem::path directory_;
};

TEST_F(KernelImageFiles, LoadsAFile) {
    auto const path = write("kernel", ElfBuilder{}.build());
    auto const image = KernelImage::load(path, kDefaultRam);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->name(), path.string());
    EXPECT_EQ(image->entry(), VirtAddr{0x80000000});
}

TEST_F(KernelImageFiles, SaysThatThereIsNoSuchFile) {
    auto const image = KernelImage::load(directory_ / "nothing", kDefaultRam);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().kind, Kind::kNoSuchFile);
}

TEST_F(KernelImageFiles, SaysThatItIsADirectory) {
    auto const image = KernelImage::load(directory_, kDefaultRam);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().kind, Kind::kIsDirectory);
}

TEST_F(KernelImageFiles, RefusesADeviceThatNeverEnds) {
    auto const image = KernelImage::load("/dev/zero", kDefaultRam);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().kind, Kind::kUnreadable);
}

TEST_F(KernelImageFiles, SaysThatAFileCannotBeOpened) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
    auto const path = write("kernel", ElfBuilder{}.build());
    std::filesystem::permissions(path, std::filesystem::perms::none);
    auto const image = KernelImage::load(path, kDefaultRam);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().kind, Kind::kUnreadable);
}

TEST_F(KernelImageFiles, RefusesAFileThatIsTooLargeWithoutReadingIt) {
    auto const path = write("kernel", ElfBuilder{}.build());
    std::filesystem::resize_file(path, kElfBytesMax + 1);
    auto const image = KernelImage::load(path, kDefaultRam);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().kind, Kind::kUnreadable);
}

KernelImage image_with_symbols() {
    ElfBuilder builder;
    builder.segments = {{0x80000000, 0x100, 0x100, PF_R | PF_X, PT_LOAD},
                        {0x80001000, 0x10, 0x1000, PF_R | PF_W, PT_LOAD}};
    builder.symbols = {{"start", 0x80000000, 0x10, STT_FUNC},
                       {"_entry", 0x80000000, 0, STT_NOTYPE},
                       {"_ZN6kernel5panicEPKc", 0x80000020, 0x20, STT_FUNC},
                       {"uservec", 0x80000050, 0, STT_NOTYPE},
                       {"$x", 0x80000052, 0, STT_NOTYPE},
                       {"kmem", 0x80001010, 32, STT_OBJECT},
                       {"_ZN6kernel5panicEi", 0x80000080, 0x20, STT_FUNC}};
    return KernelImage::parse(builder.build(), "kernel", kDefaultRam).value();
}

TEST(KernelImage, FindsSymbolsByName) {
    auto const image = image_with_symbols();
    ASSERT_NE(image.find_symbol("kmem"), nullptr);
    EXPECT_EQ(image.find_symbol("kmem")->address, VirtAddr{0x80001010});
    EXPECT_EQ(image.find_symbol("kmem")->bytes, 32U);
    EXPECT_EQ(image.find_symbol("kmem")->kind, SymbolKind::kObject);
    EXPECT_EQ(image.find_symbol("kme"), nullptr);
    EXPECT_EQ(image.find_symbol("$x"), nullptr);
}

TEST(KernelImage, FindsSymbolsByTheirNameInTheSource) {
    auto const image = image_with_symbols();
    EXPECT_EQ(image.find_by_source_name("kernel::panic").size(), 2U);
    EXPECT_EQ(image.find_by_source_name("start").size(), 1U);
    EXPECT_TRUE(image.find_by_source_name("panic").empty());
    EXPECT_TRUE(image.find_by_source_name("").empty());
}

TEST(KernelImage, NamesTheFunctionOfAPc) {
    auto const image = image_with_symbols();
    auto const at = [&](std::uint64_t pc) {
        auto const place = image.function_at(VirtAddr{pc});
        return place ? place->name + "+" + std::to_string(place->offset) : std::string("none");
    };
    EXPECT_EQ(at(0x80000000), "start+0");
    EXPECT_EQ(at(0x8000000f), "start+15");
    EXPECT_EQ(at(0x80000010), "none");
    EXPECT_EQ(at(0x80000024), "kernel::panic+4");
    EXPECT_EQ(at(0x80000058), "uservec+8");
    EXPECT_EQ(at(0x80001010), "none");  // data
    EXPECT_EQ(at(0x7fffffff), "none");
    EXPECT_EQ(at(~0ULL), "none");
}

TEST(KernelImage, TranslatesLinkedAddressesThatItsSegmentsHold) {
    auto const image = image_with_symbols();
    EXPECT_EQ(image.to_physical(VirtAddr{0x80001010}, 8), PhysAddr{0x80001010});
    EXPECT_EQ(image.to_physical(VirtAddr{0x80001ff8}, 8), PhysAddr{0x80001ff8});
    EXPECT_EQ(image.to_physical(VirtAddr{0x80001ff9}, 8), std::nullopt);
    EXPECT_EQ(image.to_physical(VirtAddr{0x80001000}, ~0ULL), std::nullopt);
    EXPECT_EQ(image.to_physical(VirtAddr{0x10}), std::nullopt);
}

TEST(KernelImage, CopiesShareTheBytes) {
    auto const image = image_with_symbols();
    KernelImage const copy = image;  // NOLINT(performance-unnecessary-copy-initialization): what is tested
    EXPECT_EQ(copy.bytes().data(), image.bytes().data());
    EXPECT_EQ(copy.segments()[0].bytes.front(), std::byte{1});
    EXPECT_EQ(copy.segments()[1].bytes.front(), std::byte{2});
    EXPECT_EQ(copy.segments()[1].memory_bytes, 0x1000U);
    EXPECT_FALSE(copy.has_debug_info());
}

TEST(AddressRange, ContainsWhatLiesInside) {
    EXPECT_TRUE(kDefaultRam.contains(PhysAddr{0x80000000}, 128 << 20));
    EXPECT_FALSE(kDefaultRam.contains(PhysAddr{0x80000000}, (128 << 20) + 1));
    EXPECT_FALSE(kDefaultRam.contains(PhysAddr{0x88000000}));
    EXPECT_FALSE(kDefaultRam.contains(PhysAddr{0x7fffffff}, 2));
    EXPECT_FALSE(kDefaultRam.contains(PhysAddr{0x80000001}, ~0ULL));
}

}  // namespace
}  // namespace vmcheck::elf
