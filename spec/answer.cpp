#include "spec/answer.h"

#include "spec/rules/memory_need.h"
#include "spec/rules/reach.h"
#include "spec/rules/rules.h"
#include "spec/rules/transition.h"

#include <algorithm>

namespace vmcheck::spec {

// ---- results

namespace {

struct Shows {
    Outcome const& outcome;

    // Nothing but what the result is about has happened.
    bool alone() const { return !outcome.child_started && outcome.ended_others.empty(); }
    std::optional<std::uint64_t> value() const {
        auto const* returned = std::get_if<Returned>(&outcome.what);
        return returned ? std::optional{returned->value} : std::nullopt;
    }

    bool operator()(Exactly const& exactly) const { return alone() && value() == exactly.value; }
    bool operator()(AtMost const& count) const { return alone() && value() && *value() <= count.most; }
    bool operator()(NewChild const&) const {
        return outcome.child_started && outcome.ended_others.empty() && value() && *value() > 0 && *value() <= kIntMax;
    }
    bool operator()(PidOf const& child) const { return alone() && value() == child.pid; }
    bool operator()(SomeDescriptor const&) const { return alone() && value() && *value() <= kIntMax; }
    bool operator()(GoesOn const&) const { return alone() && value() == std::uint64_t{0}; }
    bool operator()(EndsOther const& other) const {
        return !outcome.child_started && value() == std::uint64_t{0} &&
               outcome.ended_others == std::vector{other.target};
    }
    bool operator()(Ends const&) const { return alone() && std::holds_alternative<Ended>(outcome.what); }
    bool operator()(Restarts const&) const { return alone() && std::holds_alternative<Restarted>(outcome.what); }
};

}  // namespace

bool shows(Result const& result, Outcome const& outcome) {
    return std::visit(Shows{outcome}, result);
}

bool shows(Result const& result, Outcome const& outcome, World const& world) {
    return shows(result, outcome) &&
           !(std::holds_alternative<NewChild>(result) && with_pid(world, value_of(outcome)) != nullptr);
}

namespace {

// An outcome that shows the result.
class Shown {
  public:
    explicit Shown(World const& world) : world_(world) {}

    Outcome operator()(Exactly const& exactly) const { return returned(exactly.value); }
    Outcome operator()(AtMost const& count) const { return returned(count.most); }
    Outcome operator()(NewChild const&) const {
        Outcome outcome = returned(fresh_pid());
        outcome.child_started = true;
        return outcome;
    }
    Outcome operator()(PidOf const& child) const { return returned(child.pid); }
    Outcome operator()(SomeDescriptor const&) const { return returned(world_.setting().traits.first_free_descriptor); }
    Outcome operator()(GoesOn const&) const { return returned(0); }
    Outcome operator()(EndsOther const& other) const {
        Outcome outcome = returned(0);
        outcome.ended_others = {other.target};
        return outcome;
    }
    Outcome operator()(Ends const&) const { return {.what = Ended{}}; }
    Outcome operator()(Restarts const&) const { return {.what = Restarted{}}; }

  private:
    static Outcome returned(std::uint64_t value) { return {.what = Returned{value}}; }

    // A pid that no process has had: kernels number processes upwards.
    std::uint64_t fresh_pid() const {
        std::uint64_t highest = 1;
        for (auto const& [id, process] : world_.processes()) highest = std::max(highest, process.pid);
        return highest + 1;
    }

