// The whole pipeline, on the toy kernel.

#include "checker/session/session.h"

#include "checker/report/format.h"
#include "checker/report/step_words.h"
#include "checker/run/twin_testing.h"
#include "checker/session/blame.h"
#include "checker/session/reproduce.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>

namespace vmcheck::session {
namespace {

using run::Twin;
using run::TwinExecution;
using spec::testing::PlantedDefect;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr spec::Profile kCowLazy{spec::ForkPolicy::cow, spec::SbrkPolicy::lazy};

Boot toy(PlantedDefect defect) {
    return [defect] { return std::make_unique<Twin>(kCowLazy, defect); };
}

// Enough to find a planted defect, and quick.
Options quick() {
    return {.effort = {.programs = 128, .batch = {.plain = 64}, .families_max = 1}};
}

// What an observer was told, in order.
struct Notes final : Observer {
    void on_kernel(SessionResult const&) override { stages.emplace_back("kernel"); }
    void on_progress(run::Progress const&) override {
        if (stages.back() != "progress") stages.emplace_back("progress");
    }
    void on_run() override { stages.emplace_back("run"); }
    void on_missing(std::string const& what) override { stages.push_back(what); }
    void on_confirm(std::size_t number, std::size_t total) override {
        stages.push_back("confirm " + std::to_string(number) + " of " + std::to_string(total));
    }
    std::vector<std::string> stages;
};

SessionResult result_of(Boot const& boot, Options const& options) {
    Notes unread;
    auto result = check(boot, options, unread);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return result ? std::move(*result) : SessionResult{};
}

TEST(Session, OfAKernelThatIsRightFindsNothingAndSaysHowMuchWasDone) {
    Notes notes;
    auto const result = check(toy(PlantedDefect::none), quick(), notes);
    ASSERT_TRUE(result.has_value());
    EXPECT_THAT(result->findings, IsEmpty());
    EXPECT_THAT(result->boot_violations, IsEmpty());
    EXPECT_EQ(result->counts.programs, 128U);
    EXPECT_EQ(result->families, 0U);
    EXPECT_FALSE(result->interrupted);
    EXPECT_THAT(notes.stages, ElementsAre("kernel", "progress", "run"));
}

TEST(Session, APlantedDefectBecomesOneFindingThatIsComplete) {
    SessionResult const result = result_of(toy(PlantedDefect::parent_keeps_write), quick());
    ASSERT_THAT(result.findings, SizeIs(1));
    EXPECT_GE(result.families, 1U);
    Finding const& finding = result.findings.front();
    EXPECT_TRUE(is_solid(finding));
    EXPECT_EQ(run::to_string(finding.signature), "I3 fork");
    EXPECT_EQ(finding.divergence.signature, finding.signature);
    EXPECT_EQ(finding.severity, Severity::defect);
    EXPECT_THAT(finding.program.steps, SizeIs(1));
    EXPECT_GE(finding.original.steps.size(), finding.program.steps.size());
    EXPECT_THAT(finding.records, SizeIs(1));
    EXPECT_GE(finding.seen, 1U);
    EXPECT_FALSE(finding.shrink_exhausted);
    EXPECT_EQ(finding.reproduced, 3U);
    EXPECT_EQ(finding.attempts, 3U);
    ASSERT_TRUE(finding.evidence.pages.has_value());
    EXPECT_THAT(finding.evidence.pages->before, SizeIs(1)) << "the child was not there yet";
    EXPECT_THAT(finding.evidence.pages->after, SizeIs(2));
    EXPECT_TRUE(finding.evidence.place.has_value());
    EXPECT_TRUE(finding.evidence.heap_start.has_value());
    ASSERT_TRUE(finding.repro_c.has_value()) << finding.repro_c.error();
    EXPECT_THAT(*finding.repro_c, HasSubstr("fork()"));
    EXPECT_FALSE(finding.on_qemu.has_value()) << "nobody asked for it";
}

TEST(Session, ComparesWhatRanInProgramsThatFailAndInNeighboursThatDoNot) {
    SessionResult const result = result_of(toy(PlantedDefect::parent_keeps_write), quick());
    ASSERT_THAT(result.findings, SizeIs(1));
    Spectrum const& spectrum = result.findings.front().evidence.spectrum;
    EXPECT_GE(spectrum.failing, 1U);
    EXPECT_GE(spectrum.passing, 5U);
    ASSERT_FALSE(spectrum.lines.empty());
    EXPECT_EQ(spectrum.lines.front().place.function, "fork");
    EXPECT_EQ(spectrum.lines.front().failing, spectrum.failing);
    EXPECT_EQ(spectrum.lines.front().passing, 0U);
}

TEST(Session, ComparesTheLinesThatTheProgramItselfRuns) {
    auto kernel = start(toy(PlantedDefect::parent_keeps_write), 1);
    ASSERT_TRUE(kernel.has_value()) << kernel.error().message;
    auto const parsed = [](std::string const& steps) {
        return spec::parse("vmcheck 1\nprofile cow lazy\n" + steps).value();
    };
    spec::Program const program = parsed("p0 fork p1\n"), original = parsed("p0 sbrk +1p\np0 fork p1\n");
    run::Signature const signature{spec::Invariant::isolation, program.steps.front().action.index()};
    Spectrum const spectrum = spectrum_of(kernel->machines, kernel->look.reference, program, original, signature);
    EXPECT_GE(spectrum.failing, 2U) << "with the original, which grows the heap as well";
    std::set<std::string> functions;
    for (Spectrum::Line const& line : spectrum.lines) functions.insert(line.place.function);
    EXPECT_THAT(functions, ElementsAre("fork"));
}

TEST(Session, ReadsSourceFromTheKernelsTreeAlone) {
    namespace fs = std::filesystem;
    fs::path const tree = fs::path(::testing::TempDir()) / "source_of_tree";
    fs::create_directories(tree / "kernel");
    std::ofstream(tree / "kernel" / "vm.c") << "int a;\n  int b;\nint\ng(void)\n{ \n";
    std::ofstream(tree / "outside.c") << "secret\n";
    fs::remove(tree / "kernel" / "link.c");
    fs::create_symlink(tree / "outside.c", tree / "kernel" / "link.c");
    std::ofstream(tree / "kernel" / "endless.c") << "no line ends here";
    fs::resize_file(tree / "kernel" / "endless.c", std::uint64_t{1} << 40);
    Evidence evidence;
    evidence.written = {LastAccess::Of::entry,
                        {0},
                        {{"f", "kernel/vm.c", 2},
                         {"f", "kernel/vm.c", 7},
                         {"g", "kernel/vm.c", 5},
                         {"f", "kernel/../outside.c", 1},
                         {"f", "kernel/link.c", 1},
                         {"f", "kernel/endless.c", 1},
                         {"f", (tree / "outside.c").string(), 1},
                         {"f", "kernel/no.c", 1}}};
    auto const source = source_of(evidence, tree / "kernel" / "kernel");
    ASSERT_THAT(source, SizeIs(2));
    EXPECT_EQ(source[0].text, "int b;");
    EXPECT_EQ(source[0].line, 2U);
    EXPECT_EQ(source[1].text, "g(void) {") << "where a function begins there may be but a brace";
    EXPECT_EQ(source[1].line, 5U);
    fs::remove_all(tree);
}

TEST(Session, AFindingThatNoUserProgramShowsSaysWhy) {
    Options options = quick();
    options.effort.batch.sweep = 16;
    SessionResult const result = result_of(toy(PlantedDefect::failed_fork_kills), options);
    ASSERT_THAT(result.findings, SizeIs(1));
    ASSERT_FALSE(result.findings.front().repro_c.has_value());
    EXPECT_THAT(result.findings.front().repro_c.error(), HasSubstr("kalloc"));
}

TEST(Session, SaysTheSameOnOneJobAndOnTwo) {
    for (PlantedDefect defect : {PlantedDefect::stale_cow_copy, PlantedDefect::root_leaked}) {
        Options options = quick();
        options.effort.families_max = 3;
        std::string const one = report::json_document({result_of(toy(defect), options)});
        options.jobs = 2;
        EXPECT_EQ(report::json_document({result_of(toy(defect), options)}), one);
    }
}

TEST(Session, LeavesAProgramAsItIsWhereNobodyWantsItShrunk) {
    Options options = quick();
    options.shrink = false;
    SessionResult const result = result_of(toy(PlantedDefect::parent_keeps_write), options);
    ASSERT_THAT(result.findings, SizeIs(1));
    EXPECT_EQ(result.findings.front().program, result.findings.front().original);
    EXPECT_EQ(result.findings.front().shrink_executions, 0U);
}

TEST(Session, InterruptedItGivesWhatWasDoneUntilThen) {
    std::stop_source stop;
    stop.request_stop();
    Options options = quick();
    options.stop = stop.get_token();
    SessionResult const result = result_of(toy(PlantedDefect::parent_keeps_write), options);
    EXPECT_TRUE(result.interrupted);
    EXPECT_EQ(result.counts.programs, 0U);
    EXPECT_THAT(result.findings, IsEmpty());
}

TEST(Session, InterruptedAfterABatchItStillMakesItsFindings) {
    struct StopAtOnce final : Observer {
        void on_progress(run::Progress const&) override { stop.request_stop(); }
        std::stop_source stop;
    } observer;
    Options options = quick();
    options.effort.families_max = 100;
    options.stop = observer.stop.get_token();
    auto const result = check(toy(PlantedDefect::parent_keeps_write), options, observer);
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(result->interrupted);
    EXPECT_EQ(result->counts.programs, 64U);
    ASSERT_FALSE(result->findings.empty());
    EXPECT_TRUE(is_solid(result->findings.front()));
}

// A kernel whose exec gives every process another image than it should.
class WrongImage final : public Twin {
  public:
    using Spoil = void (*)(std::vector<spec::ImagePage>&);
    explicit WrongImage(Spoil spoil) : Twin(kCowLazy), spoil_(spoil) {}
    tl::expected<std::unique_ptr<Execution>, BootError> start() const override {
        auto spoilt = std::make_shared<spec::Setting>(*setting());
        spoil_(spoilt->layout.image);
        return std::make_unique<TwinExecution>(std::move(spoilt), PlantedDefect::none);
    }
    tl::expected<std::unique_ptr<Target>, BootError> reboot(spec::Profile, std::stop_token) const override {
        return std::make_unique<WrongImage>(spoil_);
    }

