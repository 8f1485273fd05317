// fork, exit, wait, kill, yield.

#include "spec/bytes.h"
#include "spec/rules/copyout.h"
#include "spec/rules/rules.h"
#include "spec/rules/transition.h"

namespace vmcheck::spec {

Process const* with_pid(World const& world, std::uint64_t pid) {
    for (auto const& [id, process] : world.processes())
        if (id != kInit && process.pid == pid) return &process;
    return nullptr;
}

Answers answers(Question question, Fork const& fork) {
    World const& world = question.world;
    // xv6's process table has NPROC slots, and a zombie keeps its slot until it is waited for.
    if (world.processes().size() >= world.setting().traits.processes_max)
        return {{.result = Exactly{kFailed}, .after = [&world](Outcome const&) { return unchanged(world); }}};
    auto const spawned = [question, child = fork.child](Outcome const& outcome) {
        Transition next{question.world};
        next.spawn(question.actor(), child, value_of(outcome));
        return std::move(next).finish();
    };
    return {{.result = NewChild{fork.child}, .after = spawned}, fails_for_memory(question)};
}

Answers answers(Question question, Exit const& exit) {
    return {{.result = Ends{}, .after = [question, status = exit.status](Outcome const&) {
                 Transition next{question.world};
                 next.end(question.actor(), status);
                 return std::move(next).finish();
             }}};
}

namespace {

Answer reaps(CopyRange const& range, Process const& child, Reason reason) {
    auto const reaped = [range, id = child.id, status = child.exit_status](Outcome const&) {
        Copyout copyout{range};
        copyout.add_complete(little_endian(static_cast<std::uint32_t>(status), range.bytes()));
        copyout.transition().reap(id);
        return copyout.finish();
    };
    return {.result = PidOf{child.id, child.pid}, .reason = reason, .after = reaped};
}

}  // namespace

Answers answers(Question question, Wait const& wait) {
    World const& world = question.world;
    auto const children = world.children(question.actor());
    if (children.empty())
        return {{.result = Exactly{kFailed}, .after = [&world](Outcome const&) { return unchanged(world); }}};
    // Address 0 asks for no status (wait in proc.c), whichever way the program wrote it.
    VirtAddr const to = wait.status ? question.at(*wait.status) : VirtAddr{0};
    CopyRange const range{question, to, to == VirtAddr{0} ? 0 : kStatusBytes};
    Answers all;
    std::vector<Process const*> zombies;
    for (ProcId id : children)
        if (Process const* child = world.find(id); child->life == Life::zombie) zombies.push_back(child);
    // Any zombie will do: nothing orders them.
    if (range.may_succeed())
        for (Process const* zombie : zombies)
            all.push_back(reaps(range, *zombie, zombies.size() > 1 ? Reason::any_zombie : Reason::required));
    if (children.size() == 1 && world.find(children.front())->perhaps_reaped) {
        all.push_back({.result = Exactly{kFailed},
                       .reason = Reason::perhaps_reaped,
                       .after = [&world, child = children.front()](Outcome const&) {
                           Transition next{world};
                           next.reap(child);
                           return std::move(next).finish();
                       }});
        return all;
    }
    // As in xv6, and unlike POSIX: a wait that cannot store the status reaps nothing, so that the next one finds the
    // same child.
    if (range.bytes() == 0 || zombies.empty()) return all;
    auto const stores_nothing = [range, zombies](Outcome const&) {
        Copyout copyout{range};
        for (Process const* zombie : zombies)
            copyout.add_failed(little_endian(static_cast<std::uint32_t>(zombie->exit_status), kStatusBytes), 0);
        return copyout.finish();
    };
    range.add_failure(all, Exactly{kFailed}, stores_nothing);
    return all;
}

Answers answers(Question question, Kill const& kill) {
    World const& world = question.world;
    auto const ends = [&world, target = kill.target](Outcome const&) {
        Transition next{world};
        next.end(target, -1);
        return std::move(next).finish();
    };
    if (kill.target == question.actor()) return {{.result = Ends{}, .after = ends}};
    if (world.find(kill.target)->life == Life::running) return {{.result = EndsOther{kill.target}, .after = ends}};
    // xv6's kill finds a zombie by its pid and returns 0; kernels that look for living processes return -1.
    auto const nothing = [&world](Outcome const&) { return unchanged(world); };
    return {{.result = Exactly{0}, .reason = Reason::zombie_by_pid, .after = nothing},
            {.result = Exactly{kFailed}, .reason = Reason::zombie_by_pid, .after = nothing}};
}

Answers answers(Question question, Yield const&) {
    return {{.result = GoesOn{}, .after = [question](Outcome const&) { return unchanged(question.world); }}};
}

}  // namespace vmcheck::spec
