#include "checker/shrink/candidates.h"

#include "spec/layout.h"
#include "spec/step_kinds.h"
#include "spec/walk.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace vmcheck::shrink {

namespace {

using namespace spec;

// Shared by all the candidates that are still to be made of it.
using Shared = std::shared_ptr<Program const>;

Program with_steps(Program const& program, std::vector<Step> steps) {
    return {program.profile, std::move(steps), program.about, program.memory, program.harts};
}

template <class T>
std::ptrdiff_t offset(T position) {
    return static_cast<std::ptrdiff_t>(position);
}

// The program without its steps from `begin` up to `end`.
Program without(Program const& program, std::size_t begin, std::size_t end) {
    std::vector<Step> kept(program.steps.begin(), program.steps.begin() + offset(begin));
    kept.insert(kept.end(), program.steps.begin() + offset(end), program.steps.end());
    return with_steps(program, std::move(kept));
}

// make(program, i) for each i of its steps, one after the other and not before it is asked for.
template <class Make>
Programs for_each_step(Program const& program, Make make) {
    return rc::seq::mapcat(
        rc::seq::range(std::size_t{0}, program.steps.size()),
        [shared = std::make_shared<Program const>(program), make](std::size_t i) { return make(shared, i); });
}

// ---- simpler arguments: for each role of a field, what is simpler than its value

template <class T>
void push_unless_equal(std::vector<T>& simpler, T const& candidate, T const& original) {
    if (!(candidate == original) && std::find(simpler.begin(), simpler.end(), candidate) == simpler.end())
        simpler.push_back(candidate);
}

std::vector<Address> simpler(Address const& address) {
    std::vector<Address> all;
    if (address.anchor == Anchor::data || address.anchor == Anchor::bss || address.anchor == Anchor::heap) {
        push_unless_equal(all, {Anchor::heap, 0}, address);
        push_unless_equal(all, {Anchor::data, 0}, address);
    }
    push_unless_equal(all, {address.anchor, 0}, address);
    push_unless_equal(all, {address.anchor, address.offset / kPage * kPage}, address);
    push_unless_equal(all, {address.anchor, address.offset % kPage}, address);
    push_unless_equal(all, {address.anchor, address.offset / 8 * 8}, address);
    if (address.anchor == Anchor::brk) push_unless_equal(all, {Anchor::heap, 0}, address);
    // data is where a fresh process can store at once: simpler than anything that needs sbrk first.
    if (address == Address{Anchor::data, 0}) all.clear();
    return all;
}

// Where no program has memory of its own.
bool is_out_of_reach(Address const& address) {
    switch (address.anchor) {
        case Anchor::absolute:
        case Anchor::guard:
        case Anchor::top:
        case Anchor::trapframe:
        case Anchor::trampoline:
        case Anchor::maxva:
        case Anchor::kernel:
            return true;
        default:
            return false;
    }
}

// Without one of them; and a timer interrupt that comes sooner.
std::vector<Faults> simpler(Faults const& faults) {
    std::vector<Faults> all;
    auto const add = [&](auto change) {
        Faults candidate = faults;
        change(candidate);
        push_unless_equal(all, candidate, faults);
    };
    add([](Faults& each) { each.meanwhile = false; });
    add([](Faults& each) { each.preempt.reset(); });
    add([](Faults& each) { each.switch_hart.reset(); });
    add([](Faults& each) { each.oom.reset(); });
    if (std::uint32_t const now = faults.switch_hart.value_or(0); now > 1)
        for (std::uint32_t sooner : {1U, now / 2, now - now / 4, now - now / 8, now - now / 16, now - 1})
            add([&](Faults& each) { each.switch_hart = sooner; });
    if (std::uint32_t const now = faults.preempt.value_or(0); now > 0)
        for (std::uint32_t sooner : {0U, now / 2, now - now / 4, now - now / 8, now - now / 16, now - 1})
            add([&](Faults& each) { each.preempt = sooner; });
    return all;
}

// ---- the same by role of a field, for each kind of step

template <class Kind>
std::vector<Address> simpler(Place<Kind> const& field, Address const& at) {
    std::vector<Address> all;
    // Just above a small heap: a place that a program's stack could well have.
    if (field.access == Access::none && is_out_of_reach(at)) all.push_back({Anchor::heap, kPage});
    for (Address const& each : simpler(at)) all.push_back(each);
    return all;
}
template <class Kind>
std::vector<std::optional<Address>> simpler(OptionalPlace<Kind> const&, std::optional<Address> const& at) {
    if (!at) return {};
    std::vector<std::optional<Address>> all{std::nullopt};
    for (Address const& each : simpler(*at)) all.emplace_back(each);
    return all;
}
template <class Kind>
std::vector<std::uint8_t> simpler(AccessSize<Kind> const&, std::uint8_t size) {
    // One byte is the plainest access, eight the most common one: both are simpler than what lies between.
    if (size == 1) return {};
    if (size == 8) return {1};
    return {1, 8};
}
template <class Kind>
std::vector<std::uint64_t> simpler(StoredValue<Kind> const&, std::uint64_t value) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t candidate : {std::uint64_t{1}, std::uint64_t{2}, value & 0xff})
        if (candidate < value) push_unless_equal(all, candidate, value);
    return all;
}
// Of pages and of bytes.
template <class Field>
std::vector<std::uint32_t> simpler(Field const&, std::uint32_t length) {
    std::vector<std::uint32_t> all;
    for (std::uint32_t candidate : {1U, 8U, length / 2, length - 1})
        if (candidate < length && candidate > 0) push_unless_equal(all, candidate, length);
    return all;
}
// Of the lowest number as well, which has no positive counterpart.
std::uint64_t magnitude(std::int64_t value) {
    return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

template <class Kind>
std::vector<std::int64_t> simpler(BreakAmount<Kind> const&, std::int64_t amount) {
    if (amount == kPage || amount == -kPage) return {0};
    std::vector<std::int64_t> all;
    std::int64_t const pages = amount / kPage;
    for (std::int64_t candidate : {std::int64_t{0}, kPage, -kPage, pages * kPage, amount / 2})
        if (magnitude(candidate) <= magnitude(amount)) push_unless_equal(all, candidate, amount);
    // Up to whole pages, where there is such a number.
    constexpr std::uint64_t kRoundedMax = std::uint64_t{1} << 62;
    if (amount % kPage != 0 && magnitude(amount) < kRoundedMax)
        push_unless_equal(all, (pages + (amount < 0 ? -1 : 1)) * kPage, amount);
    // Down to the least that will do, in ever smaller parts, the last of one page: what matters may begin at some
    // number of pages.
    for (std::int64_t part = 2; pages / part != 0; part *= 2)
        push_unless_equal(all, (pages - pages / part) * kPage, amount);
    return all;
}
template <class Kind>
std::vector<SbrkMode> simpler(Mode<Kind> const&, SbrkMode mode) {
    if (mode == SbrkMode::by_profile) return {};
    return {SbrkMode::by_profile};
}
template <class Kind>
std::vector<Executable> simpler(ProgramName<Kind> const&, Executable program) {
    if (program == Executable::init) return {};
    return {Executable::init};
}
template <class Kind>
std::vector<std::int32_t> simpler(ExitStatus<Kind> const&, std::int32_t status) {
    if (status == 0) return {};
    return {0};
}
// Processes become fewer by the stages before.
template <class Field>
std::vector<ProcId> simpler(Field const&, ProcId) {
    return {};
}

// Actions that differ from this one in one field.
std::vector<Action> simpler(Action const& action) {
    std::vector<Action> all;
    std::visit(
        [&]<class Kind>(Kind const& original) {
            for_each_field<Kind>([&](auto const& field) {
                for (auto const& value : simpler(field, original.*(field.member))) {
                    Kind changed = original;
                    changed.*(field.member) = value;
                    all.emplace_back(std::move(changed));
                }
            });
        },
        action);
    return all;
}

// What the step at `i` may be replaced by.
std::vector<Step> simpler_steps(Program const& program, std::size_t i) {
    std::vector<Step> all;
    Step const& step = program.steps[i];
    for (Faults const& faults : simpler(step.faults)) all.push_back({step.actor, step.action, faults});
    for (Action const& action : simpler(step.action)) all.push_back({step.actor, action, step.faults});
    if (step.actor == kInit) return all;
    bool const is_its_last = std::none_of(program.steps.begin() + offset(i) + 1, program.steps.end(),
                                          [&](Step const& later) { return later.actor == step.actor; });
    auto const use = address_of(step.action);
    if (is_its_last && i + 1 < program.steps.size() && is_user_access(step.action) && use && is_out_of_reach(use->at))
        all.push_back({step.actor, Exit{0}, {}});
    // The same deed by p0, which needs no fork.
    if (!std::holds_alternative<Exit>(step.action)) all.push_back({kInit, step.action, step.faults});
    return all;
}

// ---- fewer processes

Program without_subtree(Program const& program, ProcId root) {
    std::set<ProcId> gone{root};
    std::vector<Step> kept;
    for (Step const& each : program.steps) {
        auto const* fork = std::get_if<Fork>(&each.action);
        auto const* kill = std::get_if<Kill>(&each.action);
        bool const by_gone = gone.contains(each.actor);
        if (fork != nullptr && by_gone) gone.insert(fork->child);
        bool const of_gone =
            (fork != nullptr && gone.contains(fork->child)) || (kill != nullptr && gone.contains(kill->target));
        if (!by_gone && !of_gone) kept.push_back(each);
    }
    return with_steps(program, std::move(kept));
}

// What `child` does is done by `into`. Without the wait by which its parent would reap it, unless that is kept.
Program merged(Program const& program, ProcId child, ProcId parent, ProcId into, bool keeps_wait) {
    std::vector<Step> kept;
    bool reaped = keeps_wait;
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
        Step step = program.steps[i];
        auto const* fork = std::get_if<Fork>(&step.action);
        auto const* kill = std::get_if<Kill>(&step.action);
        bool const ends = step.actor == child && std::holds_alternative<Exit>(step.action);
        bool const reaps = !reaped && step.actor == parent && std::holds_alternative<Wait>(step.action);
        // The last step is where the failure shows: it stays.
        if (i + 1 < program.steps.size()) {
            if (ends || (fork != nullptr && fork->child == child) || (kill != nullptr && kill->target == child))
                continue;
            if (reaps) {
                reaped = true;
                continue;
            }
        }
        if (step.actor == child) step.actor = into;
        kept.push_back(step);
    }
    return with_steps(program, std::move(kept));
}

