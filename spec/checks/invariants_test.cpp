// Each invariant is silent on a good picture, and fires when exactly its own promise is broken in it by hand.

#include "spec/invariants.h"

#include "spec/adopt.h"
#include "spec/testing/judging.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace vmcheck::spec {
namespace {

using namespace testing;

constexpr Rights kUserData{true, true, false, true};
constexpr Rights kUserShared{true, false, false, true};

// A machine drawn by hand: every field may be spoilt.
class Drawing : public MachineMemory {
  public:
    std::span<std::byte const, kPageBytes> bytes(FrameNo frame) const override { return frames.at(frame); }
    std::optional<bool> on_free_list(FrameNo frame) const override {
        return list_known ? std::optional{free.contains(frame)} : std::nullopt;
    }
    std::optional<std::int64_t> reference_count(FrameNo frame) const override {
        return counts_known ? std::optional{counts.at(frame)} : std::nullopt;
    }

    // Maps a page to a frame that it makes up, or to one that is there.
    ObservedPage& map(std::size_t process, Vpn page, FrameNo frame, Rights rights) {
        auto& pages = observation.processes.at(process).pages;
        pages.push_back(ObservedPage{page, frame, rights, true});
        std::sort(pages.begin(), pages.end(),
                  [](ObservedPage const& a, ObservedPage const& b) { return a.page < b.page; });
        frames.try_emplace(frame);
        ++counts[frame];
        return *pte(process, page);
    }
    ObservedPage* pte(std::size_t process, Vpn page) {
        for (ObservedPage& each : observation.processes.at(process).pages)
            if (each.page == page) return &each;
        return nullptr;
    }
    void unmap(std::size_t process, Vpn page) {
        auto& pages = observation.processes.at(process).pages;
        std::erase_if(pages, [&](ObservedPage const& each) { return each.page == page; });
    }