  private:
    Spoil spoil_;
};
Boot wrong_image(WrongImage::Spoil spoil) {
    return [spoil] { return std::make_unique<WrongImage>(spoil); };
}
constexpr std::size_t kText = 1, kBss = 4, kGuard = 5;

TEST(Session, OneMistakeAtManyPagesIsOneRightAfterBoot) {
    SessionResult const result = result_of(wrong_image([](auto& image) {
                                               image[kBss].contents = image[kText].contents;
                                               image[kBss + 2].contents = image[kText].contents;
                                               image[kText].rights.write = true;
                                           }),
                                           quick());
    ASSERT_THAT(result.boot_violations, SizeIs(2)) << "bytes, and rights";
    EXPECT_EQ(result.boot_violations[0].alike + result.boot_violations[1].alike, 1U);
}

TEST(Session, APageThatIsAnotherThanItShouldBeIsOneMistakeRightAfterBoot) {
    constexpr std::size_t kRodata = 2;
    SessionResult const result = result_of(wrong_image([](auto& image) {
                                               image[kRodata].contents = spec::zero_page();
                                               image[kRodata].rights.write = true;
                                           }),
                                           quick());
    ASSERT_THAT(result.boot_violations, SizeIs(1));
    EXPECT_TRUE(std::holds_alternative<spec::WrongByte>(result.boot_violations.front().facts));
}

TEST(Session, WhatIsWrongRightAfterBootIsToldOnceAndTheRestIsJudged) {
    constexpr std::array<std::pair<WrongImage::Spoil, spec::Invariant>, 3> kWrong{{
        {[](auto& image) { image[kBss].contents = image[kText].contents; }, spec::Invariant::contents},
        {[](auto& image) { image[kText].rights.write = true; }, spec::Invariant::rights},
        {[](auto& image) { image[kGuard].rights.user = true; }, spec::Invariant::rights},
    }};
    for (auto const& [spoil, invariant] : kWrong) {
        SessionResult const result = result_of(wrong_image(spoil), quick());
        ASSERT_THAT(result.boot_violations, SizeIs(1));
        EXPECT_EQ(result.boot_violations.front().invariant, invariant);
        EXPECT_THAT(result.findings, IsEmpty());
        EXPECT_EQ(result.counts.programs, 128U);
    }
}

// A kernel that does nothing of what it is asked for.
class Unfinished final : public Twin {
  public:
    explicit Unfinished(PlantedDefect defect = PlantedDefect::none) : Twin(kCowLazy), defect_(defect) {
        asked_.instead = {spec::ForkPolicy::eager, spec::SbrkPolicy::eager};
    }
    TargetSummary const& summary() const override { return asked_; }
    tl::expected<std::unique_ptr<Execution>, BootError> start() const override {
        return std::make_unique<TwinExecution>(spec::testing::shared_setting(*asked_.instead), defect_);
    }
    tl::expected<std::unique_ptr<Target>, BootError> reboot(spec::Profile profile, std::stop_token) const override {
        if (profile == kCowLazy) return std::make_unique<Unfinished>(defect_);
        return std::make_unique<Twin>(profile, defect_);
    }