// ---- the tree

using Stage = Programs (*)(Program const&);
constexpr std::array<Stage, 7> kStages{prefixes,
                                       without_subtrees,
                                       with_children_merged,
                                       without_chunks,
                                       with_simpler_arguments,
                                       with_earlier_failing_allocations,
                                       with_one_switch_for_two};
// Of a program that has got its last names.
constexpr std::size_t kNoStage = kStages.size();

rc::Seq<Candidate> children(Candidate const& parent) {
    if (parent.stage == kNoStage) return {};
    auto const shared = std::make_shared<Candidate const>(parent);
    auto by_stages = rc::seq::mapcat(rc::seq::range(std::size_t{0}, kStages.size()), [shared](std::size_t turn) {
        std::size_t const stage = (shared->stage + turn) % kStages.size();
        return rc::seq::map(kStages[stage](shared->program), [stage](Program&& program) {
            return Candidate{std::move(program), stage};
        });
    });
    Candidate last{renumbered(parent.program), kNoStage};
    if (last.program == parent.program) return by_stages;
    return rc::seq::concat(std::move(by_stages), rc::seq::just(std::move(last)));
}

}  // namespace

Programs prefixes(Program const& program) {
    std::vector<std::size_t> lengths;
    std::size_t const count = program.steps.size();
    for (std::size_t cut = count / 2; cut > 0; cut /= 2) lengths.push_back(count - cut);
    return rc::seq::map(rc::seq::fromContainer(std::move(lengths)),
                        [shared = std::make_shared<Program const>(program)](std::size_t length) {
                            return without(*shared, length, shared->steps.size());
                        });
}

