#include "spec/testing/random_program.h"

#include "spec/advance.h"

#include <array>

namespace vmcheck::spec::testing {

namespace {

class Dice {
  public:
    explicit Dice(std::mt19937_64& random) : random_(random) {}

    // Uniform in [least, most].
    std::int64_t between(std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>{least, most}(random_);
    }
    bool one_in(unsigned n) { return n != 0 && between(1, n) == 1; }
    template <class T, std::size_t n>
    T any(std::array<T, n> const& choices) {
        return choices[static_cast<std::size_t>(between(0, n - 1))];
    }
    template <class T>
    T any(std::vector<T> const& choices) {
        return choices[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(choices.size()) - 1))];
    }
    std::uint64_t bits() { return random_(); }

  private:
    std::mt19937_64& random_;
};

Address random_address(Dice& dice) {
    constexpr std::array kWild = {Anchor::absolute,   Anchor::guard, Anchor::top,    Anchor::trapframe, Anchor::text,
                                  Anchor::trampoline, Anchor::maxva, Anchor::kernel, Anchor::rodata};
    constexpr std::array kTame = {Anchor::data, Anchor::bss, Anchor::heap, Anchor::heap, Anchor::heap, Anchor::brk};
    bool const wild = dice.one_in(5);
    Anchor const anchor = wild ? dice.any(kWild) : dice.one_in(8) ? Anchor::stack : dice.any(kTame);
    if (wild && dice.one_in(6)) return Address{Anchor::absolute, static_cast<std::int64_t>(dice.bits())};
    std::int64_t const near = dice.one_in(3) ? dice.between(-16, 16) : dice.between(0, 64);
    std::int64_t const pages = dice.one_in(2) ? 0 : dice.between(0, 3) * kPage;
    bool const below = anchor == Anchor::stack || anchor == Anchor::brk;
    std::int64_t const offset = below && !dice.one_in(4) ? -pages - near - 8 : pages + near;
    return Address{anchor, offset};
}

std::int64_t random_amount(Dice& dice) {
    constexpr std::int64_t kGiB = std::int64_t{1} << 30;
    constexpr std::array<std::int64_t, 18> kEdges = {0,
                                                     1,
                                                     -1,
                                                     kPage - 1,
                                                     kPage + 1,
                                                     -kPage - 1,
                                                     100 * kPage,
                                                     -100 * kPage,
                                                     kGiB,
                                                     2 * kGiB - 1,
                                                     2 * kGiB,
                                                     -2 * kGiB,
                                                     4 * kGiB,
                                                     4 * kGiB + kPage,
                                                     4 * kGiB - kPage,
                                                     256 * kGiB,
                                                     std::numeric_limits<std::int64_t>::max(),
                                                     std::numeric_limits<std::int64_t>::min()};
    if (dice.one_in(4)) return dice.any(kEdges);
    if (dice.one_in(3)) return dice.between(-3 * kPage, 3 * kPage);
    return dice.between(-2, 4) * kPage;
}

// A name that no process has had.
ProcId fresh_name(World const& world) {
    ProcId id{1};
    while (world.name_used(id)) ++id.value;
    return id;
}

ProcId random_process(World const& world, Dice& dice) {
    std::vector<ProcId> ids;
    for (auto const& [id, process] : world.processes()) ids.push_back(id);
    return dice.any(ids);
}

Action random_exec(Dice& dice) {
    constexpr std::array kPrograms = {Executable::init, Executable::large, Executable::large, Executable::broken};
    Executable const program = dice.any(kPrograms);
    if (dice.one_in(3)) return Exec{program};
    return Exec{program, dice.one_in(2) ? Address{Anchor::data, 256} : random_address(dice)};
}

Action random_action(World const& world, Dice& dice) {
    constexpr std::array<std::uint8_t, 4> kSizes = {1, 2, 4, 8};
    constexpr std::array kModes = {SbrkMode::by_profile, SbrkMode::by_profile, SbrkMode::eager, SbrkMode::lazy};
    auto const count = [&](std::int64_t most) { return static_cast<std::uint32_t>(dice.between(0, most)); };
    switch (dice.between(0, 23)) {
        case 0:
        case 1:
        case 2:
            return Fork{fresh_name(world)};
        case 3:
            return Exit{static_cast<std::int32_t>(dice.between(-300, 300))};
        case 4:
            return dice.one_in(4) ? Action{Wait{}} : Action{Wait{random_address(dice)}};
        case 5:
            return Kill{random_process(world, dice)};
        case 6:
        case 7:
        case 8:
            return Sbrk{random_amount(dice), dice.any(kModes)};
        case 9:
        case 10:
            return Load{random_address(dice), dice.any(kSizes)};
        case 11:
        case 12:
        case 13:
        case 14:
            return Store{random_address(dice), dice.any(kSizes), dice.bits()};
        case 15:
            return Touch{random_address(dice), 1 + count(3)};
        case 16:
            return PipeWrite{random_address(dice), count(dice.one_in(4) ? 5000 : 24)};
        case 17:
            return PipeRead{random_address(dice), count(24)};
        case 18:
            return FileRead{random_address(dice), count(dice.one_in(2) ? 5000 : 24)};
        case 19:
            return Fstat{random_address(dice)};
        case 20:
            return Pipe{random_address(dice)};
        case 21:
            return Open{dice.one_in(2) ? Address{Anchor::rodata, 16 * dice.between(0, 2)} : random_address(dice)};
        case 22:
            if (dice.one_in(4)) return Yield{};
            return dice.one_in(2) ? random_exec(dice) : Action{SetSp{random_address(dice)}};
        default:
            break;
    }
    return Fetch{dice.one_in(2) ? Address{Anchor::text, 2 * dice.between(0, 100)} : random_address(dice)};
}

}  // namespace

Step random_unchecked_step(World const& world, std::mt19937_64& random) {
    Dice dice{random};
    ProcId const actor = dice.one_in(20) ? random_process(world, dice) : dice.any(world.running());
    return Step{actor, random_action(world, dice), Faults{}};
}

Step random_step(World const& world, std::mt19937_64& random, StepTaste taste) {
    constexpr int kTries = 100;
    Dice dice{random};
    for (int i = 0; i < kTries; ++i) {
        Step step{dice.any(world.running()), random_action(world, dice), Faults{}};
        if (why_not(world, step)) continue;
        if (dice.one_in(taste.failing_allocation_one_in))
            step.faults.oom = static_cast<std::uint32_t>(dice.between(1, 6));
        return step;
    }
    return Step{kInit, SetSp{Address{Anchor::stack, -64}}, Faults{}};
}

}  // namespace vmcheck::spec::testing
