// Kernels that do their worst, on the real command line: every run ends, says one thing about it, and the host comes to
// no harm. What single devices make of such guests is in impl/board/hostile_test.cpp, what readers do in checker/fuzz.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <elf.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSlower = 8;
#else
constexpr int kSlower = 1;
#endif
constexpr std::chrono::seconds kLongest{150 * kSlower};
constexpr std::size_t kParagraphBytesMax = 4096;
constexpr std::size_t kReportBytesMax = std::size_t{1} << 20;

// What a kernel printed must not get at the terminal: no control character but the line's end.
bool is_tame(std::string const& text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        auto const byte = static_cast<unsigned char>(c);
        return byte == '\n' || (byte >= 0x20 && byte != 0x7f);
    });
}

std::size_t bytes_in(fs::path const& directory) {
    std::size_t bytes = 0;
    for (auto const& entry : fs::recursive_directory_iterator(directory))
        if (entry.is_regular_file()) bytes += static_cast<std::size_t>(entry.file_size());
    return bytes;
}

class Hostile : public testing::Test {
  protected:
    // Runs vmcheck, which must end in time and leave no more than a report's worth of text.
    Result run(std::vector<std::string> const& arguments) const {
        auto const started = std::chrono::steady_clock::now();
        Result result = vmcheck(arguments, scratch.path());
        EXPECT_LE(std::chrono::steady_clock::now() - started, kLongest);
        EXPECT_NE(result.exit_code, -1) << "killed by a signal\n" << result.err;
        EXPECT_TRUE(is_tame(result.out)) << result.out;
        EXPECT_TRUE(is_tame(result.err)) << result.err;
        EXPECT_LE(bytes_in(scratch.path()), kReportBytesMax);
        return result;
    }
    // For a kernel that does not come up: exit code 4, and one paragraph that says why.
    void expect_refusal(std::string const& kernel, std::string const& why) const {
        Result const result = run({"verify", "--kernel", kernel});
        EXPECT_EQ(result.exit_code, 4) << result.err;
        EXPECT_THAT(result.err, testing::StartsWith("vmcheck: "));
        EXPECT_THAT(result.err, testing::Not(HasSubstr("\n\n")));
        EXPECT_THAT(result.err, HasSubstr(why));
        EXPECT_LE(result.err.size(), kParagraphBytesMax);
    }
    Scratch scratch;
};

// ---- before user mode: hostile_kernels.S

class HostileAtBoot : public Hostile, public testing::WithParamInterface<char const*> {};

TEST_P(HostileAtBoot, IsRefusedWithAReason) {
    expect_refusal(VMCHECK_HOSTILE_AT_BOOT "/" + std::string(GetParam()) + ".elf", "did not reach user mode");
}

INSTANTIATE_TEST_SUITE_P(Kernels, HostileAtBoot,
                         testing::Values("PRINT_FOR_EVER", "WILD_RINGS", "LEGACY_WILD_RINGS", "WILD_SEGMENTS",
                                         "WILD_SECTORS", "CHAIN_LOOP", "LONGEST_CHAINS", "REWRITE_CODE",
                                         "SATP_OUTSIDE_RAM", "SATP_RESERVED_MODE", "TABLE_LOOP", "WILD_TRAP_VECTOR",
                                         "FLUSH_FOR_EVER", "INTERRUPT_STORM", "WAIT_FOR_NOTHING",
                                         "WAIT_FOR_MASKED_TIMER", "MANY_SATP_WRITES"),
                         [](auto const& parameter) { return std::string(parameter.param); });

// ---- in the middle of a campaign: kernel/hostile/*.patch, in order until a program's second fork

// A line of the patch's header, without its name.
std::string header(std::string const& kernel, std::string const& name) {
    std::ifstream patch(fs::path(VMCHECK_HOSTILE_PATCHES) / (kernel + ".patch"));
    for (std::string line; std::getline(patch, line) && !line.empty();)
        if (line.starts_with(name + ": ")) return line.substr(name.size() + 2);
    return {};
}

