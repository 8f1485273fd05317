#include "impl/control/step_runner.h"

#include "impl/agent/agent.h"

#include <fmt/format.h>

#include <variant>

namespace vmcheck {

using spec::Completion;
using spec::ProcId;

namespace {

std::uint64_t absolute(spec::Address address) {
    return static_cast<std::uint64_t>(address.offset);
}

// 1, 2, 4, 8 -> 0, 1, 2, 3: how orders for loads and stores are numbered.
std::uint64_t size_class(std::uint8_t size) {
    return size == 1 ? 0U : size == 2 ? 1U : size == 4 ? 2U : 3U;
}

}  // namespace

spec::Outcome StepRunner::run(spec::Step const& step) {
    spec::Outcome outcome;
    outcome.what = std::visit(
        [&](auto const& action) {
            if constexpr (requires { perform(step.actor, action, outcome); })
                return perform(step.actor, action, outcome);
            else
                return perform(step.actor, action);
        },
        step.action);
    for (ProcId id : conductor_.collect_ended())
        if (id != step.actor) outcome.ended_others.push_back(id);
    outcome.allocations_failed = conductor_.state().allocations.failed();
    outcome.allocator_dry = conductor_.state().allocations.dry();
    return outcome;
}

// ---- processes

Completion StepRunner::perform(ProcId actor, spec::Fork const& fork, spec::Outcome& outcome) {
    auto const forked = conductor_.give_fork(actor, fork.child);
    outcome.child_started = forked.child_started;
    return forked.result;
}

Completion StepRunner::perform(ProcId actor, spec::Kill const& kill, spec::Outcome& outcome) {
    auto const pid = conductor_.state().roster.pid_of(kill.target);
    if (!pid) return spec::Lost{fmt::format("the pid of p{} is not known", kill.target.value)};
    Completion const result = conductor_.give_call(actor, syscalls::kKill, *pid);
    bool const was_running = conductor_.state().roster.find(kill.target) != nullptr;
    if (!success(result) || kill.target == actor || !was_running) return result;
    auto const ended = conductor_.await_end(kill.target);
    if (!ended) return ended.error();
    if (*ended) outcome.ended_others.push_back(kill.target);
    return result;
}

Completion StepRunner::perform(ProcId actor, spec::Exit const& exit) {
    return conductor_.give_call(actor, syscalls::kExit,
                                static_cast<std::uint64_t>(static_cast<std::int64_t>(exit.status)));
}

Completion StepRunner::perform(ProcId actor, spec::Wait const& wait) {
    Completion const result = conductor_.give_call(actor, syscalls::kWait, wait.status ? absolute(*wait.status) : 0);
    if (auto const* returned = std::get_if<spec::Returned>(&result)) conductor_.forget_ended(returned->value);
    return result;
}

Completion StepRunner::perform(ProcId actor, spec::Exec const&) {
    return conductor_.give_exec(actor);
}

// ---- memory

Completion StepRunner::perform(ProcId actor, spec::Sbrk const& sbrk) {
    bool const lazy = sbrk.mode == spec::SbrkMode::lazy ||
                      (sbrk.mode == spec::SbrkMode::by_profile && setting_.profile.sbrk == spec::SbrkPolicy::lazy);
    return conductor_.give_call(actor, syscalls::kSbrk, static_cast<std::uint64_t>(sbrk.bytes),
                                lazy ? syscalls::kSbrkLazy : syscalls::kSbrkEager);
}

Completion StepRunner::perform(ProcId actor, spec::Load const& load) {
    return conductor_.give(actor, {VMCHECK_ORDER_LOAD_1 + size_class(load.size), 0, {0, absolute(load.at), 0}});
}

Completion StepRunner::perform(ProcId actor, spec::Store const& store) {
    return conductor_.give(actor,
                           {VMCHECK_ORDER_STORE_1 + size_class(store.size), 0, {0, absolute(store.at), store.value}});
}

// Its result is that of its last load.
Completion StepRunner::perform(ProcId actor, spec::Touch const& touch) {
    Completion result = spec::Returned{};
    for (std::uint32_t page = 0; page < touch.pages && std::holds_alternative<spec::Returned>(result); ++page) {
        std::uint64_t const at = absolute(touch.at) + std::uint64_t{page} * kPageBytes;
        result = conductor_.give(actor, {VMCHECK_ORDER_LOAD_1, 0, {0, at, 0}});
    }
    return result;
}

Completion StepRunner::perform(ProcId actor, spec::SetSp const& set_sp) {
    return conductor_.give(actor, {VMCHECK_ORDER_SET_SP, 0, {0, absolute(set_sp.to), 0}});
}

Completion StepRunner::perform(ProcId actor, spec::Yield const&) {
    Completion const slept = conductor_.give_call(actor, syscalls::kSleep, 0);
    auto const* returned = std::get_if<spec::Returned>(&slept);
    if (returned == nullptr || success(slept)) return slept;
    // A kernel without that call: any other that touches no memory does as well.
    Completion const asked = conductor_.give_call(actor, syscalls::kGetpid);
    return success(asked) ? spec::Returned{0} : asked;
}

Completion StepRunner::perform(ProcId actor, spec::Fetch const& fetch) {
    return conductor_.give(actor, {VMCHECK_ORDER_JUMP, 0, {0, absolute(fetch.at), 0}});
}

// ---- copies to and from the kernel

Completion StepRunner::perform(ProcId actor, spec::PipeWrite const& write) {
    return conductor_.give_call(actor, syscalls::kWrite, descriptors_.pipe_write, absolute(write.from), write.bytes);
}

Completion StepRunner::perform(ProcId actor, spec::PipeRead const& read) {
    return conductor_.give_call(actor, syscalls::kRead, descriptors_.pipe_read, absolute(read.to), read.bytes);
}

Completion StepRunner::perform(ProcId actor, spec::FileRead const& read) {
    return with_open(actor, agent::kPathData.value, [&](std::uint64_t descriptor) {
        return conductor_.give_call(actor, syscalls::kRead, descriptor, absolute(read.to), read.bytes);
    });
}

Completion StepRunner::perform(ProcId actor, spec::Fstat const& fstat) {
    return conductor_.give_call(actor, syscalls::kFstat, descriptors_.data_file, absolute(fstat.to));
}

Completion StepRunner::perform(ProcId actor, spec::Pipe const& pipe) {
    Completion const result = conductor_.give_call(actor, syscalls::kPipe, absolute(pipe.to));
    if (!success(result)) return result;
    // The two descriptors are the lowest free ones; their numbers in memory are for the model to compare.
    for (std::uint64_t end = 0; end < 2; ++end) {
        Completion const closed =
            conductor_.give_call(actor, syscalls::kClose, setting_.traits.first_free_descriptor + end);
        if (success(closed) != 0U) return closed;
    }
    return result;
}

Completion StepRunner::perform(ProcId actor, spec::Open const& open) {
    return with_open(actor, absolute(open.path),
                     [](std::uint64_t descriptor) -> Completion { return spec::Returned{descriptor}; });
}

Completion StepRunner::with_open(ProcId actor, std::uint64_t path,
                                 std::function<Completion(std::uint64_t)> const& between) {
    Completion const opened = conductor_.give_call(actor, syscalls::kOpen, path, syscalls::kReadOnly);
    auto const descriptor = success(opened);
    if (!descriptor) return opened;
    Completion const result = between(*descriptor);
    if (!std::holds_alternative<spec::Returned>(result)) return result;
    Completion const closed = conductor_.give_call(actor, syscalls::kClose, *descriptor);
    return success(closed) == 0U ? result : closed;
}

}  // namespace vmcheck