Programs without_subtrees(Program const& program) {
    return for_each_step(program, [](Shared const& shared, std::size_t i) -> Programs {
        auto const* fork = std::get_if<Fork>(&shared->steps[i].action);
        if (fork == nullptr) return {};
        return rc::seq::just(without_subtree(*shared, fork->child));
    });
}

Programs with_children_merged(Program const& program) {
    return for_each_step(program, [](Shared const& shared, std::size_t i) -> Programs {
        Step const& step = shared->steps[i];
        auto const* fork = std::get_if<Fork>(&step.action);
        if (fork == nullptr || i + 1 == shared->steps.size()) return {};
        std::vector<Program> all;
        for (bool keeps_wait : {false, true}) {
            all.push_back(merged(*shared, fork->child, step.actor, step.actor, keeps_wait));
            if (step.actor != kInit) all.push_back(merged(*shared, fork->child, step.actor, kInit, keeps_wait));
        }
        return rc::seq::fromContainer(std::move(all));
    });
}

Programs without_chunks(Program const& program) {
    if (program.steps.empty()) return {};
    std::vector<std::pair<std::size_t, std::size_t>> chunks;
    std::size_t const count = program.steps.size();
    for (std::size_t chunk = count / 2; chunk >= 1; chunk /= 2)
        // The last step is where the failure shows: it stays.
        for (std::size_t end = count - 1; end > 0; end = end > chunk ? end - chunk : 0)
            chunks.emplace_back(end > chunk ? end - chunk : 0, end);
    return rc::seq::map(rc::seq::fromContainer(std::move(chunks)),
                        [shared = std::make_shared<Program const>(program)](auto const& chunk) {
                            return without(*shared, chunk.first, chunk.second);
                        });
}