std::vector<std::string> all_patches() {
    std::vector<std::string> names;
    for (auto const& entry : fs::directory_iterator(VMCHECK_HOSTILE_PATCHES))
        if (entry.path().extension() == ".patch") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::string patched(std::string const& name) {
    return std::string(VMCHECK_KERNELS "/hostile/") + name + "/kernel";
}

class HostileInCampaign : public Hostile, public testing::WithParamInterface<std::string> {};

// "expect: 1 I9 fork": the exit code, and a signature that must be among the findings.
TEST_P(HostileInCampaign, IsReportedAndHurtsNobodyElse) {
    Result const result = run({"verify", "--kernel", patched(GetParam()), "--runs", "64", "--json"});
    std::string const expected = header(GetParam(), "expect");
    ASSERT_EQ(result.exit_code, std::stoi(expected)) << result.err;
    EXPECT_THAT(result.err + result.out, HasSubstr(header(GetParam(), "says")));
    json const session = session_of(result);
    std::vector<std::string> signatures;
    for (json const& violation : session.at("boot_violations"))
        signatures.push_back(violation.at("signature").get<std::string>());
    for (json const& finding : session.at("findings")) {
        signatures.push_back(finding.at("signature").get<std::string>());
        // A machine that was misused by one program is as good as new for the next.
        EXPECT_EQ(finding.at("reproduced").at("times"), finding.at("reproduced").at("attempts"));
    }
    if (expected.size() > 2) {
        EXPECT_THAT(signatures, testing::Contains(expected.substr(2)));
    }
    if (result.exit_code == 0) {
        EXPECT_EQ(session.at("programs"), 64);
    }
}

INSTANTIATE_TEST_SUITE_P(All, HostileInCampaign, testing::ValuesIn(all_patches()), [](auto const& parameter) {
    std::string name = parameter.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

// What one program does to the kernel's code must not be there for the next, whichever machine runs it.
TEST_F(Hostile, CodeThatWasRewrittenIsTheSameOnAnyNumberOfMachines) {
    std::vector<std::string> arguments{"verify", "--kernel", patched("rewrites-itself"), "--runs", "256", "--json",
                                       "--jobs", "1"};
    Result const one = run(arguments);
    arguments.back() = "3";
    Result const three = run(arguments);
    EXPECT_EQ(one.exit_code, 1);
    EXPECT_EQ(one.out, three.out);
}

TEST_F(Hostile, MarkupInAPanicIsTextInEveryReport) {
    for (char const* format : {"text", "junit", "gradescope", "github"}) {
        Result const result =
            run({"verify", "--kernel", patched("panics-in-markup"), "--runs", "256", "--format", format});
        EXPECT_EQ(result.exit_code, 1) << result.err;
        if (format == std::string("junit")) {
            EXPECT_THAT(result.out, HasSubstr("&lt;script&gt;"));
            EXPECT_THAT(result.out, testing::Not(HasSubstr("]]>")));
        }
    }
    std::string const html = read(scratch.path() / "findings" / "report.html");
    EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
    EXPECT_THAT(html, testing::Not(HasSubstr("<script")));
}

// ---- files

class HostileFile : public Hostile {
  protected:
    void SetUp() override { bytes = read(VMCHECK_KERNELS "/cow-lazy/kernel"); }

    template <class T>
    T at(std::size_t offset) const {
        T value;
        std::memcpy(&value, bytes.data() + offset, sizeof value);
        return value;
    }
    template <class T>
    void put(std::size_t offset, T const& value) {
        ASSERT_LE(offset + sizeof value, bytes.size());
        std::memcpy(bytes.data() + offset, &value, sizeof value);
    }
    // Changes the program headers that load something, in order.
    void change_segments(std::function<void(Elf64_Phdr&, std::size_t)> const& change) {
        auto const elf = at<Elf64_Ehdr>(0);
        for (std::size_t i = 0, loads = 0; i < elf.e_phnum; ++i) {
            std::size_t const offset = elf.e_phoff + i * sizeof(Elf64_Phdr);
            auto segment = at<Elf64_Phdr>(offset);
            if (segment.p_type != PT_LOAD) continue;
            change(segment, loads++);
            put(offset, segment);
        }
    }
    // Overwrites all of the sections whose names begin so with bytes of chance.
    void scramble(std::string const& prefix) {
        std::mt19937 chance(1);
        auto const elf = at<Elf64_Ehdr>(0);
        auto const header_of = [&](std::size_t i) { return at<Elf64_Shdr>(elf.e_shoff + i * sizeof(Elf64_Shdr)); };
        std::size_t const names = header_of(elf.e_shstrndx).sh_offset;
        std::size_t scrambled = 0;
        for (std::size_t i = 0; i < elf.e_shnum; ++i) {
            Elf64_Shdr const section = header_of(i);
            if (!std::string(bytes.c_str() + names + section.sh_name).starts_with(prefix)) continue;
            for (std::size_t byte = 0; byte < section.sh_size; ++byte)
                bytes[section.sh_offset + byte] = static_cast<char>(chance());
            ++scrambled;
        }
        ASSERT_GT(scrambled, 0U);
    }
    std::string file() const { return scratch.file("kernel", bytes); }

    std::string bytes;
};

TEST_F(HostileFile, ASegmentOfATerabyteIsRefused) {
    change_segments([](Elf64_Phdr& segment, std::size_t) { segment.p_memsz = std::uint64_t{1} << 40; });
    expect_refusal(file(), "outside of memory");
}

TEST_F(HostileFile, ASegmentThatEndsBeyondTheLastAddressIsRefused) {
    change_segments([](Elf64_Phdr& segment, std::size_t) { segment.p_memsz = ~std::uint64_t{0} - 8; });
    expect_refusal(file(), "outside of memory");
}

TEST_F(HostileFile, SegmentsOverEachOtherAreRefused) {
    std::uint64_t first = 0;
    std::size_t loads = 0;
    change_segments([&](Elf64_Phdr& segment, std::size_t i) {
        ++loads;
        if (i == 0) first = segment.p_paddr;
        segment.p_paddr = first;
    });
    ASSERT_GT(loads, 1U);
    expect_refusal(file(), "overlap");
}

TEST_F(HostileFile, AnEntryOutsideOfEverySegmentIsRefused) {
    auto elf = at<Elf64_Ehdr>(0);
    elf.e_entry = 0x1000'0000;
    put(0, elf);
    expect_refusal(file(), "entry point");
}

// What is left is a kernel without debug information: checked as far as it goes, and what is missing is said.
TEST_F(HostileFile, GarbageForDebugInformationIsSaid) {
    scramble(".debug_");
    Result const result = run({"verify", "--kernel", file(), "--runs", "100"});
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("not checked"));
}

TEST_F(HostileFile, GarbageForSymbolsIsSaid) {
    scramble(".symtab");
    Result const result = run({"verify", "--kernel", file(), "--runs", "20"});
    EXPECT_THAT(result.exit_code, testing::AnyOf(0, 4)) << result.out << result.err;
    EXPECT_THAT(result.out + result.err, testing::AnyOf(HasSubstr("not checked"), HasSubstr("vmcheck: ")));
}

}  // namespace
}  // namespace vmcheck::e2e