  private:
    TargetSummary asked_;
    PlantedDefect defect_;
};

TEST(Session, OfALabThatWasNotDoneSaysSoAndGoesOnWithWhatTheKernelDoes) {
    SessionResult const result = result_of([] { return std::make_unique<Unfinished>(); }, quick());
    EXPECT_EQ(result.counts.programs, 128U);
    ASSERT_THAT(result.findings, SizeIs(2)) << "and nothing else";
    using Lab = spec::LabNotDone::Lab;
    for (auto const& [finding, lab] :
         {std::pair{&result.findings[0], Lab::copy_on_write}, std::pair{&result.findings[1], Lab::lazy_allocation}}) {
        EXPECT_TRUE(is_solid(*finding));
        ASSERT_THAT(finding->divergence.violations, SizeIs(1));
        auto const* facts = std::get_if<spec::LabNotDone>(&finding->divergence.violations.front().facts);
        ASSERT_NE(facts, nullptr);
        EXPECT_EQ(facts->lab, lab);
        EXPECT_GE(facts->pages, 3U);
    }
}

TEST(Session, WhatGoesWrongWhereALabWasToShowIsOneWithWhatProgramsFind) {
    auto const boot = [] { return std::make_unique<Unfinished>(PlantedDefect::guard_opened); };
    SessionResult const result = result_of(boot, quick());
    EXPECT_EQ(std::ranges::count_if(
                  result.findings,
                  [](Finding const& finding) { return finding.signature.invariant == spec::Invariant::rights; }),
              1);
}

TEST(Session, OfAKernelThatHasLostMemoryRightAfterBootRunsNothing) {
    Notes notes;
    auto const result = check(wrong_image([](auto& image) { image[kBss].mapped = false; }), quick(), notes);
    ASSERT_TRUE(result.has_value());
    EXPECT_THAT(result->boot_violations, SizeIs(1));
    EXPECT_EQ(result->counts.programs, 0U);
    EXPECT_THAT(notes.stages, ElementsAre("kernel"));
}

TEST(Session, OfAKernelThatDoesNotBootSaysWhy) {
    Notes notes;
    auto const result = check([] { return tl::unexpected(BootError{"It does not boot."}); }, quick(), notes);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().message, "It does not boot.");
    EXPECT_EQ(result.error().kind, BootError::Kind::kernel);
    EXPECT_THAT(notes.stages, IsEmpty());
}

// An emulator that fails sooner or later.
class BadEngine final : public Twin {
  public:
    BadEngine() : Twin(kCowLazy) {}
    tl::expected<std::unique_ptr<Execution>, BootError> start() const override {
        auto machine = std::make_unique<TwinExecution>(setting(), PlantedDefect::none);
        machine->engine_fails_after = 100;
        return machine;
    }
};

TEST(Session, AnEmulatorThatFailsIsAProblemOfTheMachineAndNoFinding) {
    Notes notes;
    auto const result = check([] { return std::make_unique<BadEngine>(); }, quick(), notes);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, BootError::Kind::machine);
    EXPECT_THAT(result.error().message, HasSubstr("the emulator failed, which says nothing about the kernel"));
}