    Observation observation;
    std::map<FrameNo, PageBytes> frames;
    std::map<FrameNo, std::int64_t> counts;
    std::set<FrameNo> free;
    bool list_known = true;
    bool counts_known = true;
};

// The picture that a correct kernel shows of a World: cow shares by logical frame, what may be either is mapped.
class GoodPicture : public Drawing {
  public:
    explicit GoodPicture(World const& world) {
        observation.memory = this;
        std::uint64_t next = 0x90000;
        std::map<LogicalFrame, FrameNo> placed;
        std::map<LogicalFrame, int> sharers;
        for (ProcId id : world.running())
            for (auto const& [vpn, page] : world.find(id)->space->pages) ++sharers[page.frame];
        for (ProcId id : world.running()) {
            std::size_t const index = observation.processes.size();
            observation.processes.push_back(ObservedProcess{id, false, {}, {FrameNo{next}, FrameNo{next + 1}}, {}});
            Layout const& layout = world.setting().layout;
            map(index, layout.trapframe.page(), FrameNo{next + 2}, Rights{true, true, false, false});
            map(index, layout.trampoline.page(), FrameNo{0x80000}, Rights{true, false, true, false});
            next += 3;
            for (auto const& [vpn, page] : world.find(id)->space->pages) {
                auto const [place, fresh] = placed.try_emplace(page.frame, FrameNo{next});
                next += fresh ? 1 : 0;
                Rights rights = page.rights;
                if (sharers[page.frame] > 1) rights.write = false;
                map(index, vpn, place->second, rights);
                if (page.contents) frames[place->second] = *page.contents;
            }
        }
        observation.census.free = 1000;
        observation.zombies.emplace();
        for (auto const& [id, process] : world.processes())
            if (process.life == Life::zombie) observation.zombies->push_back(id);
    }
};

// p0 and its child p1, with two touched heap pages and one that was never touched.
World family(Profile profile) {
    Story story{profile};
    story.then(by(0, Sbrk{std::int64_t{3} * 4096}), returned(0x7000)).then(by(0, Store{heap(), 8, 7}), returned(0));
    story.then(by(0, Store{heap(4096), 8, 8}), returned(0)).then(by(0, Fork{ProcId{1}}), forked(2));
    return story.world();
}

constexpr Vpn kHeapPage{7};
constexpr Vpn kUntouched{9};
constexpr Vpn kText{1};
constexpr Vpn kGuard{5};
constexpr FrameNo kElsewhere{0xa0000};

// The numbers of the invariants that inspect() finds broken.
std::set<int> broken_in(World const& world, Drawing const& drawing, std::optional<Baseline> baseline = std::nullopt) {
    CheckCounts counts;
    std::set<int> numbers;
    for (Violation const& violation : inspect(world, drawing.observation, baseline, counts)) {
        numbers.insert(static_cast<int>(violation.invariant));
        EXPECT_EQ(violation.address.has_value(), violation.place.has_value());
    }
    return numbers;
}

// What inspect() finds of one invariant.
std::vector<Violation> broken(Invariant invariant, World const& world, Drawing const& drawing,
                              std::optional<Baseline> baseline = std::nullopt) {
    CheckCounts counts;
    auto violations = inspect(world, drawing.observation, baseline, counts);
    std::erase_if(violations, [&](Violation const& each) { return each.invariant != invariant; });
    return violations;
}

using Numbers = std::set<int>;

TEST(AGoodPicture, BreaksNothing) {
    for (Profile profile : kAllProfiles) {
        World const world = family(profile);
        GoodPicture const good{world};
        CheckCounts counts;
        auto const baseline = take_baseline(world, good.observation);
        ASSERT_TRUE(baseline);
        EXPECT_TRUE(inspect(world, good.observation, baseline, counts).empty());
        for (std::size_t i : {1u, 2u, 3u, 4u, 5u, 6u, 8u}) EXPECT_EQ(counts.evaluated[i], 1u) << "I" << i;
        for (std::uint64_t skipped : counts.skipped) EXPECT_EQ(skipped, 0u);
    }
}

TEST(I1, FiresOnOneWrongByte) {
    World const world = family(kCowLazy);
    GoodPicture bad{world};
    bad.frames[bad.pte(1, kHeapPage)->frame][9] = std::byte{0x55};
    auto const violations = broken(Invariant::contents, world, bad);
    ASSERT_EQ(violations.size(), 1u) << "a frame that two processes share is compared once";
    EXPECT_EQ(violations[0].address, VirtAddr{0x7009});
    EXPECT_EQ(violations[0].place, (Address{Anchor::heap, 9}));
    auto const& wrong = std::get<WrongByte>(violations[0].facts);
    EXPECT_EQ(wrong.expected, std::byte{0});
    EXPECT_EQ(wrong.seen, std::byte{0x55});
    EXPECT_EQ(wrong.sharers.all, 2u);
}

TEST(I1, FiresOnALostPageAndOnALostProcess) {
    World const world = family(kCowLazy);
    GoodPicture bad{world};
    bad.unmap(1, kHeapPage);
    EXPECT_EQ(broken_in(world, bad), Numbers({1, 4})) << "the frame is still counted twice";
    GoodPicture worse{world};
    worse.observation.processes.pop_back();
    EXPECT_EQ(broken(Invariant::contents, world, worse).size(), 1u);
    GoodPicture outside{world};
    outside.pte(1, kHeapPage)->in_ram = false;
    EXPECT_EQ(broken(Invariant::contents, world, outside).size(), 1u);
}

TEST(I2, FiresOnEveryWrongRight) {
    World const world = family(kCowLazy);
    auto const with_rights = [&](Vpn page, Rights rights) {
        GoodPicture bad{world};
        bad.pte(1, page)->rights = rights;
        return broken(Invariant::rights, world, bad).size();
    };
    EXPECT_EQ(with_rights(kText, Rights{true, true, true, true}), 1u) << "text writable";
    EXPECT_EQ(with_rights(kText, Rights{true, false, false, true}), 1u) << "text not executable";
    EXPECT_EQ(with_rights(kText, Rights{false, false, true, true}), 1u) << "text not readable";
    EXPECT_EQ(with_rights(kText, Rights{true, false, true, false}), 1u) << "text not the user's";
    EXPECT_EQ(with_rights(kHeapPage, Rights{true, false, true, true}), 1u) << "heap executable";
    EXPECT_EQ(with_rights(kGuard, kUserShared), 1u) << "guard open";
    EXPECT_EQ(with_rights(kHeapPage, kUserShared), 0u) << "W may wait for the first store";
}

TEST(I2, LeavesXOfTheHeapFreeWhereTheVintageMapsAllWithIt) {
    Setting setting = small_setting(kCowLazy);
    setting.layout.heap_rights.execute = true;
    Story story{setting};
    story.then(by(0, Sbrk{4096}), returned(0x7000)).then(by(0, Store{heap(), 8, 7}), returned(0));
    GoodPicture picture{story.world()};
    EXPECT_TRUE(picture.pte(0, kHeapPage)->rights.execute);
    EXPECT_TRUE(broken_in(story.world(), picture).empty());
    picture.pte(0, kHeapPage)->rights.execute = false;
    EXPECT_TRUE(broken_in(story.world(), picture).empty());
    picture.pte(0, kText)->rights.execute = false;
    EXPECT_EQ(broken_in(story.world(), picture), Numbers({2})) << "not so of the code";
}

TEST(I2, CallsTheGuardPageByItsName) {
    World const world = family(kCowLazy);
    auto const fault_of = [&](GoodPicture const& bad) {
        return std::get<WrongRights>(broken(Invariant::rights, world, bad).at(0).facts).what;
    };
    GoodPicture guard{world};
    guard.pte(0, kGuard)->rights.user = true;
    EXPECT_EQ(fault_of(guard), WrongRights::What::guard_opened);
    GoodPicture trapframe{world};
    trapframe.pte(0, world.setting().layout.trapframe.page())->rights.user = true;
    EXPECT_EQ(fault_of(trapframe), WrongRights::What::outside_memory);
}

TEST(I2, FiresOnPagesOutsideTheMemory) {
    World const world = family(kCowLazy);
    for (Vpn page : {Vpn{10}, Vpn{1000}, world.setting().layout.top.page()}) {
        GoodPicture bad{world};
        if (ObservedPage* const pte = bad.pte(0, page))
            pte->rights.user = true;
        else
            bad.map(0, page, kElsewhere, kUserShared);
        EXPECT_EQ(broken(Invariant::rights, world, bad).size(), 1u);
    }
    GoodPicture fine{world};
    fine.map(0, Vpn{1000}, kElsewhere, Rights{true, true, false, false});
    EXPECT_TRUE(broken(Invariant::rights, world, fine).empty()) << "without U it is the kernel's own business";
}

TEST(I3, FiresWhenASharedFrameCanBeWritten) {
    World const world = family(kCowLazy);
    GoodPicture bad{world};
    bad.pte(0, kHeapPage)->rights = kUserData;
    EXPECT_EQ(broken_in(world, bad), Numbers({3}));
}

TEST(I3, CountsOnesOwnPages) {
    World const world = family(kCowEager);
    GoodPicture bad{world};
    bad.map(0, Vpn{20}, kElsewhere, kUserData);
    EXPECT_TRUE(broken(Invariant::isolation, world, bad).empty());
    bad.map(0, Vpn{21}, kElsewhere, kUserShared);
    EXPECT_EQ(broken(Invariant::isolation, world, bad).size(), 1u);
}

TEST(I3, LetsAZombieKeepWhatItHad) {
    World const world = family(kCowLazy);
    GoodPicture picture{world};
    picture.observation.processes.push_back(ObservedProcess{ProcId{9}, true, {}, {}, {}});
    FrameNo const frame = picture.pte(0, kHeapPage)->frame;
    picture.map(2, kHeapPage, frame, kUserData);
    EXPECT_TRUE(broken_in(world, picture).empty()) << "it does not run again, and cannot write";
    picture.unmap(1, kHeapPage);
    picture.pte(0, kHeapPage)->rights = kUserData;
    EXPECT_TRUE(broken(Invariant::isolation, world, picture).empty()) << "nor does it read";
    --picture.counts[frame];
    EXPECT_TRUE(broken(Invariant::counts, world, picture).empty());
    picture.counts[frame] = 1;
    EXPECT_EQ(broken(Invariant::counts, world, picture).size(), 1u) << "but its reference counts";
}

// p0 and p1, each with a page below the trapframe.
struct WithUsyscall {
    World world = [] {
        Story story{with_usyscall(small_setting(kCowLazy))};
        story.then(by(0, Fork{ProcId{1}}), forked(2));
        return story.world();
    }();
    GoodPicture picture{world};
    Vpn page = world.setting().layout.top.page();
};

TEST(Usyscall, IsAPageOfOnesOwn) {
    WithUsyscall family;
    EXPECT_NE(family.picture.pte(0, family.page)->frame, family.picture.pte(1, family.page)->frame);
    family.picture.frames[family.picture.pte(1, family.page)->frame].fill(std::byte{0x77});
    EXPECT_EQ(broken_in(family.world, family.picture), Numbers({})) << "what it holds is the kernel's own";
}

TEST(Usyscall, SharedByTwoItGivesOneAWrongPid) {
    for (int held : {1, 2, 3}) {
        WithUsyscall family;
        FrameNo const frame = family.picture.pte(0, family.page)->frame;
        family.picture.pte(1, family.page)->frame = frame;
        family.picture.frames[frame][0] = static_cast<std::byte>(held);
        family.picture.counts[frame] = 2;
        auto const violations = broken(Invariant::isolation, family.world, family.picture);
        ASSERT_EQ(violations.size(), held <= 2 ? 1U : 0U) << "3 is nobody's pid: the kernel shows something else there";
        if (held > 2) continue;
        EXPECT_EQ(violations.front().process, ProcId{static_cast<std::uint32_t>(held - 1)});
        EXPECT_EQ(violations.front().place, (Address{Anchor::trapframe, -4096}));
        EXPECT_EQ(std::get<UsyscallShared>(violations.front().facts).sharers.all, 2U);
    }
}

TEST(Usyscall, IsReadOnlyAndThereInEveryProcess) {
    WithUsyscall writable;
    writable.picture.pte(1, writable.page)->rights.write = true;
    EXPECT_EQ(broken_in(writable.world, writable.picture), Numbers({2}));
    WithUsyscall executable;
    executable.picture.pte(0, executable.page)->rights.execute = true;
    EXPECT_EQ(broken_in(executable.world, executable.picture), Numbers({2}));
    WithUsyscall lost;
    lost.picture.unmap(1, lost.page);
    EXPECT_EQ(broken_in(lost.world, lost.picture), Numbers({1}));
}

TEST(I4, FiresWhenACountIsNotTheNumberOfReferences) {
    World const world = family(kCowLazy);
    for (int wrong : {1, 3}) {
        GoodPicture bad{world};
        bad.counts[bad.pte(1, kHeapPage)->frame] = wrong;
        EXPECT_EQ(broken_in(world, bad), Numbers({4}));
    }
}

TEST(I4, IsSkippedVisiblyWithoutCounts) {
    World const world = family(kCowLazy);
    GoodPicture blind{world};
    blind.counts_known = false;
    blind.list_known = false;
    blind.observation.census.free.reset();
    CheckCounts counts;
    EXPECT_TRUE(inspect(world, blind.observation, std::nullopt, counts).empty());
    for (std::size_t i : {4u, 5u, 6u}) EXPECT_EQ(counts.skipped[i], 1u) << "I" << i;
    for (std::size_t i : {4u, 5u, 6u}) EXPECT_EQ(counts.evaluated[i], 0u) << "I" << i;
}

TEST(I4AndI6, AreSkippedWhileZombiesAreInvisible) {
    Story story{kCowLazy};
    story.then(by(0, Fork{ProcId{1}}), forked(2)).then(by(1, Exit{0}), ended());
    GoodPicture blind{story.world()};
    blind.observation.zombies.reset();
    for (auto& [frame, count] : blind.counts) count = 2;
    CheckCounts counts;
    EXPECT_TRUE(inspect(story.world(), blind.observation, Baseline{1}, counts).empty());
    EXPECT_EQ(counts.skipped[4], 1u);
    EXPECT_EQ(counts.skipped[6], 1u);
}

TEST(I5, FiresWhenAFrameInUseIsFree) {
    World const world = family(kCowLazy);
    GoodPicture mapped{world};
    mapped.free.insert(mapped.pte(1, kHeapPage)->frame);
    EXPECT_EQ(broken_in(world, mapped), Numbers({5}));
    EXPECT_EQ(broken(Invariant::dangling, world, mapped).at(0).address, start_of(kHeapPage));
    GoodPicture table{world};
    table.free.insert(table.observation.processes[1].table_frames[1]);
    EXPECT_EQ(broken_in(world, table), Numbers({5}));
    EXPECT_FALSE(broken(Invariant::dangling, world, table).at(0).address);
    GoodPicture registers{world};
    registers.free.insert(registers.pte(0, world.setting().layout.trapframe.page())->frame);
    EXPECT_EQ(broken_in(world, registers), Numbers({5}));
    GoodPicture trampoline{world};
    trampoline.free.insert(FrameNo{0x80000});
    EXPECT_EQ(broken_in(world, trampoline), Numbers({})) << "the trampoline is no frame of the allocator";
}

TEST(I5, FiresWhenAFrameHasTwoRoles) {
    World const world = family(kCowLazy);
    GoodPicture table_and_page{world};
    table_and_page.observation.processes[0].table_frames[1] = table_and_page.pte(1, kHeapPage)->frame;
    EXPECT_EQ(broken_in(world, table_and_page), Numbers({5}));
    GoodPicture two_tables{world};
    two_tables.observation.processes[0].table_frames[1] = two_tables.observation.processes[1].table_frames[1];
    EXPECT_EQ(broken_in(world, two_tables), Numbers({5}));
    GoodPicture two_trapframes{world};
    Vpn const trapframe = world.setting().layout.trapframe.page();
    two_trapframes.pte(0, trapframe)->frame = two_trapframes.pte(1, trapframe)->frame;
    EXPECT_EQ(broken_in(world, two_trapframes), Numbers({5}));
}

TEST(I5, FiresOnBrokenStructures) {
    World const world = family(kCowLazy);
    GoodPicture list{world};
    list.observation.free_list_broken = "a cycle after 12 frames";
    EXPECT_EQ(broken_in(world, list), Numbers({5}));
    GoodPicture table{world};
    table.observation.processes[1].broken = "an entry points at its own table";
    table.observation.processes[1].pages.clear();
    EXPECT_TRUE(broken_in(world, table).contains(5));
    EXPECT_FALSE(broken_in(world, table).contains(1));
}

TEST(I6, FiresOnLostAndOnInventedFrames) {
    World const world = family(kCowLazy);
    GoodPicture const good{world};
    auto const baseline = take_baseline(world, good.observation);
    for (int difference : {-2, 3}) {
        GoodPicture bad{world};
        *bad.observation.census.free += static_cast<std::uint64_t>(difference);
        auto const violations = broken(Invariant::conservation, world, bad, baseline);
        ASSERT_EQ(violations.size(), 1u);
        auto const& total = std::get<WrongTotal>(violations[0].facts);
        EXPECT_EQ(static_cast<int>(total.seen) - static_cast<int>(total.expected), difference);
    }
}

TEST(I6, CountsWhatAProcessHoldsBesidesItsTables) {
    Setting setting = small_setting(kCowLazy);
    setting.traits.frames_per_process = 2;
    Story story{setting};
    auto const baseline = take_baseline(story.world(), GoodPicture{story.world()}.observation);
    story.then(by(0, Fork{ProcId{1}}), forked(2));
    GoodPicture with_child{story.world()};
    *with_child.observation.census.free -= 3 + 2;  // its tables, trapframe, and what nobody sees
    EXPECT_TRUE(broken(Invariant::conservation, story.world(), with_child, baseline).empty());
    *with_child.observation.census.free -= 1;
    EXPECT_EQ(broken(Invariant::conservation, story.world(), with_child, baseline).size(), 1u);
    story.then(by(1, Exit{0}), ended());
    for (std::uint64_t invisible : {0u, 2u}) {  // a zombie may still hold it or not
        GoodPicture with_zombie{story.world()};
        *with_zombie.observation.census.free -= invisible;
        EXPECT_TRUE(broken(Invariant::conservation, story.world(), with_zombie, baseline).empty());
    }
}

TEST(I7, FiresWhereTheBreakIsNotWhatSbrkSaysAndTellsHowItWasMoved) {
    constexpr std::int64_t kGiB = std::int64_t{1} << 30;
    using How = WrongBreak::How;
    // After an sbrk of p0 that returned this, with a heap of so much before.
    auto const how = [&](std::int64_t before, std::int64_t bytes, std::uint64_t returns, std::uint64_t seen) {
        Story story{kCowLazy};
        if (before != 0) story.then(by(0, Sbrk{before}), returned(kHeap));
        World const old = story.world();
        Step const step = by(0, Sbrk{bytes});
        story.then(step, returned(returns));
        GoodPicture picture{story.world()};
        picture.observation.processes[0].brk = story.world().find(kInit)->space->brk.value;
        EXPECT_EQ(broken_in(story.world(), picture), Numbers{});
        picture.observation.processes[0].brk = seen;
        auto violations = broken(Invariant::results, story.world(), picture);
        EXPECT_EQ(violations.size(), 1U);
        explain_breaks(old, step, violations);
        return std::get<WrongBreak>(violations.at(0).facts).how;
    };
    EXPECT_EQ(how(0, 4096, kHeap, kHeap + 8192), How::twice);
    EXPECT_EQ(how(4096, -4096, kHeap + 4096, kHeap - 4096), How::twice);
    EXPECT_EQ(how(0, 4096, kHeap, kHeap), How::other);
    EXPECT_EQ(how(0, 2 * kGiB - 1, kHeap, (kHeap + 2 * kGiB - 1) | 0xffff'ffff'0000'0000), How::wraps) << "an int";
    EXPECT_EQ(how(2 * kGiB - 1, 2 * kGiB - 1, kHeap + 2 * kGiB - 1, kHeap - 2), How::wraps) << "an unsigned int";
    EXPECT_EQ(how(0, -0x8000, kMinus1, kHeap - 0x8000), How::below_zero);
    EXPECT_EQ(how(0, -0x8000, kHeap, 0xffff'f000), How::below_zero) << "an unsigned int";
    EXPECT_EQ(how(0, 2 * kGiB - 1, kMinus1, kHeap + 2 * kGiB - 1), How::failed);
}

TEST(Adoption, OfWhatIsLostGoesOnAndKnowsItWhenItComesBack) {
    Story const story{kCowLazy};
    World const& world = story.world();
    GoodPicture picture{world};
    auto const baseline = take_baseline(world, picture.observation);
    auto const lost = [&](std::uint64_t frames, std::optional<Baseline> const& since) {
        picture.observation.census.free = 1000 - frames;
        return broken(Invariant::conservation, world, picture, since);
    };
    Outcome const outcome = returned(0);
    auto const adopt = [&](Step const& step, std::vector<Violation> const& violations) {
        FrameCensus const& census = picture.observation.census;
        return adopt_state({world, step, outcome, census}, world, violations, picture.observation, baseline);
    };
    auto const adopted = adopt(by(0, Exec{}), lost(2, baseline));
    ASSERT_TRUE(adopted.has_value());
    EXPECT_TRUE(lost(2, adopted->baseline).empty());
    EXPECT_TRUE(lost(0, adopted->baseline).empty()) << "a pipe left open, which is closed at the process's end";
    EXPECT_EQ(lost(3, adopted->baseline).size(), 1U) << "another one";
    EXPECT_TRUE(lost(1, adopted->baseline).empty());
    auto const found = without_found(*adopted->baseline, world, picture.observation);
    EXPECT_EQ(lost(2, found).size(), 1U) << "one was not lost any more";
    EXPECT_FALSE(adopt(by(0, Pipe{heap()}), lost(2, baseline)).has_value()) << "its descriptors may be open";
    picture.observation.census.free = 1001;
    auto const too_many = broken(Invariant::conservation, world, picture, baseline);
    EXPECT_FALSE(adopt(by(0, Exec{}), too_many).has_value());
}

TEST(Adoption, OfAWrongResultIsOfTheOneRightStateThatTheMachineIsIn) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{4096}), returned(0x7000));
    World const& world = story.world();
    GoodPicture picture{world};
    auto const adopted = [&](Action const& action, Outcome const& outcome) {
        Step const step = by(0, action);
        return adopt_answer({world, step, outcome, picture.observation.census}, picture.observation, std::nullopt);
    };
    EXPECT_EQ(adopted(Fstat{at(Anchor::guard)}, returned(0)).value().world, world) << "accepted, and nothing written";
    EXPECT_FALSE(adopted(Sbrk{4096}, returned(5)).has_value()) << "nobody knows where the break is";
    picture.observation.processes[0].brk = 0x9000;
    EXPECT_EQ(adopted(Sbrk{4096}, returned(5)).value().world.find(kInit)->space->brk, VirtAddr{0x9000});
    EXPECT_FALSE(adopted(Sbrk{8192}, returned(5)).has_value());
    picture.observation.processes[0].brk.reset();
    EXPECT_FALSE(adopted(PipeWrite{at(Anchor::data), 1}, returned(7)).has_value()) << "what is in the pipe?";
}

TEST(Adoption, OfJunkIsAsIfItHadBeenThereBefore) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{4096}), returned(0x7000));
    World const world = story.world();
    Step const write = by(0, PipeWrite{heap(), 2});
    GoodPicture picture{story.then(write, returned(2)).world()};
    picture.frames[picture.pte(0, kHeapPage)->frame].fill(std::byte{5});
    FrameCensus const& census = picture.observation.census;
    auto const violations = broken(Invariant::contents, story.world(), picture);
    Outcome const wrote = returned(2);
    auto const adopted =
        adopt_state({world, write, wrote, census}, story.world(), violations, picture.observation, std::nullopt);
    ASSERT_TRUE(adopted.has_value());
    EXPECT_EQ(adopted->world.pipe(), (std::vector<PipeContents>{{std::byte{5}, std::byte{5}}}));
    Outcome const loaded = returned(5);
    auto const behind = [&](Step const& step) {
        return junk_read({world, step, loaded, census}, picture.observation).size();
    };
    EXPECT_EQ(behind(by(0, Load{heap(), 1})), 1U);
    EXPECT_EQ(behind(by(0, FileRead{heap(), 1})), 0U) << "it may have left it there";
}

