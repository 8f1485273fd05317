#include "impl/control/step_runner.h"

#include "impl/agent/agent.h"

#include <fmt/core.h>

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

// One step of one process: a function for each kind.
class Performance {
  public:
    Performance(Conductor& conductor, spec::Setting const& setting, Descriptors const& descriptors, ProcId actor,
                spec::Outcome& outcome)
        : conductor_(conductor), setting_(setting), descriptors_(descriptors), actor_(actor), outcome_(outcome) {}

    // ---- processes

    Completion operator()(spec::Fork const& fork) {
        auto const forked = conductor_.give_fork(actor_, fork.child);
        outcome_.child_started = forked.child_started;
        return forked.result;
    }

    Completion operator()(spec::Kill const& kill) {
        auto const pid = conductor_.state().roster.pid_of(kill.target);
        if (!pid) return spec::Lost{fmt::format("the pid of p{} is not known", kill.target.value)};
        Completion result = call(syscalls::kKill, *pid);
        bool const was_running = conductor_.state().roster.find(kill.target) != nullptr;
        if (!success(result) || kill.target == actor_ || !was_running) return result;
        auto const ended = conductor_.await_end(kill.target);
        if (!ended) return ended.error();
        if (*ended) outcome_.ended_others.push_back(kill.target);
        return result;
    }

    Completion operator()(spec::Exit const& exit) {
        return call(syscalls::kExit, static_cast<std::uint64_t>(static_cast<std::int64_t>(exit.status)));
    }

    Completion operator()(spec::Wait const& wait) {
        Completion result = call(syscalls::kWait, wait.status ? absolute(*wait.status) : 0);
        if (auto const* returned = std::get_if<spec::Returned>(&result)) conductor_.forget_ended(returned->value);
        return result;
    }

    Completion operator()(spec::Exec const& exec) {
        return conductor_.give_exec(actor_, exec.program,
                                    exec.arguments ? VirtAddr{absolute(*exec.arguments)} : agent::kNoArguments);
    }

    // ---- memory

    Completion operator()(spec::Sbrk const& sbrk) {
        bool const lazy = sbrk.mode == spec::SbrkMode::lazy ||
                          (sbrk.mode == spec::SbrkMode::by_profile && setting_.profile.sbrk == spec::SbrkPolicy::lazy);
        return call(syscalls::kSbrk, static_cast<std::uint64_t>(sbrk.bytes),
                    lazy ? syscalls::kSbrkLazy : syscalls::kSbrkEager);
    }

    Completion operator()(spec::Load const& load) {
        return give(VMCHECK_ORDER_LOAD_1 + size_class(load.size), absolute(load.at));
    }

    Completion operator()(spec::Store const& store) {
        return give(VMCHECK_ORDER_STORE_1 + size_class(store.size), absolute(store.at), store.value);
    }

    // Its result is that of its last load.
    Completion operator()(spec::Touch const& touch) {
        Completion result = spec::Returned{};
        for (std::uint32_t page = 0; page < touch.pages && std::holds_alternative<spec::Returned>(result); ++page) {
            std::uint64_t const at = absolute(touch.at) + std::uint64_t{page} * kPageBytes;
            result = give(VMCHECK_ORDER_LOAD_1, at);
        }
        return result;
    }

    Completion operator()(spec::SetSp const& set_sp) { return give(VMCHECK_ORDER_SET_SP, absolute(set_sp.to)); }

    Completion operator()(spec::Yield const&) {
        Completion slept = call(syscalls::kSleep, 0);
        auto const* returned = std::get_if<spec::Returned>(&slept);
        if (returned == nullptr || success(slept)) return slept;
        // A kernel without that call: any other that touches no memory does as well.
        Completion const asked = call(syscalls::kGetpid);
        return success(asked) ? spec::Returned{0} : asked;
    }

    Completion operator()(spec::Fetch const& fetch) { return give(VMCHECK_ORDER_JUMP, absolute(fetch.at)); }

    // ---- copies to and from the kernel

    Completion operator()(spec::PipeWrite const& write) {
        return call(syscalls::kWrite, descriptors_.pipe_write, absolute(write.from), write.bytes);
    }

    Completion operator()(spec::PipeRead const& read) {
        return call(syscalls::kRead, descriptors_.pipe_read, absolute(read.to), read.bytes);
    }

    Completion operator()(spec::FileRead const& read) {
        return with_open(agent::kPathData.value, [&](std::uint64_t descriptor) {
            return call(syscalls::kRead, descriptor, absolute(read.to), read.bytes);
        });
    }

    Completion operator()(spec::Fstat const& fstat) {
        return call(syscalls::kFstat, descriptors_.data_file, absolute(fstat.to));
    }

    Completion operator()(spec::Pipe const& pipe) {
        Completion result = call(syscalls::kPipe, absolute(pipe.to));
        if (!success(result)) return result;
        // The two descriptors are the lowest free ones; their numbers in memory are for the model to compare.
        for (std::uint64_t end = 0; end < 2; ++end) {
            Completion closed = call(syscalls::kClose, setting_.traits.first_free_descriptor + end);
            if (success(closed) != 0U) return closed;
        }
        return result;
    }

    Completion operator()(spec::Open const& open) {
        return with_open(absolute(open.path),
                         [](std::uint64_t descriptor) -> Completion { return spec::Returned{descriptor}; });
    }

  private:
    Completion call(std::uint64_t number, std::uint64_t a0 = 0, std::uint64_t a1 = 0, std::uint64_t a2 = 0) {
        return conductor_.give_call(actor_, number, a0, a1, a2);
    }
    // A load, store or jump at `at`.
    Completion give(std::uint64_t order, std::uint64_t at, std::uint64_t value = 0) {
        return conductor_.give(actor_, {order, 0, {0, at, value}});
    }

    // Opens what `path` names, has `between` done with the descriptor, and closes it again.
    template <class Between>
    Completion with_open(std::uint64_t path, Between between) {
        Completion opened = call(syscalls::kOpen, path, syscalls::kReadOnly);
        auto const descriptor = success(opened);
        if (!descriptor) return opened;
        Completion result = between(*descriptor);
        if (!std::holds_alternative<spec::Returned>(result)) return result;
        Completion closed = call(syscalls::kClose, *descriptor);
        return success(closed) == 0U ? result : closed;
    }

    Conductor& conductor_;
    spec::Setting const& setting_;
    Descriptors const& descriptors_;
    ProcId actor_;
    spec::Outcome& outcome_;
};

}  // namespace

spec::Outcome run_step(Conductor& conductor, spec::Setting const& setting, Descriptors const& descriptors,
                       spec::Step const& step) {
    spec::Outcome outcome;
    outcome.what = std::visit(Performance(conductor, setting, descriptors, step.actor, outcome), step.action);
    for (ProcId id : conductor.collect_ended())
        if (id != step.actor) outcome.ended_others.push_back(id);
    outcome.allocations_failed = conductor.state().allocations.failed();
    outcome.allocator_dry = conductor.state().allocations.dry();
    return outcome;
}

}  // namespace vmcheck
