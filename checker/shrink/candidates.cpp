#include "checker/shrink/candidates.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace vmcheck::shrink {

namespace {

using namespace spec;

Program with_steps(Program const& program, std::vector<Step> steps) {
    return {program.profile, std::move(steps), program.about, program.memory, program.harts};
}

// ---- simpler arguments: for each kind of value, what is simpler than it
// ------------------------------------------------

template <class T>
void push_unless_equal(std::vector<T>& simpler, T const& candidate, T const& original) {
    if (!(candidate == original) && std::find(simpler.begin(), simpler.end(), candidate) == simpler.end())
        simpler.push_back(candidate);
}

std::vector<Address> simpler(Address const& address) {
    constexpr auto kPage = static_cast<std::int64_t>(4096);
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

// The address of an access by instruction.
std::optional<Address> accessed(Action const& action) {
    if (auto const* load = std::get_if<Load>(&action)) return load->at;
    if (auto const* store = std::get_if<Store>(&action)) return store->at;
    if (auto const* touch = std::get_if<Touch>(&action)) return touch->at;
    if (auto const* fetch = std::get_if<Fetch>(&action)) return fetch->at;
    return std::nullopt;
}

std::vector<std::int64_t> simpler(std::int64_t amount) {
    constexpr std::int64_t kPage = 4096;
    if (amount == kPage || amount == -kPage) return {0};
    std::vector<std::int64_t> all;
    std::int64_t const pages = amount / kPage;
    for (std::int64_t candidate : {std::int64_t{0}, kPage, -kPage, pages * kPage, amount / 2})
        if (std::abs(candidate) <= std::abs(amount)) push_unless_equal(all, candidate, amount);
    if (amount % kPage != 0) push_unless_equal(all, (pages + (amount < 0 ? -1 : 1)) * kPage, amount);
    // Down to the least that will do, in ever smaller parts, the last of one page: what matters may begin at some
    // number of pages.
    for (std::int64_t part = 2; pages / part != 0; part *= 2)
        push_unless_equal(all, (pages - pages / part) * kPage, amount);
    return all;
}

std::vector<std::uint32_t> simpler(std::uint32_t length) {
    std::vector<std::uint32_t> all;
    for (std::uint32_t candidate : {1U, 8U, length / 2, length - 1})
        if (candidate < length && candidate > 0) push_unless_equal(all, candidate, length);
    return all;
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

std::vector<std::uint64_t> simpler_value(std::uint64_t value) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t candidate : {std::uint64_t{1}, std::uint64_t{2}, value & 0xff})
        if (candidate < value) push_unless_equal(all, candidate, value);
    return all;
}

// For each member of each action: candidates that differ from the action in that member alone.
class ActionSimplifier {
  public:
    std::vector<Action> operator()(Action const& action) {
        all_.clear();
        std::visit([&](auto const& each) { visit(each); }, action);
        return std::move(all_);
    }

  private:
    template <class Kind, class Value, class Candidates>
    void vary(Kind const& original, Value Kind::*member, Candidates const& candidates) {
        for (Value const& candidate : candidates) {
            Kind changed = original;
            changed.*member = candidate;
            all_.emplace_back(std::move(changed));
        }
    }
    template <class Kind>
    void vary_address(Kind const& original, Address Kind::*member) {
        vary(original, member, simpler(original.*member));
    }

