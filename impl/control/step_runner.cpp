#include "impl/control/step_runner.h"

#include "impl/agent/agent.h"
#include "impl/control/syscalls.h"

#include <fmt/format.h>

#include <type_traits>
#include <variant>

namespace vmcheck {

namespace {

std::uint64_t absolute(spec::Address address) {
    return static_cast<std::uint64_t>(address.offset);
}

bool failed(std::uint64_t result) {
    return static_cast<std::int64_t>(result) < 0;
}

// 1, 2, 4, 8 -> 0, 1, 2, 3: how orders for loads and stores are numbered.
std::uint64_t size_class(std::uint8_t size) {
    return size == 1 ? 0U : size == 2 ? 1U : size == 4 ? 2U : 3U;
}

decltype(spec::Outcome::what) as_outcome(Answer const& answer) {
    return std::visit(
        [](auto const& each) -> decltype(spec::Outcome::what) {
            using Kind = std::decay_t<decltype(each)>;
            if constexpr (std::is_same_v<Kind, Answered>) return spec::Returned{each.value};
            if constexpr (std::is_same_v<Kind, StartedAfresh>) return spec::Restarted{};
            if constexpr (std::is_same_v<Kind, Vanished>) return spec::Ended{};
            if constexpr (std::is_same_v<Kind, Asleep>) return spec::Blocked{};
            if constexpr (std::is_same_v<Kind, Mishap>)
                return std::visit([](auto const& what) -> decltype(spec::Outcome::what) { return what; }, each);
        },
        answer);
}

decltype(spec::Outcome::what) as_outcome(Mishap const& mishap) {
    return as_outcome(Answer{mishap});
}

}  // namespace

spec::Outcome StepRunner::run(spec::Step const& step) {
    spec::Outcome outcome;
    outcome.what = std::visit(
        [&](auto const& action) -> What {
            using Kind = std::decay_t<decltype(action)>;
            if constexpr (std::is_same_v<Kind, spec::Fork> || std::is_same_v<Kind, spec::Kill>)
                return perform(step.actor, action, outcome);
            else
                return perform(step.actor, action);
        },
        step.action);
    for (spec::ProcId id : conductor_.collect_ended())
        if (id != step.actor) outcome.ended_others.push_back(id);
    outcome.allocations_failed = conductor_.conversation().allocations.failed();
    outcome.allocator_dry = conductor_.conversation().allocations.dry();
    return outcome;
}

Answer StepRunner::system_call(spec::ProcId actor, std::uint64_t number, std::uint64_t a0, std::uint64_t a1,
                               std::uint64_t a2) {
    return conductor_.give(actor, {VMCHECK_ORDER_SYSCALL, number, {a0, a1, a2}});
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Fork const& fork, spec::Outcome& outcome) {
    Answer const answer = conductor_.give_fork(actor, fork.child);
    auto const* result = std::get_if<Answered>(&answer);
    if (result == nullptr || failed(result->value) || result->value == 0) {
        conductor_.abandon_fork(actor);
        return as_outcome(answer);
    }
    conductor_.set_pid(fork.child, result->value);
    auto const came_up = conductor_.await_child(actor);
    if (!came_up) return as_outcome(came_up.error());
    outcome.child_started = *came_up;
    return as_outcome(answer);
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Kill const& kill, spec::Outcome& outcome) {
    auto const pid = conductor_.conversation().roster.pid_of(kill.target);
    if (!pid) return spec::Lost{fmt::format("the pid of p{} is not known", kill.target.value)};
    Answer const answer = system_call(actor, syscalls::kKill, *pid);
    auto const* result = std::get_if<Answered>(&answer);
    if (result == nullptr || failed(result->value) || kill.target == actor) return as_outcome(answer);
    bool const was_running = conductor_.conversation().roster.find(kill.target) != nullptr;
    if (!was_running) return as_outcome(answer);
    auto const ended = conductor_.await_end(kill.target);
    if (!ended) return as_outcome(ended.error());
    if (*ended) outcome.ended_others.push_back(kill.target);
    return as_outcome(answer);
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Exit const& exit) {
    return as_outcome(
        system_call(actor, syscalls::kExit, static_cast<std::uint64_t>(static_cast<std::int64_t>(exit.status))));
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Wait const& wait) {
    Answer const answer = system_call(actor, syscalls::kWait, wait.status ? absolute(*wait.status) : 0);
    if (auto const* result = std::get_if<Answered>(&answer)) conductor_.forget_ended(result->value);
    return as_outcome(answer);
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Sbrk const& sbrk) {
    bool const lazy = sbrk.mode == spec::SbrkMode::lazy ||
                      (sbrk.mode == spec::SbrkMode::by_profile && setting_.profile.sbrk == spec::SbrkPolicy::lazy);
    return as_outcome(system_call(actor, syscalls::kSbrk, static_cast<std::uint64_t>(sbrk.bytes),
                                  lazy ? syscalls::kSbrkLazy : syscalls::kSbrkEager));
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Load const& load) {
    return as_outcome(
        conductor_.give(actor, {VMCHECK_ORDER_LOAD_1 + size_class(load.size), 0, {0, absolute(load.at), 0}}));
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Store const& store) {
    return as_outcome(conductor_.give(
        actor, {VMCHECK_ORDER_STORE_1 + size_class(store.size), 0, {0, absolute(store.at), store.value}}));
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Touch const& touch) {
    // The result of a touch is that of its last load.
    Answer answer = Answered{};
    for (std::uint32_t page = 0; page < touch.pages; ++page) {
        std::uint64_t const at = absolute(touch.at) + std::uint64_t{page} * kPageBytes;
        answer = conductor_.give(actor, {VMCHECK_ORDER_LOAD_1, 0, {0, at, 0}});
        if (!std::holds_alternative<Answered>(answer)) break;
    }
    return as_outcome(answer);
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::PipeWrite const& write) {
    return as_outcome(system_call(actor, syscalls::kWrite, descriptors_.pipe_write, absolute(write.from), write.bytes));
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::PipeRead const& read) {
    return as_outcome(system_call(actor, syscalls::kRead, descriptors_.pipe_read, absolute(read.to), read.bytes));
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::FileRead const& read) {
    Answer const opened = system_call(actor, syscalls::kOpen, agent::kPathData.value, syscalls::kReadOnly);
    auto const* descriptor = std::get_if<Answered>(&opened);
    if (descriptor == nullptr || failed(descriptor->value)) return as_outcome(opened);
    Answer const answer = system_call(actor, syscalls::kRead, descriptor->value, absolute(read.to), read.bytes);
    if (!std::holds_alternative<Answered>(answer)) return as_outcome(answer);
    Answer const closed = system_call(actor, syscalls::kClose, descriptor->value);
    auto const* result = std::get_if<Answered>(&closed);
    return as_outcome(result != nullptr && result->value == 0 ? answer : closed);
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Fstat const& fstat) {
    return as_outcome(system_call(actor, syscalls::kFstat, descriptors_.data_file, absolute(fstat.to)));
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Pipe const& pipe) {
    Answer const answer = system_call(actor, syscalls::kPipe, absolute(pipe.to));
    auto const* result = std::get_if<Answered>(&answer);
    if (result == nullptr || failed(result->value)) return as_outcome(answer);
    // The two descriptors are the lowest free ones; their numbers in memory are for the model to compare.
    for (std::uint64_t end = 0; end < 2; ++end) {
        Answer const closed = system_call(actor, syscalls::kClose, setting_.traits.first_free_descriptor + end);
        auto const* result_of_close = std::get_if<Answered>(&closed);
        if (result_of_close == nullptr || result_of_close->value != 0) return as_outcome(closed);
    }
    return as_outcome(answer);
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Open const& open) {
    Answer const answer = system_call(actor, syscalls::kOpen, absolute(open.path), syscalls::kReadOnly);
    auto const* result = std::get_if<Answered>(&answer);
    if (result == nullptr || failed(result->value)) return as_outcome(answer);
    Answer const closed = system_call(actor, syscalls::kClose, result->value);
    auto const* result_of_close = std::get_if<Answered>(&closed);
    return as_outcome(result_of_close != nullptr && result_of_close->value == 0 ? answer : closed);
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Exec const&) {
    return as_outcome(conductor_.give_exec(
        actor, {VMCHECK_ORDER_SYSCALL, syscalls::kExec, {agent::kPathInit.value, agent::kNoArguments.value, 0}}));
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::SetSp const& set_sp) {
    return as_outcome(conductor_.give(actor, {VMCHECK_ORDER_SET_SP, 0, {0, absolute(set_sp.to), 0}}));
}

StepRunner::What StepRunner::perform(spec::ProcId actor, spec::Fetch const& fetch) {
    return as_outcome(conductor_.give(actor, {VMCHECK_ORDER_JUMP, 0, {0, absolute(fetch.at), 0}}));
}

}  // namespace vmcheck
