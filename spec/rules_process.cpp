// fork, exit, wait, kill, exec.

#include "spec/copyout.h"
#include "spec/judgement.h"
#include "spec/transition.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::spec {

namespace {

constexpr std::uint64_t kPidMax = std::numeric_limits<std::int32_t>::max();  // pids are ints (proc.h)

Process const* with_pid(World const& world, std::uint64_t pid) {
    for (auto const& [id, process] : world.processes())
        if (id != kInit && process.pid == pid) return &process;
    return nullptr;
}

}  // namespace

Judged judge(Asked const& asked, Fork const& fork) {
    World const& world = asked.world;
    auto const value = asked.returned();
    if (!value) return wrong_result(asked, "fork did not return");
    // xv6's process table has NPROC slots, and a zombie keeps its slot until it is waited for.
    std::size_t const limit = world.setting().traits.processes_max;
    bool const table_is_full = world.processes().size() >= limit;
    if (*value == kFailed) {
        if (asked.outcome.child_started) return wrong_result(asked, "fork returned -1, but the child runs");
        if (table_is_full || asked.memory_was_short()) return unchanged(world);
        return wrong_result(asked, fmt::format("fork failed with {} of {} processes in use and enough memory free",
                                               world.processes().size(), limit));
    }
    if (table_is_full)
        return wrong_result(asked, fmt::format("fork made a process beyond the table's {} slots", limit));
    if (*value == 0 || *value > kPidMax)
        return wrong_result(asked, fmt::format("fork returned {:#x}, which is no pid", *value));
    if (Process const* other = with_pid(world, *value))
        return wrong_result(asked,
                            fmt::format("fork gave the child pid {}, which p{} still has", *value, other->id.value));
    if (!asked.outcome.child_started) {
        auto violation = wrong_result(asked, fmt::format("fork returned pid {}, but the child never ran", *value));
        violation.value().invariant = Invariant::liveness;
        return violation;
    }
    Transition next{world};
    next.spawn(asked.actor(), fork.child, *value);
    return std::move(next).finish();
}

Judged judge(Asked const& asked, Exit const& exit) {
    if (!asked.ended()) return wrong_result(asked, "exit came back to the process that called it");
    Transition next{asked.world};
    next.end(asked.actor(), exit.status);
    return std::move(next).finish();
}

Judged judge(Asked const& asked, Wait const& wait) {
    World const& world = asked.world;
    auto const value = asked.returned();
    if (!value) return wrong_result(asked, "wait did not return");
    auto const children = world.children(asked.actor());
    if (children.empty()) {
        if (*value == kFailed) return unchanged(world);
        return wrong_result(asked, "wait found a child where the process has none");
    }
    // Address 0 asks for no status (wait in proc.c), whichever way the program wrote it.
    VirtAddr const to = wait.status ? world.resolve(asked.actor(), *wait.status) : VirtAddr{0};
    std::size_t const bytes = to == VirtAddr{0} ? 0 : sizeof(std::int32_t);
    Copyout copyout{asked, to, bytes};
    if (*value == kFailed && children.size() == 1 && world.find(children.front())->perhaps_reaped) {
        Transition next{world};
        next.reap(children.front());
        return std::move(next).finish();
    }
    if (*value == kFailed) {
        // As in xv6, and unlike POSIX: a wait that cannot store the status reaps nothing, so that the next one finds
        // the same child.
        if (!copyout.limits().may_fail()) return wrong_result(asked, "wait found no zombie child where there is one");
        for (ProcId child : children)
            if (Process const* process = world.find(child); process->life == Life::zombie)
                copyout.add_failed(bytes_of(process->exit_status), 0);
        return copyout.finish();
    }
    Process const* child = with_pid(world, *value);
    if (!child || child->parent != asked.actor())
        return wrong_result(asked, fmt::format("wait returned {:#x}, which is no child's pid", *value));
    if (child->life != Life::zombie)
        return wrong_result(asked, fmt::format("wait returned p{}, which has not ended", child->id.value));
    if (!copyout.limits().may_succeed())
        return wrong_result(asked, "wait returned a child although its status cannot be stored at that address");
    // Any zombie will do: nothing orders them.
    copyout.add_complete(bytes == 0 ? std::vector<std::byte>{} : bytes_of(child->exit_status));
    copyout.transition().reap(child->id);
    return copyout.finish();
}

Judged judge(Asked const& asked, Kill const& kill) {
    Process const& target = *asked.world.find(kill.target);
    Transition next{asked.world};
    if (kill.target == asked.actor()) {
        if (!asked.ended()) return wrong_result(asked, "the process killed itself and lives on");
        next.end(kill.target, -1);
        return std::move(next).finish();
    }
    auto const value = asked.returned();
    if (!value) return wrong_result(asked, "kill did not return");
    auto const& ended = asked.outcome.ended_others;
    if (target.life == Life::zombie) {
        // xv6's kill finds a zombie by its pid and returns 0; kernels that look for living processes return -1.
        if (*value != 0 && *value != kFailed) return wrong_result(asked, "kill of a zombie returned neither 0 nor -1");
        if (!ended.empty()) return wrong_result(asked, "kill of a zombie ended another process");
        return std::move(next).finish();
    }
    if (*value != 0) return wrong_result(asked, fmt::format("kill did not find p{}, which runs", kill.target.value));
    if (std::find(ended.begin(), ended.end(), kill.target) == ended.end())
        return wrong_result(asked, fmt::format("kill returned 0, but p{} lives on", kill.target.value));
    if (ended.size() != 1)
        return wrong_result(asked, fmt::format("kill of p{} ended other processes as well", kill.target.value));
    next.end(kill.target, -1);
    return std::move(next).finish();
}

Judged judge(Asked const& asked, Exec const&) {
    if (asked.restarted()) {
        Transition next{asked.world};
        next.replace_image(asked.actor());
        return std::move(next).finish();
    }
    if (asked.returned() != kFailed) return wrong_result(asked, "exec neither started the program nor returned -1");
    if (!asked.memory_was_short()) return wrong_result(asked, "exec of /init failed with enough memory free");
    return unchanged(asked.world);
}

}  // namespace vmcheck::spec