// The user wants an end when all programs were run.
struct WantsAnEnd final : Observer {
    std::stop_source stop, last_call;
    bool at_once = false;
    void on_run() override {
        stop.request_stop();
        if (at_once) last_call.request_stop();
    }
};

TEST(Session, ThatIsEndedKeepsWhatItHasSeen) {
    for (bool const at_once : {false, true}) {
        WantsAnEnd user;
        user.at_once = at_once;
        Options options = quick();
        options.stop = user.stop.get_token();
        options.last_call = user.last_call.get_token();
        auto const result = check(toy(PlantedDefect::parent_keeps_write), options, user);
        ASSERT_TRUE(result.has_value());
        ASSERT_FALSE(result->findings.empty());
        Finding const& finding = result->findings.front();
        EXPECT_EQ(finding.shrink_executions, 0U);
        EXPECT_EQ(is_solid(finding), !at_once) << "there was time to run it again, or not";
        EXPECT_EQ(finding.attempts == 0, at_once);
        EXPECT_EQ(result->interrupted, at_once) << "what was seen and not run again is not checked to its end";
    }
}

TEST(Session, WhatQemuCannotTryIsSaidOfEachFinding) {
    Notes notes;
    Options options = quick();
    options.confirm = true;
    auto const result = check(toy(PlantedDefect::parent_keeps_write), options, notes);
    ASSERT_TRUE(result.has_value());
    ASSERT_THAT(result->findings, SizeIs(1));
    ASSERT_TRUE(result->findings.front().on_qemu.has_value()) << "the toy has no image to boot on QEMU";
    EXPECT_EQ(result->findings.front().on_qemu->state, QemuVerdict::State::not_tried);
    EXPECT_EQ(notes.stages.back(), "confirm 1 of 1");
}

