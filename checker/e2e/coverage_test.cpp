// How much of a kernel was reached, by the real command line.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <sstream>

namespace vmcheck::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

// What a tracefile says of each file: which lines have run, and which have not.
struct Traced {
    std::set<unsigned> ran, not_run;
};

// Reads it as geninfo(1) describes the format; an error wherever it is none.
std::map<std::string, Traced> read_tracefile(std::string const& text) {
    std::map<std::string, Traced> files;
    std::istringstream lines(text);
    std::string line, file;
    std::size_t found = 0, hit = 0;
    while (std::getline(lines, line)) {
        std::size_t const colon = line.find(':');
        std::string const key = line.substr(0, colon), value = colon == std::string::npos ? "" : line.substr(colon + 1);
        if (key == "SF") {
            EXPECT_EQ(file, "") << "a record in a record";
            file = value;
            found = hit = 0;
        } else if (key == "DA") {
            unsigned number = 0, count = 0;
            EXPECT_EQ(std::sscanf(value.c_str(), "%u,%u", &number, &count), 2) << line;
            (count > 0 ? files[file].ran : files[file].not_run).insert(number);
            ++found;
            hit += count > 0;
        } else if (key == "LF") {
            EXPECT_EQ(value, std::to_string(found)) << file;
        } else if (key == "LH") {
            EXPECT_EQ(value, std::to_string(hit)) << file;
        } else if (key == "end_of_record") {
            file.clear();
        } else {
            EXPECT_TRUE(key == "TN" || key == "FN" || key == "FNDA" || key == "FNF" || key == "FNH") << line;
        }
    }
    EXPECT_EQ(file, "") << "a record without an end";
    return files;
}

class CoverageFile : public testing::Test {
  protected:
    std::string verify(std::string const& kernel, std::string const& jobs, std::string const& runs = "40",
                       int exit_code = 0) const {
        Result const result = vmcheck({"verify", "--kernel", VMCHECK_KERNELS "/" + kernel + "/kernel", "--runs", runs,
                                       "--jobs", jobs, "--coverage", "lines.info", "--out", "report.json"},
                                      scratch.path());
        EXPECT_EQ(result.exit_code, exit_code) << result.out << result.err;
        return result.out;
    }
    Scratch scratch;
};

TEST_F(CoverageFile, IsTheSameWhereProgramsFailWhichAreThenRunAgain) {
    verify("mutants/16-parent-keeps-w", "1", "600", 1);
    std::string const document = read(scratch.path() / "lines.info");
    verify("mutants/16-parent-keeps-w", "3", "600", 1);
    EXPECT_EQ(read(scratch.path() / "lines.info"), document);
}

TEST_F(CoverageFile, IsTheSameForAnyNumberOfThreadsAndTellsWhatTheReportTells) {
    std::string const said = verify("cow-lazy", "1");
    std::string const document = read(scratch.path() / "lines.info");
    json const coverage = json::parse(read(scratch.path() / "report.json")).at("sessions").at(0).at("coverage");
    std::string const again = verify("cow-lazy", "3");
    EXPECT_EQ(read(scratch.path() / "lines.info"), document);
    EXPECT_EQ(json::parse(read(scratch.path() / "report.json")).at("sessions").at(0).at("coverage"), coverage);

    auto const files = read_tracefile(document);
    EXPECT_THAT(files.at("memory/fork.cpp").ran, testing::SizeIs(testing::Ge(8U)));
    EXPECT_THAT(files.at("main.cpp").ran, testing::Not(IsEmpty())) << "the boot counts as well";
    EXPECT_THAT(said, HasSubstr("lines of address_space.cpp, address_space.h, fork.cpp"));
    EXPECT_THAT(said, HasSubstr("lifecycle.cpp's kernel::fork_process, kernel::exit_process, kernel::wait_for_child"));
    EXPECT_GE(coverage.at("reached").get<double>(), 0.9 * coverage.at("all").get<double>());
    for (json const& gap : coverage.at("never_reached")) {
        Traced const& traced = files.at(gap.at("file").get<std::string>());
        EXPECT_THAT(traced.not_run, testing::Contains(gap.at("from").get<unsigned>())) << gap;
        EXPECT_THAT(traced.ran, testing::Not(testing::Contains(gap.at("to").get<unsigned>()))) << gap;
    }
    // A kernel that shares on fork copies no page there, though it could.
    EXPECT_THAT(coverage.at("never_reached").dump(), HasSubstr("kernel::AddressSpace::copy_page"));
}

TEST_F(CoverageFile, OfThoseThatLcovReads) {
    if (!base::find_program("lcov") || !base::find_program("genhtml")) GTEST_SKIP() << "lcov is not installed";
    verify("cow-lazy", "2", "1");
    std::string const in = "cd " + scratch.path().string() + " && ";
    ShellResult const summary = shell(in + "lcov --summary lines.info");
    EXPECT_EQ(summary.exit_code, 0) << summary.said;
    ShellResult const pages = shell(in +
                                    "genhtml --synthesize-missing lines.info -o pages || genhtml lines.info -o pages "
                                    "--ignore-errors source");
    EXPECT_EQ(pages.exit_code, 0) << pages.said;
}

TEST_F(CoverageFile, ThatCannotBeWrittenIsSaidBeforeAnythingIsRun) {
    Result const result = vmcheck({"verify", "--runs", "1", "--coverage", "/proc/nowhere/lines.info"}, scratch.path());
    EXPECT_EQ(result.exit_code, 3) << result.out;
    EXPECT_THAT(result.out, IsEmpty());
    scratch.copy(VMCHECK_KERNELS "/cow-lazy/kernel", "class/one/kernel");
    Result const of_class = vmcheck({"verify", "class", "--coverage", "lines.info", class_option()}, scratch.path());
    EXPECT_EQ(of_class.exit_code, 2) << of_class.out << of_class.err;
    EXPECT_THAT(of_class.err, HasSubstr("--coverage is about the lines of one"));
}

}  // namespace
}  // namespace vmcheck::e2e
