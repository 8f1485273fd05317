#include "impl/base/files.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <stop_token>
#include <thread>

namespace vmcheck::base {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public testing::Test {
  protected:
    fs::path at(char const* name) const { return scratch_.path() / name; }
    ScratchDirectory scratch_ = std::move(ScratchDirectory::make("test").value());
};

TEST_F(Files, WrittenAreReadAgain) {
    std::string const text("a\0b\n", 4);
    ASSERT_TRUE(write_file(at("deep/er/file"), text));
    EXPECT_EQ(read_file(at("deep/er/file")).value(), text);
    EXPECT_EQ(read_bytes(at("deep/er/file"))->at(2), std::byte{'b'});
    std::vector<std::byte> const bytes(100'000, std::byte{7});
    ASSERT_TRUE(write_file(at("deep/er/file"), bytes));
    EXPECT_EQ(read_bytes(at("deep/er/file")).value(), bytes);
    EXPECT_EQ(std::distance(fs::directory_iterator(at("deep/er")), {}), 1) << "nothing is left beside it";
}

TEST_F(Files, AreNeverSeenHalfWritten) {
    std::string const one(300'000, '1'), two(300'000, '2');
    ASSERT_TRUE(write_file(at("file"), one));
    std::atomic<bool> done = false;
    std::jthread const writer([&] {
        for (int i = 0; i < 100; ++i) EXPECT_TRUE(write_file(at("file"), i % 2 == 0 ? two : one));
        done = true;
    });
    while (!done) {
        auto const seen = read_file(at("file"));
        ASSERT_TRUE(seen) << seen.error().message;
        ASSERT_TRUE(*seen == one || *seen == two) << seen->size();
    }
}

TEST_F(Files, ForGoodLeaveNothingOfThoseThatWereKilled) {
    ASSERT_TRUE(write_file_for_good(at("file"), "new"));
    EXPECT_EQ(read_file(at("file")).value(), "new");
    pid_t const gone = ::fork();
    if (gone == 0) ::_exit(0);
    ::waitpid(gone, nullptr, 0);
    auto const of = [&](pid_t writer) { return at(("file." + std::to_string(writer) + ".part").c_str()); };
    for (fs::path const& path : std::vector{of(gone), of(::getpid()), at("notes.part"), at("a.b.part")})
        ASSERT_TRUE(write_file(path, "half"));
    remove_left_parts(at(""));
    EXPECT_FALSE(fs::exists(of(gone)));
    EXPECT_TRUE(fs::exists(of(::getpid()))) << "still being written";
    EXPECT_TRUE(fs::exists(at("notes.part")) && fs::exists(at("a.b.part"))) << "somebody else's";
    EXPECT_EQ(read_file(at("file")).value(), "new");
}

TEST_F(Files, ThatCannotBeWrittenLeaveWhatWasThere) {
    ASSERT_TRUE(write_file(at("file"), "old"));
    fs::create_directories(at("directory/in it"));
    auto const refused = write_file(at("directory"), "new");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("directory: cannot be written: "));
    EXPECT_FALSE(write_file(at("file/below"), "new"));
    EXPECT_EQ(read_file(at("file")).value(), "old");
    auto const full = write_file("/dev/full", "new");
    ASSERT_FALSE(full);
    EXPECT_THAT(full.error().message, HasSubstr("/dev/full: cannot be written: No space left"));
}

TEST_F(Files, ThatCannotBeReadSayWhy) {
    using Kind = Error::Kind;
    EXPECT_EQ(read_file(at("none")).error().kind, Kind::no_such_file);
    EXPECT_EQ(read_file(scratch_.path()).error().kind, Kind::is_directory);
    ASSERT_TRUE(write_file(at("large"), std::string(1001, 'x')));
    EXPECT_TRUE(read_file(at("large"), {.bytes_max = 1001}));
    EXPECT_THAT(read_file(at("large"), {.bytes_max = 1000}).error().message, HasSubstr("larger than 1000 bytes"));
    EXPECT_THAT(read_file("/dev/zero", {.bytes_max = 1000, .any_kind = true}).error().message,
                HasSubstr("larger than 1000 bytes"));
}

TEST_F(Files, OnlyRegularOnesAreReadUnlessOthersAreAskedFor) {
    ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
    for (fs::path const& path : {at("pipe"), fs::path("/dev/zero")})
        EXPECT_THAT(read_file(path).error().message, HasSubstr("name a regular file"));
}

TEST_F(Files, APipeIsWaitedForUntilSomebodyWritesOrTheUserHasEnough) {
    ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
    std::stop_source user;
    std::jthread const later([&] {
        std::ofstream(at("pipe")) << "late" << std::flush;
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
        user.request_stop();
    });
    EXPECT_EQ(read_file(at("pipe"), {.any_kind = true, .stop = user.get_token()}).value_or("none"), "late");
    EXPECT_THAT(read_file(at("pipe"), {.any_kind = true, .stop = user.get_token()}).error().message,
                HasSubstr("interrupted"));
}

TEST_F(Files, ThatCannotBeWrittenAreKnownBefore) {
    ASSERT_TRUE(write_file(at("file"), "old"));
    EXPECT_TRUE(check_writable(at("file")));
    EXPECT_TRUE(check_writable(at("new/file")));
    EXPECT_EQ(read_file(at("file")).value(), "old");
    EXPECT_TRUE(fs::is_empty(at("new"))) << "nothing is left behind";
    EXPECT_FALSE(check_writable(at("file/below")));
    EXPECT_FALSE(check_writable(at("new")));
    ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
    EXPECT_FALSE(check_writable(at("pipe"))) << "nobody reads it, and nobody waits for somebody who does";
}

TEST(Scratch, IsPrivateAndVanishesWithAllThatIsInIt) {
    fs::path path;
    {
        auto scratch = ScratchDirectory::make("test");
        ASSERT_TRUE(scratch);
        path = scratch->path();
        EXPECT_THAT(path.filename().string(), testing::MatchesRegex("vmcheck-[0-9]+-test-.*"));
        EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
        ASSERT_TRUE(write_file(path / "a/b", "x"));
        ScratchDirectory const moved = std::move(*scratch);
        EXPECT_TRUE(fs::exists(moved.path() / "a/b"));
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST(Scratch, LiesBelowTmpdir) {
    auto const outer = ScratchDirectory::make("test");
    char const* const before = std::getenv("TMPDIR");
    std::string const old = before == nullptr ? "" : before;
    ::setenv("TMPDIR", outer->path().c_str(), 1);
    EXPECT_EQ(ScratchDirectory::make("inner")->path().parent_path(), outer->path());
    ::setenv("TMPDIR", "/nowhere", 1);
    auto const none = ScratchDirectory::make("inner");
    if (before == nullptr)
        ::unsetenv("TMPDIR");
    else
        ::setenv("TMPDIR", old.c_str(), 1);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, Error::Kind::machine);
}

TEST(SealedFile, IsReadAsItWasWrittenOrNotAtAll) {
    auto const scratch = ScratchDirectory::make("test").value();
    std::filesystem::path const path = scratch.path() / "part";
    std::vector<std::byte> const contents{std::byte{1}, std::byte{2}, std::byte{0}};
    ASSERT_TRUE(write_sealed(path, contents));
    EXPECT_EQ(read_sealed(path).value(), contents);
    std::vector<std::byte> const whole = read_bytes(path).value();
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::vector<std::byte> flipped = whole;
        flipped[i] ^= std::byte{4};
        ASSERT_TRUE(write_file(path, flipped));
        EXPECT_FALSE(read_sealed(path)) << i;
        ASSERT_TRUE(write_file(path, std::vector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i))));
        EXPECT_FALSE(read_sealed(path)) << i;
    }
}

}  // namespace
}  // namespace vmcheck::base