Programs with_simpler_arguments(Program const& program) {
    std::vector<Program> of_all;
    if (program.memory) {
        of_all.push_back(program);
        of_all.back().memory.reset();
    }
    if (program.harts) {
        of_all.push_back(program);
        of_all.back().harts.reset();
    }
    // One after the other instead of at a time: the second first, since without its fault it comes second anyway.
    for (std::size_t i = 1; i < program.steps.size(); ++i) {
        if (!program.steps[i].faults.meanwhile) continue;
        of_all.push_back(program);
        Step &first = of_all.back().steps[i - 1], &second = of_all.back().steps[i];
        std::swap(first, second);
        for (Step* each : {&first, &second}) each->faults = Faults{each->faults.oom, {}, false, {}};
    }
    auto of_steps = for_each_step(program, [](Shared const& shared, std::size_t i) {
        return rc::seq::map(rc::seq::fromContainer(simpler_steps(*shared, i)), [shared, i](Step&& step) {
            std::vector<Step> steps = shared->steps;
            steps[i] = step;
            return with_steps(*shared, std::move(steps));
        });
    });
    return rc::seq::concat(rc::seq::fromContainer(std::move(of_all)), std::move(of_steps));
}

Programs with_earlier_failing_allocations(Program const& program) {
    // Long programs are for the other stages first.
    constexpr std::size_t kStepsMax = 8;
    if (program.steps.empty() || program.steps.size() > kStepsMax) return {};
    Step const last = program.steps.back();
    if (!last.faults.oom) return {};
    std::vector<Program> all;
    auto const add = [&](std::vector<Step> steps, ProcId actor, std::uint32_t oom) {
        steps.push_back(
            {actor, last.action, Faults{oom, last.faults.preempt, last.faults.meanwhile, last.faults.switch_hart}});
        all.push_back(with_steps(program, std::move(steps)));
    };
    std::vector<Step> const before(program.steps.begin(), program.steps.end() - 1);
    for (std::uint32_t oom = 1; oom <= *last.faults.oom; ++oom) {
        if (!before.empty() || last.actor != kInit || oom < *last.faults.oom) add({}, kInit, oom);
        if (oom < *last.faults.oom) add(before, last.actor, oom);
        for (std::size_t i = 0; i < before.size(); ++i) {
            std::vector<Step> kept = before;
            kept.erase(kept.begin() + offset(i));
            add(kept, last.actor, oom);
        }
    }
    // What leaves most out comes first.
    std::stable_sort(all.begin(), all.end(),
                     [](Program const& a, Program const& b) { return a.steps.size() < b.steps.size(); });
    return rc::seq::fromContainer(std::move(all));
}

