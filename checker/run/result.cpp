#include "checker/run/result.h"

#include "spec/answer.h"

#include <fmt/core.h>

#include <array>
#include <utility>

namespace vmcheck::run {

namespace {

Symptom symptom_of(spec::WrongAnswer const& answer) {
    using spec::Mistake;
    if (std::holds_alternative<spec::Ended>(answer.seen.what)) return Symptom::killed;
    switch (answer.mistake) {
        case Mistake::panicked:
            return Symptom::died;
        case Mistake::never_ended:
        case Mistake::slept:
        case Mistake::sleeper_sleeps_on_after_kill:
        case Mistake::lost:
            return Symptom::no_end;
        case Mistake::init_killed:
        case Mistake::ended_other:
        case Mistake::killed_though_legal:
            return Symptom::killed;
        case Mistake::fork_failed:
        case Mistake::exec_failed:
        case Mistake::exec_of_large_failed:
        case Mistake::sbrk_failed:
        case Mistake::copy_failed_at_good_address:
        case Mistake::open_did_not_find:
        case Mistake::took_less_than_given:
            return Symptom::refused;
        case Mistake::survived_though_fatal:
        case Mistake::wait_stored_at_bad_address:
        case Mistake::exec_started_broken:
        case Mistake::exec_took_bad_arguments:
        case Mistake::sbrk_accepted:
        case Mistake::copyout_accepted:
        case Mistake::copyin_accepted:
        case Mistake::counted_unreadable:
        case Mistake::counted_unwritable:
        case Mistake::open_took_bad_path:
            return Symptom::accepted;
        default:
            break;
    }
    // A copy that fails though it must not.
    auto const* returned = std::get_if<spec::Returned>(&answer.seen.what);
    return returned && returned->value == spec::kFailed ? Symptom::refused : Symptom::wrong_result;
}

}  // namespace

std::string to_string(Signature signature) {
    return fmt::format("{} {}", spec::short_name(signature.invariant), spec::kind_name(signature.kind));
}

std::vector<Run> endings(Run run) {
    std::vector<Run> all;
    for (Divergence& passed : std::exchange(run.passed, {})) {
        Run& ending = all.emplace_back(run);
        ending.program.steps.resize(passed.at.value + 1);
        if (ending.records.size() > ending.program.steps.size()) ending.records.resize(ending.program.steps.size());
        ending.divergence = std::move(passed);
    }
    if (run.divergence) all.push_back(std::move(run));
    return all;
}

Symptom symptom_of(spec::Violation const& violation) {
    struct Visitor {
        Symptom operator()(spec::NoPageTable const&) const { return Symptom::wrong_bytes; }
        Symptom operator()(spec::PageLost const&) const { return Symptom::wrong_bytes; }
        Symptom operator()(spec::WrongByte const&) const { return Symptom::wrong_bytes; }
        Symptom operator()(spec::WrongRights const&) const { return Symptom::wrong_rights; }
        Symptom operator()(spec::WritableShared const&) const { return Symptom::writable_shared; }
        Symptom operator()(spec::UsyscallShared const&) const { return Symptom::writable_shared; }
        Symptom operator()(spec::WrongCount const& count) const {
            return count.seen > count.expected ? Symptom::kept : Symptom::freed_early;
        }
        Symptom operator()(spec::FreeListBroken const&) const { return Symptom::freed_early; }
        Symptom operator()(spec::TableBroken const&) const { return Symptom::freed_early; }
        Symptom operator()(spec::TwoRoles const&) const { return Symptom::freed_early; }
        Symptom operator()(spec::FreeInUse const&) const { return Symptom::freed_early; }
        Symptom operator()(spec::WrongTotal const& total) const {
            return total.seen < total.expected ? Symptom::kept : Symptom::freed_early;
        }
        Symptom operator()(spec::MappedEarly const&) const { return Symptom::not_lazy; }
        Symptom operator()(spec::NotMapped const&) const { return Symptom::not_lazy; }
        Symptom operator()(spec::Copied const&) const { return Symptom::not_lazy; }
        Symptom operator()(spec::LabNotDone const&) const { return Symptom::lab_not_done; }
        Symptom operator()(spec::ChildLost const&) const { return Symptom::child_lost; }
        Symptom operator()(spec::WrongBreak const& wrong) const {
            constexpr std::array kHow{Symptom::break_wraps, Symptom::break_below_zero, Symptom::break_moved_twice,
                                      Symptom::break_moved_by_failure, Symptom::wrong_break};
            return kHow.at(static_cast<std::size_t>(wrong.how));
        }
        Symptom operator()(spec::WrongAnswer const& answer) const { return symptom_of(answer); }
        Symptom operator()(spec::NeedlessKill const&) const { return Symptom::refused; }
        Symptom operator()(spec::GrowsOverTrapframe const&) const { return Symptom::accepted; }
    };
    return std::visit(Visitor{}, violation.facts);
}

Family family_of(Run const& run) {
    return family_of(*run.divergence, run.program.steps.at(run.divergence->at.value));
}

Family family_of(Divergence const& divergence, spec::Step const& failed) {
    Family family{.symptom = symptom_of(divergence.violations.front()),
                  .way = spec::way_of(failed.action),
                  .circumstances = divergence.circumstances,
                  .advice = divergence.advice};
    // Only where the step is itself at fault does it matter what it accesses: a copy that fails by right is undone in
    // the same way wherever it failed.
    if (family.symptom == Symptom::child_lost) family.circumstances = {};
    // A wait that gives an address does two things: it copies, and gives back what the child had.
    bool const is_of_frames = family.symptom == Symptom::kept || family.symptom == Symptom::freed_early;
    // What is lost by a call that fails by right is lost wherever it failed.
    if (is_of_frames && family.circumstances.grounds.must_be_refused()) {
        family.circumstances.grounds = {};
        family.circumstances.crosses = false;
    }
    if (is_of_frames && std::holds_alternative<spec::Wait>(failed.action)) family.way = spec::Way::end;
    auto const* answer = std::get_if<spec::WrongAnswer>(&divergence.violations.front().facts);
    // A copy without memory that spoils the list of free frames has gone on, and written to one of them.
    bool const spoils_list = std::holds_alternative<spec::FreeListBroken>(divergence.violations.front().facts);
    if (spoils_list && family.way == spec::Way::copyout && family.circumstances.refused)
        family.symptom = Symptom::wrong_bytes;
    // A page that the child must have.
    if (std::holds_alternative<spec::NotMapped>(divergence.violations.front().facts) && family.way == spec::Way::fork)
        family.symptom = Symptom::wrong_bytes;
    // A child that has ended is not found, whether the call says so or sleeps.
    bool const waits_on = answer && answer->mistake == spec::Mistake::slept;
    if (std::holds_alternative<spec::Wait>(failed.action) && family.circumstances.grounds.empty() &&
        (family.symptom == Symptom::refused || waits_on) && !family.circumstances.refused) {
        family.symptom = Symptom::child_lost;
        family.way = spec::Way::end;
    }
    // What another process did has nothing to do with it.
    if (answer && answer->mistake == spec::Mistake::ended_other) family.circumstances = {};
    // Whatever it did, it was not that.
    if (family.symptom == Symptom::killed && family.circumstances == spec::Circumstances{})
        family.way = spec::Way::none;
    bool const panicked = family.symptom != Symptom::killed && !divergence.died.empty();
    if (!panicked) return family;
    constexpr std::size_t kFrames = 2;
    family.symptom = Symptom::died;
    family.died = divergence.died;
    if (family.died.size() > kFrames) family.died.resize(kFrames);
    return family;
}

namespace {

// The parts of a kernel that have code in common: faults; copies; what makes, changes and ends address spaces.
int part_of(spec::Way way) {
    switch (way) {
        case spec::Way::fault:
        case spec::Way::none:
            return 0;
        case spec::Way::copyin:
        case spec::Way::copyout:
        case spec::Way::copyinstr:
            return 1;
        default:
            return 2;
    }
}

// Panics of one text come from places that call each other: walk() says the same to whoever hands it a bad address,
// so there it is the caller that counts.
bool died_alike(Family const& one, Family const& other) {
    if (one.died == other.died) return true;
    bool const same_caller = one.died.size() > 1 && other.died.size() > 1 && one.died[1] == other.died[1];
    bool const same_place = one.died[0] == other.died[0] && part_of(one.way) == part_of(other.way);
    return same_caller || same_place;
}

}  // namespace

bool explains(Family const& plain, Family const& other) {
    if (plain.symptom != other.symptom || plain.advice != other.advice) return false;
    if (plain.symptom == Symptom::died && !plain.died.empty() && !other.died.empty()) return died_alike(plain, other);
    bool const whatever = plain.symptom == Symptom::killed && plain.way == spec::Way::none;
    return (whatever || plain.way == other.way) && spec::are_within(plain.circumstances, other.circumstances);
}

}  // namespace vmcheck::run