TEST(RunOnce, ShowsAFailureThatCanThenBeMadeAFinding) {
    auto kernel = start(toy(PlantedDefect::parent_keeps_write), 1);
    ASSERT_TRUE(kernel.has_value());
    spec::Program const program = spec::parse("vmcheck 1\nprofile cow lazy\np0 store bss 1 = 1\np0 fork p1\n").value();
    auto run = run_once(*kernel, program, "a.vmc");
    ASSERT_TRUE(run.has_value());
    ASSERT_TRUE(run->divergence.has_value());
    auto const finding = make_finding(*kernel, {.run = std::move(*run)}, {});
    ASSERT_TRUE(finding.has_value());
    EXPECT_THAT(finding->original.steps, SizeIs(2));
    EXPECT_THAT(finding->program.steps, SizeIs(1));
    EXPECT_GT(finding->shrink_executions, 0U);
}

TEST(RunOnce, SaysWhatMachineTheProgramAsksForWhereThereIsNone) {
    auto kernel = start(toy(PlantedDefect::none), 1);
    ASSERT_TRUE(kernel.has_value());
    spec::Program const program = spec::parse("vmcheck 1\nprofile cow lazy\nmemory 30000\np0 fork p1\n").value();
    auto const run = run_once(*kernel, program, "a.vmc");
    ASSERT_FALSE(run.has_value());
    EXPECT_EQ(run.error().kind, BootError::Kind::kernel);
    EXPECT_EQ(run.error().message,
              "a.vmc cannot be run on this kernel, since it asks for `memory 30000`: The toy has fewer frames.");
}