Programs with_one_switch_for_two(Program const& program) {
    constexpr std::uint32_t kBlocksMax = 256;
    return for_each_step(program, [](Shared const& shared, std::size_t i) -> Programs {
        if (i + 1 == shared->steps.size()) return {};
        Faults const &first = shared->steps[i].faults, &second = shared->steps[i + 1].faults;
        if (!second.meanwhile || !first.switch_hart || !second.switch_hart) return {};
        return rc::seq::map(rc::seq::range(std::uint32_t{1}, kBlocksMax + 1), [shared, i](std::uint32_t after) {
            std::vector<Step> steps = shared->steps;
            steps[i].faults.switch_hart = after;
            steps[i + 1].faults.switch_hart.reset();
            return with_steps(*shared, std::move(steps));
        });
    });
}

rc::Shrinkable<Candidate> tree(Candidate root) {
    return rc::shrinkable::shrinkRecur(std::move(root), [](Candidate const& each) { return children(each); });
}

rc::Shrinkable<Program> shrinks(Program program) {
    return rc::shrinkable::map(tree({std::move(program)}), [](Candidate&& each) { return std::move(each.program); });
}

rc::Shrinkable<Program> shrinks(Program program, std::shared_ptr<Setting const> setting) {
    return rc::shrinkable::mapShrinks(
        shrinks(std::move(program)), [setting = std::move(setting)](rc::Seq<rc::Shrinkable<Program>>&& candidates) {
            return rc::seq::mapMaybe(std::move(candidates), [setting](rc::Shrinkable<Program>&& each) {
                return rc::shrinkable::filter(std::move(each),
                                              [setting](Program const& one) { return can_be_asked(setting, one); });
            });
        });
}

bool can_be_asked(std::shared_ptr<Setting const> const& setting, Program const& program) {
    bool all = true, in_doubt = false;
    auto const fails = [](Step const& step) { return step.faults.oom.has_value(); };
    Walked const walked =
        walk(World::initial(setting_for(setting, program)), program.steps, [&](World const&, Turn const& turn) {
            if (auto const* pair = std::get_if<Pair>(&turn)) {
                in_doubt = fails(pair->first) || fails(pair->second);
            } else if (auto const* step = std::get_if<Step>(&turn)) {
                all = !step->faults.meanwhile;
                in_doubt = fails(*step);
            } else {
                all = false;
            }
            return all && !in_doubt;
        });
    return all && (in_doubt || walked.steps == program.steps.size());
}

Program renumbered(Program const& program) {
    std::map<ProcId, ProcId> names{{kInit, kInit}};
    auto const rename = [&](ProcId id) {
        return names.try_emplace(id, ProcId{static_cast<std::uint32_t>(names.size())}).first->second;
    };
    std::vector<Step> steps = program.steps;
    for (Step& step : steps) {
        step.actor = rename(step.actor);
        if (auto* fork = std::get_if<Fork>(&step.action)) fork->child = rename(fork->child);
        if (auto* kill = std::get_if<Kill>(&step.action)) kill->target = rename(kill->target);
    }
    return with_steps(program, std::move(steps));
}

}  // namespace vmcheck::shrink