TEST(I7, FiresWhenNobodyCanWaitForAChildAnyMore) {
    Story story{kCowLazy};
    story.then(by(0, Fork{ProcId{1}}), forked(2)).then(by(1, Exit{0}), ended());
    GoodPicture lost{story.world()};
    EXPECT_EQ(broken_in(story.world(), lost), Numbers{});
    lost.observation.zombies->clear();
    auto const violations = broken(Invariant::results, story.world(), lost);
    ASSERT_EQ(violations.size(), 1u);
    EXPECT_EQ(violations[0].process, ProcId{1});
    EXPECT_TRUE(std::holds_alternative<ChildLost>(violations[0].facts));
}

TEST(I8, FiresWhenForkCopies) {
    World const world = family(kCowLazy);
    GoodPicture bad{world};
    FrameNo const original = bad.pte(0, kHeapPage)->frame;
    bad.unmap(1, kHeapPage);
    bad.map(1, kHeapPage, kElsewhere, kUserData);
    bad.frames[kElsewhere] = bad.frames[original];
    --bad.counts[original];
    EXPECT_EQ(broken_in(world, bad), Numbers({8}));
    EXPECT_EQ(std::get<Copied>(broken(Invariant::laziness, world, bad)[0].facts).frames, 1u);
}

TEST(I8, FiresWhenAReservedPageIsMapped) {
    World const world = family(kCowLazy);
    GoodPicture bad{world};
    bad.map(0, kUntouched, kElsewhere, kUserData);
    EXPECT_EQ(broken_in(world, bad), Numbers({8}));
    bad.frames[kElsewhere][0] = std::byte{1};
    EXPECT_EQ(broken_in(world, bad), Numbers({1, 8})) << "and it is not even zero";
}