// ---- arguments that do not matter

std::vector<std::string> free_in(PlantedDefect defect, std::string const& steps, unsigned jobs = 1) {
    auto kernel = start(toy(defect), jobs);
    auto run = run_once(*kernel, spec::parse("vmcheck 1\nprofile cow lazy\n" + steps).value(), "a.vmc");
    if (!run->divergence) return {"it does not fail"};
    auto const finding = make_finding(*kernel, {.run = std::move(*run)}, {.shrink = false});
    std::vector<std::string> words;
    for (FreeArgument const& each : finding->evidence.free) {
        EXPECT_GE(each.tried, 2U);
        words.push_back(fmt::format("{}: {}", each.at.value + 1,
                                    report::words_of(each, finding->program.steps.at(each.at.value).action)));
    }
    return words;
}

TEST(FreeArguments, AreThoseWithWhichItAlwaysFails) {
    EXPECT_THAT(free_in(PlantedDefect::wild_store_survives, "p0 fork p1\np1 store heap+8 4 = 7\n"),
                ElementsAre("2: any address in heap..heap+1p", "2: any value"));
    EXPECT_THAT(free_in(PlantedDefect::copyout_ignores_rights, "p0 sbrk +1p\np0 file_read rodata 8\n"),
                ElementsAre("1: any amount of 1 to 65536 bytes", "2: any address in rodata..rodata+1p",
                            "2: any length of 1 to 500 bytes"));
}

TEST(FreeArguments, AreNotThoseOnWhichItDepends) {
    EXPECT_THAT(free_in(PlantedDefect::wrong_exit_status, "p0 fork p1\np1 exit 300\np0 wait data+8\n"),
                ElementsAre("3: any address in data..data+1p"));
    EXPECT_THAT(free_in(PlantedDefect::wrong_exit_status, "p0 fork p1\np1 exit 300\np0 wait data+0xffe\n"), IsEmpty())
        << "across a page border is another matter";
    EXPECT_THAT(free_in(PlantedDefect::break_off_by_one, "p0 sbrk +1p\np0 fork p1\np1 load brk 1\n"), IsEmpty())
        << "with 1 byte the break lies within a page; and nobody knows where in it an address at the break is";
}

TEST(FreeArguments, AreTheSameOnThreeMachines) {
    std::string const steps = "p0 sbrk +1p\np0 fork p1\np1 exit 300\np0 wait data\n";
    EXPECT_EQ(free_in(PlantedDefect::wrong_exit_status, steps, 3), free_in(PlantedDefect::wrong_exit_status, steps));
}

TEST(SbrkModes, AreSaidWhereTheKernelMustBeToldAndIsToBeLazy) {
    spec::Program const program = spec::parse("vmcheck 1\nprofile cow lazy\np0 sbrk +1p\np0 sbrk +2p eager\n").value();
    spec::Setting setting = *spec::testing::shared_setting(kCowLazy);
    EXPECT_EQ(with_sbrk_modes(program, setting), program);
    setting.traits.sbrk_takes_mode = true;
    EXPECT_THAT(spec::print(with_sbrk_modes(program, setting)),
                AllOf(HasSubstr("p0 sbrk +1p lazy\n"), HasSubstr("p0 sbrk +2p eager\n")));
    setting.profile.sbrk = spec::SbrkPolicy::eager;
    EXPECT_EQ(with_sbrk_modes(program, setting), program);
}

}  // namespace
}  // namespace vmcheck::session