    void visit(Fork const&) {}
    void visit(Exec const&) {}
    void visit(Kill const&) {}
    void visit(Exit const& exit) {
        if (exit.status != 0) all_.emplace_back(Exit{0});
    }
    void visit(Wait const& wait) {
        if (!wait.status) return;
        all_.emplace_back(Wait{});
        for (Address const& address : simpler(*wait.status)) all_.emplace_back(Wait{address});
    }
    void visit(Sbrk const& sbrk) {
        vary(sbrk, &Sbrk::bytes, simpler(sbrk.bytes));
        if (sbrk.mode != SbrkMode::by_profile) all_.emplace_back(Sbrk{sbrk.bytes, SbrkMode::by_profile});
    }
    void visit(Load const& load) {
        vary_address(load, &Load::at);
        vary(load, &Load::size, smaller_size(load.size));
    }
    void visit(Store const& store) {
        vary_address(store, &Store::at);
        vary(store, &Store::size, smaller_size(store.size));
        vary(store, &Store::value, simpler_value(store.value));
    }
    void visit(Touch const& touch) {
        vary_address(touch, &Touch::at);
        vary(touch, &Touch::pages, simpler(touch.pages));
    }
    void visit(PipeWrite const& write) {
        vary_address(write, &PipeWrite::from);
        vary(write, &PipeWrite::bytes, simpler(write.bytes));
    }
    void visit(PipeRead const& read) {
        vary_address(read, &PipeRead::to);
        vary(read, &PipeRead::bytes, simpler(read.bytes));
    }
    void visit(FileRead const& read) {
        vary_address(read, &FileRead::to);
        vary(read, &FileRead::bytes, simpler(read.bytes));
    }
    void visit(Fstat const& fstat) { vary_address(fstat, &Fstat::to); }
    void visit(Pipe const& pipe) { vary_address(pipe, &Pipe::to); }
    void visit(Open const& open) { vary_address(open, &Open::path); }
    void visit(SetSp const& set_sp) {
        // Just above a small heap: a place that a program's stack could well have.
        if (is_out_of_reach(set_sp.to)) all_.emplace_back(SetSp{{Anchor::heap, 4096}});
        vary_address(set_sp, &SetSp::to);
    }
    void visit(Fetch const& fetch) { vary_address(fetch, &Fetch::at); }

    static std::vector<std::uint8_t> smaller_size(std::uint8_t size) {
        // One byte is the plainest access, eight the most common one: both are simpler than what lies between.
        if (size == 1) return {};
        if (size == 8) return {1};
        return {1, 8};
    }

    std::vector<Action> all_;
};

}  // namespace

std::vector<Program> without_subtrees(Program const& program) {
    std::vector<Program> all;
    for (Step const& step : program.steps) {
        auto const* fork = std::get_if<Fork>(&step.action);
        if (fork == nullptr) continue;
        std::set<ProcId> gone{fork->child};
        std::vector<Step> kept;
        for (Step const& each : program.steps) {
            auto const* other = std::get_if<Fork>(&each.action);
            auto const* kill = std::get_if<Kill>(&each.action);
            bool const by_gone = gone.contains(each.actor);
            if (other != nullptr && by_gone) gone.insert(other->child);
            bool const of_gone =
                (other != nullptr && gone.contains(other->child)) || (kill != nullptr && gone.contains(kill->target));
            if (!by_gone && !of_gone) kept.push_back(each);
        }
        all.push_back(with_steps(program, std::move(kept)));
    }
    return all;
}

std::vector<Program> with_children_merged(Program const& program) {
    std::vector<Program> all;
    for (Step const& fork_step : program.steps) {
        auto const* fork = std::get_if<Fork>(&fork_step.action);
        if (fork == nullptr) continue;
        ProcId const child = fork->child;
        ProcId const parent = fork_step.actor;
        auto const merged = [&](ProcId into, bool keeps_waits) {
            std::vector<Step> kept;
            bool reaped = keeps_waits;
            for (std::size_t i = 0; i < program.steps.size(); ++i) {
                Step step = program.steps[i];
                bool const last = i + 1 == program.steps.size();
                auto const* other = std::get_if<Fork>(&step.action);
                auto const* kill = std::get_if<Kill>(&step.action);
                bool const ends = step.actor == child && std::holds_alternative<Exit>(step.action);
                bool const reaps = !reaped && step.actor == parent && std::holds_alternative<Wait>(step.action);
                // The last step is where the failure shows: it stays.
                if (!last) {
                    if (ends || (other != nullptr && other->child == child) ||
                        (kill != nullptr && kill->target == child))
                        continue;
                    if (reaps) {
                        reaped = true;
                        continue;
                    }
                }
                if (step.actor == child) step.actor = into;
                kept.push_back(step);
            }
            all.push_back(with_steps(program, std::move(kept)));
        };
        for (bool keeps_waits : {false, true}) {
            merged(parent, keeps_waits);
            if (parent != kInit) merged(kInit, keeps_waits);
        }
    }
    return all;
}