TEST(I8, DoesNotLookWhereNothingIs) {
    World const world = family(kCowLazy);
    GoodPicture bad{world};
    bad.map(0, kUntouched, kElsewhere, kUserData).in_ram = false;
    bad.frames.erase(kElsewhere);
    EXPECT_EQ(broken_in(world, bad), Numbers({8}));
}

TEST(I8, FiresWhenEagerSbrkMapsNothing) {
    World const world = family(kCowEager);
    GoodPicture bad{world};
    for (std::size_t process : {0u, 1u}) bad.unmap(process, kUntouched);
    EXPECT_EQ(broken_in(world, bad), Numbers({8}));
    GoodPicture lost{world};
    for (std::size_t process : {0u, 1u}) lost.unmap(process, kHeapPage);
    EXPECT_EQ(broken_in(world, lost), Numbers({1})) << "something was stored there: it is lost";
}

TEST(Inspect, SaysNothingOfAWorldThatIsOver) {
    Story story{kCowLazy};
    story.then(by(0, Store{at(Anchor::bss), 8, 1}), ended(), kNothingFree);
    Observation const empty;
    CheckCounts counts;
    EXPECT_TRUE(inspect(story.world(), empty, Baseline{1}, counts).empty());
}

TEST(Names, AreThoseOfTheDesign) {
    EXPECT_EQ(short_name(Invariant::contents), "I1");
    EXPECT_EQ(short_name(Invariant::containment), "I10");
    EXPECT_EQ(title(Invariant::isolation), "isolation");
    EXPECT_FALSE(promise(Invariant::laziness).empty());
}

TEST(Place, IsRelativeToTheRegionThatHoldsTheAddress) {
    Layout layout;
    layout.text = VirtAddr{0x1000};
    layout.rodata = VirtAddr{0x2000};
    layout.data = VirtAddr{0x3000};
    layout.bss = VirtAddr{0x4000};
    layout.guard = VirtAddr{0x5000};
    layout.stack = layout.heap = VirtAddr{0x7000};
    layout.trapframe = layout.top = VirtAddr{0x3fffffe000};
    layout.trampoline = VirtAddr{0x3ffffff000};
    layout.kernel = VirtAddr{0x80000000};
    auto const words = [&](std::uint64_t address) { return print(place_of(layout, VirtAddr{address})); };
    EXPECT_EQ(words(0x4008), "bss+0x8");
    EXPECT_EQ(words(0x6ff0), "stack-16");
    EXPECT_EQ(words(0x8000), "heap+1p");
    EXPECT_EQ(words(0x3fffffe000), "trapframe");
    EXPECT_EQ(words(0x80000000), "0x80000000");
    EXPECT_EQ(words(0x10), "0x10");
}

}  // namespace
}  // namespace vmcheck::spec
