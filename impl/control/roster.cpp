#include "impl/control/roster.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace vmcheck {

// ---- hypercalls

tl::expected<spec::ProcId, spec::Lost> Roster::recognise(Call const& call) {
    auto const known = std::ranges::find(agents_, call.root, &Agent::root);
    if (known == agents_.end()) return welcome(call);
    if (call.tag != tag_of(known->id)) {
        // Of two steps at a time, one may end a process and the other's fork get the frame of its page table.
        if (is_at_work(known->id) && expected_with(call.tag) != expected_.end()) {
            known->root = FrameNo{};
            return welcome(call);
        }
        return tl::unexpected(spec::Lost{fmt::format("p{} came back with other registers: s11 was {:#x} and is {:#x}",
                                                     known->id.value, tag_of(known->id), call.tag)});
    }
    current_ = known->id;
    note_result(known->id, spec::Returned{call.value});
    return known->id;
}

// A page table that was not seen before: /init itself, an exec that succeeded, or the child of a fork.
tl::expected<spec::ProcId, spec::Lost> Roster::welcome(Call const& call) {
    if (agents_.empty()) {
        agents_.push_back({spec::kInit, 0, call.root});
        current_ = spec::kInit;
        return spec::kInit;
    }
    if (exec_by_ && call.value == VMCHECK_AGENT_FRESH) {
        if (auto const agent = place_of(*exec_by_); agent != agents_.end()) agent->root = call.root;
        current_ = exec_by_;
        note_result(*exec_by_, spec::Restarted{});
        return *exec_by_;
    }
    auto const expected = expected_with(call.tag);
    if (expected == expected_.end())
        return tl::unexpected(spec::Lost{fmt::format(
            "a process that nobody forked runs user code (its page table is at frame {:#x}, its s11 holds {:#x})",
            call.root.value, call.tag)});
    if (call.value != 0)
        return tl::unexpected(
            spec::Lost{fmt::format("fork returned {:#x} in the child, where it must return 0", call.value)});
    spec::ProcId const child = expected->child;
    agents_.push_back({child, expected->pid, call.root});
    expected_.erase(expected);
    current_ = child;
    return child;
}

// A child asks with its parent's tag.
std::vector<Roster::ExpectedChild>::iterator Roster::expected_with(std::uint64_t tag) {
    return std::find_if(expected_.begin(), expected_.end(),
                        [&](ExpectedChild const& each) { return tag == tag_of(each.parent); });
}

void Roster::note_result(spec::ProcId who, spec::Completion const& result) {
    for (AtWork& each : at_work_)
        if (each.who == who && !each.result) each.result = result;
}

// ---- who there is

std::vector<Agent>::iterator Roster::place_of(spec::ProcId id) {
    return std::ranges::find(agents_, id, &Agent::id);
}

Agent const* Roster::find(spec::ProcId id) const {
    auto const at = std::ranges::find(agents_, id, &Agent::id);
    return at == agents_.end() ? nullptr : &*at;
}

std::optional<std::uint64_t> Roster::pid_of(spec::ProcId id) const {
    if (Agent const* agent = find(id)) return agent->pid;
    auto const at = std::ranges::find(ended_, id, &Agent::id);
    return at == ended_.end() ? std::nullopt : std::optional(at->pid);
}

void Roster::set_pid(spec::ProcId id, std::uint64_t pid) {
    if (auto const agent = place_of(id); agent != agents_.end()) agent->pid = pid;
    for (ExpectedChild& each : expected_)
        if (each.child == id) each.pid = pid;
}

void Roster::end(spec::ProcId id) {
    auto const at = place_of(id);
    if (at == agents_.end()) return;
    ended_.push_back(*at);
    agents_.erase(at);
    if (current_ == id) current_.reset();
}

void Roster::end_unasked(spec::ProcId id) {
    end(id);
    ended_unasked_.push_back(id);
}

std::vector<spec::ProcId> Roster::take_ended_unasked() {
    return std::exchange(ended_unasked_, {});
}

void Roster::forget(std::uint64_t pid) {
    // Without a process table this is how the end of a process at work comes to be known.
    for (AtWork const& each : at_work_)
        if (Agent const* agent = find(each.who); agent != nullptr && agent->pid == pid && pid != 0) {
            end(each.who);
            break;
        }
    std::erase_if(ended_, [&](Agent const& agent) { return agent.pid == pid; });
}

// ---- steps and orders

void Roster::begin_step() {
    at_work_.clear();
    expected_.clear();
    ended_unasked_.clear();
}

void Roster::end_order(spec::ProcId actor) {
    std::erase_if(at_work_, [&](AtWork const& each) { return each.who == actor; });
}

bool Roster::is_at_work(spec::ProcId who) const {
    return std::any_of(at_work_.begin(), at_work_.end(),
                       [&](AtWork const& each) { return each.who == who && !each.result; });
}

std::optional<spec::Completion> Roster::result_of(spec::ProcId actor) const {
    auto const at = std::ranges::find(at_work_, actor, &AtWork::who);
    return at == at_work_.end() ? std::nullopt : at->result;
}

bool Roster::expects_child_of(spec::ProcId parent) const {
    return std::ranges::find(expected_, parent, &ExpectedChild::parent) != expected_.end();
}

void Roster::abandon_child_of(spec::ProcId parent) {
    std::erase_if(expected_, [&](ExpectedChild const& each) { return each.parent == parent; });
}

}  // namespace vmcheck