    World const& world_;
};

}  // namespace

Outcome outcome_showing(Result const& result, World const& world) {
    return std::visit(Shown{world}, result);
}

// ---- answers

std::uint64_t value_of(Outcome const& outcome) {
    return std::get<Returned>(outcome.what).value;
}

World unchanged(World const& world) {
    return Transition{world}.finish();
}

Answer fails_for_memory(Question question, WantOfMemory excuse) {
    return {.result = Exactly{kFailed},
            .reason = Reason::want_of_memory,
            .excuse = excuse,
            .after = [question](Outcome const&) { return unchanged(question.world); }};
}

namespace {

// The process is killed in the middle of the step, for want of memory.
World killed_for_memory(World const& world, Step const& step) {
    Transition next{world};
    ProcId const actor = step.actor;
    // Whatever had gone through the pipe by then has gone through.
    if (auto const* write = std::get_if<PipeWrite>(&step.action)) {
        VirtAddr const from = world.resolve(actor, write->from);
        Reach const reach = copy_reach(world, actor, from, write->bytes, Access::read);
        auto const data = world.read(actor, from, reach.possible).value_or(PipeContents{});
        next.set_pipe(after_adding(world.pipe(), data, 0, data.size()));
    } else if (auto const* read = std::get_if<PipeRead>(&step.action)) {
        VirtAddr const to = world.resolve(actor, read->to);
        Reach const reach = copy_reach(world, actor, to, read->bytes, Access::write);
        std::vector<PipeContents> afterwards;
        for (PipeContents const& contents : world.pipe())
            append(afterwards, after_taking(contents, 0, std::min<std::size_t>(read->bytes, reach.possible + 1)));
        next.set_pipe(std::move(afterwards));
    } else if (std::holds_alternative<Wait>(step.action)) {
        // Killed by the copy of a child's status, it may have got to the end of wait before it died.
        for (ProcId child : world.children(actor))
            if (world.find(child)->life == Life::zombie) next.set_perhaps_reaped(child, true);
    }
    next.end(actor, -1);
    return std::move(next).finish();
}

// A buffer of more pages than this is not believed to be got ready as a whole.
constexpr std::uint64_t kBufferPagesMax = 1024;

// A kernel may get all of the buffer that a system call gives ready at once, whatever becomes of the call and however
// little it copies: pages are mapped that were reserved, and, where it is to write, copied that were shared.
World with_buffer_ready(World after, ProcId actor, VirtAddr at, AddressUse const& buffer) {
    if (after.find(actor)->life != Life::running) return after;
    std::vector<OpenCopy> copies = after.open_copies();
    Transition next{std::move(after)};
    next.may_touch(actor, at, std::min(buffer.bytes, kBufferPagesMax * kPageBytes), buffer.access == Access::write);
    next.set_open_copies(std::move(copies));
    return std::move(next).finish();
}

}  // namespace

std::vector<Answer> allowed(World const& world, Step const& step) {
    Answers all = std::visit([&](auto const& action) { return answers(Question{world, step}, action); }, step.action);
    auto const buffer = address_of(step.action);
    if (buffer && reaches_user_memory(step.action) && !is_user_access(step.action))
        for (Answer& answer : all)
            answer.after = [after = std::move(answer.after), actor = step.actor,
                            at = world.resolve(step.actor, buffer->at), buffer = *buffer](Outcome const& outcome) {
                return with_buffer_ready(after(outcome), actor, at, buffer);
            };
    // Where an access, or the kernel's copy, wanted the frame, the process may be killed. fork, sbrk and exec have a
    // return value to fail with.
    if (reaches_user_memory(step.action))
        all.push_back({.result = Ends{},
                       .reason = Reason::want_of_memory,
                       .excuse = WantOfMemory{},
                       .after = [&world, &step](Outcome const&) { return killed_for_memory(world, step); }});
    return all;
}

std::vector<Result> expected_results(World const& world, Step const& step, bool memory_was_short) {
    std::vector<Result> results;
    for (Answer const& answer : allowed(world, step)) {
        if (answer.excuse && !memory_was_short) continue;
        if (std::find(results.begin(), results.end(), answer.result) == results.end()) results.push_back(answer.result);
    }
    return results;
}

bool is_excused(Answer const& answer, World const& world, Step const& step, Outcome const& outcome,
                FrameCensus const& before) {
    if (!answer.excuse) return true;
    return memory_was_short(world, outcome, before, answer.excuse->frames.value_or(frames_needed(world, step)));
}

}  // namespace vmcheck::spec