std::vector<Program> without_chunks(Program const& program) {
    std::vector<Program> all;
    std::size_t const count = program.steps.size();
    for (std::size_t chunk = count / 2; chunk >= 1; chunk /= 2) {
        // The last step is where the failure shows: it stays.
        for (std::size_t end = count - 1; end > 0; end = end > chunk ? end - chunk : 0) {
            std::size_t const begin = end > chunk ? end - chunk : 0;
            std::vector<Step> kept(program.steps.begin(), program.steps.begin() + static_cast<std::ptrdiff_t>(begin));
            kept.insert(kept.end(), program.steps.begin() + static_cast<std::ptrdiff_t>(end), program.steps.end());
            all.push_back(with_steps(program, std::move(kept)));
        }
    }
    return all;
}

std::vector<Program> with_simpler_arguments(Program const& program) {
    std::vector<Program> all;
    if (program.memory) {
        all.push_back(program);
        all.back().memory.reset();
    }
    if (program.harts) {
        all.push_back(program);
        all.back().harts.reset();
    }
    ActionSimplifier simplify;
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
        auto const replace = [&](Step const& step) {
            std::vector<Step> steps = program.steps;
            steps[i] = step;
            all.push_back(with_steps(program, std::move(steps)));
        };
        Step const& step = program.steps[i];
        for (Faults const& faults : simpler(step.faults)) replace({step.actor, step.action, faults});
        for (Action const& action : simplify(step.action)) replace({step.actor, action, step.faults});
        bool const is_its_last =
            std::none_of(program.steps.begin() + static_cast<std::ptrdiff_t>(i) + 1, program.steps.end(),
                         [&](Step const& later) { return later.actor == step.actor; });
        auto const at = accessed(step.action);
        if (step.actor != kInit && is_its_last && i + 1 < program.steps.size() && at && is_out_of_reach(*at))
            replace({step.actor, Exit{0}, {}});
        // The same deed by p0, which needs no fork.
        if (step.actor != kInit && !std::holds_alternative<Exit>(step.action))
            replace({kInit, step.action, step.faults});
    }
    return all;
}

std::vector<Program> with_earlier_failing_allocations(Program const& program) {
    // Long programs are for the other stages first.
    constexpr std::size_t kStepsMax = 8;
    std::vector<Program> all;
    if (program.steps.empty() || program.steps.size() > kStepsMax) return all;
    Step const last = program.steps.back();
    if (!last.faults.oom) return all;
    auto const add = [&](std::vector<Step> steps, ProcId actor, std::uint32_t oom) {
        steps.push_back(
            {actor, last.action, Faults{oom, last.faults.preempt, last.faults.meanwhile, last.faults.switch_hart}});
        all.push_back(with_steps(program, std::move(steps)));
    };
    std::vector<Step> const before(program.steps.begin(), program.steps.end() - 1);
    for (std::uint32_t oom = 1; oom <= *last.faults.oom; ++oom) {
        add({}, kInit, oom);
        if (oom < *last.faults.oom) add(before, last.actor, oom);
        for (std::size_t i = 0; i < before.size(); ++i) {
            std::vector<Step> kept = before;
            kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
            add(kept, last.actor, oom);
        }
    }
    // What leaves most out comes first.
    std::stable_sort(all.begin(), all.end(),
                     [](Program const& a, Program const& b) { return a.steps.size() < b.steps.size(); });
    return all;
}

std::vector<Program> with_one_switch_for_two(Program const& program) {
    constexpr std::uint32_t kBlocksMax = 256;
    std::vector<Program> all;
    for (std::size_t i = 0; i + 1 < program.steps.size(); ++i) {
        Faults const &first = program.steps[i].faults, &second = program.steps[i + 1].faults;
        if (!second.meanwhile || !first.switch_hart || !second.switch_hart) continue;
        std::vector<Step> steps = program.steps;
        steps[i + 1].faults.switch_hart.reset();
        for (std::uint32_t after = 1; after <= kBlocksMax; ++after) {
            steps[i].faults.switch_hart = after;
            all.push_back(with_steps(program, steps));
        }
    }
    return all;
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
