#include "checker/repro/plan.h"

#include "checker/report/expect.h"
#include "checker/report/step_words.h"
#include "checker/repro/layout.h"
#include "checker/repro/visible.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <variant>

namespace vmcheck::repro {

namespace {

using namespace report;  // the words
using Words = tl::expected<void, std::string>;

class Planner {
  public:
    explicit Planner(OwnLayout const& own) : finding_(own.finding), below_zero_(own.below_zero) {
        plan_.on_own_stack = own.on_own_stack;
    }

    tl::expected<Plan, std::string> make() {
        if (finding_.program.memory) return cannot("it needs a machine on which only a few frames are free");
        plan_.measures_memory = rank_of(finding_) == Rank::leak;
        if (goes_far()) plan_.heap = finding_.evidence.heap_start;
        for (std::size_t i = 0; i < finding_.records.size(); ++i) {
            if (auto done = i + 1 < finding_.records.size() ? step(i) : last_step(i); !done)
                return tl::unexpected(done.error());
        }
        if (descriptors() > kOpenFilesMax)
            return cannot("it would need more open files at a time than xv6 gives a process");
        return plan_;
    }

  private:
    static constexpr std::size_t kOpenFilesMax = 16;  // NOFILE in kernel/param.h

    // Whether the program comes to where addresses themselves matter: to another table of the last level, or to bit 31.
    bool goes_far() const {
        constexpr std::int64_t kFar = std::int64_t{1} << 20;
        bool far = false, below = false;
        for (spec::Step step : finding_.program.steps) {
            auto const* sbrk = std::get_if<spec::Sbrk>(&step.action);
            far = far || (sbrk != nullptr && sbrk->bytes >= kFar);
            spec::for_each_address(step.action, [&](spec::Address const& at, spec::Access, std::uint64_t) {
                far = far || (at.anchor == spec::Anchor::heap && at.offset >= kFar);
                below = below || (at.anchor == spec::Anchor::heap && at.offset < 0);  // the stack's end
            });
        }
        return far && !below;
    }

    // How many a process has open at the end, at most: what vmcheck's program closes again stays open in this one.
    std::size_t descriptors() const {
        std::size_t count = 3 + 2 + 2;  // the console, the pipe to main, and the one for p0's turns
        Helpers all;
        for (spec::Step const& step : finding_.program.steps) {
            Helpers uses = repro_expression(step.action).uses;
            // A fork makes the pipe for the child's turns.
            if (std::holds_alternative<spec::Fork>(step.action) || std::holds_alternative<spec::Pipe>(step.action))
                count += 2;
            count += uses.count(Variable::file);
            all.merge(uses);
        }
        return count + 2 * all.count(Variable::fds);
    }

    // The actor's own later steps, other than its exit.
    bool has_more_to_do(std::size_t at) const {
        spec::Step const& step = finding_.program.steps[at];
        return std::ranges::any_of(std::span(finding_.program.steps).subspan(at + 1), [&](spec::Step const& later) {
            return later.actor == step.actor && !std::holds_alternative<spec::Exit>(later.action);
        });
    }

    // An exec that is not to be refused.
    bool starts_program(std::size_t at) const {
        return std::holds_alternative<spec::Exec>(finding_.program.steps[at].action) &&
               !must_fail(finding_.records[at].expected);
    }

    // Why this step cannot be done by a user program on any kernel; what the steps before have left is known.
    Words can_do(std::size_t at) {
        spec::Step const& step = finding_.program.steps[at];
        if (step.faults.oom)
            return cannot(
                "it needs a kalloc that fails at a chosen moment. Filling memory first, "
                "while (sbrk(4096) != (char *)-1), may bring that about by hand");
        if (step.faults.switch_hart)
            return cannot("it needs two harts at chosen places in the kernel, which a user program cannot bring about");
        if (step.faults.preempt || step.faults.meanwhile)
            return cannot(
                "it needs a timer interrupt at a chosen instruction, which a user program cannot bring about");
        if (auto const* kill = std::get_if<spec::Kill>(&step.action); kill && !knows(step.actor, kill->target))
            return cannot(fmt::format("p{} cannot know the pid of p{}", step.actor.value, kill->target.value));
        if (std::holds_alternative<spec::Wait>(step.action) && step.actor == spec::kInit && orphans_before(at))
            return cannot("orphans go to the first process, which p0 is in vmcheck's program and not in this one");
        auto const* exec = std::get_if<spec::Exec>(&step.action);
        if (exec && exec->program != spec::Executable::init)
            return cannot("it executes a program that is only on vmcheck's disk");
        if (exec && starts_program(at) && (exec->arguments || !plan_.measures_memory || has_more_to_do(at)))
            return cannot("it goes on after an exec, in a fresh image that this program does not have");
        if (auto const access = access_of(step.action); access && leaves_its_page(access->at, access->bytes))
            return cannot(kOtherImage);
        if (std::holds_alternative<spec::Pipe>(step.action) && plan_.measures_memory &&
            failed(finding_.records[at].seen))
            return cannot(
                "a pipe that failed may only have been left open, and then its memory is back when its process ends");
        return {};
    }

    // Whether a process other than p0 has ended before without having waited for each of its children.
    bool orphans_before(std::size_t at) const {
        auto const before = std::span(finding_.records).first(at);
        return std::ranges::any_of(before, [&](run::StepRecord const& made) {
            auto const* fork = std::get_if<spec::Fork>(&made.step.action);
            spec::ProcId const parent = made.step.actor;
            if (fork == nullptr || parent == spec::kInit || !has_ended(parent)) return false;
            return std::ranges::none_of(before, [&](run::StepRecord const& waited) {
                return waited.step.actor == parent && std::holds_alternative<spec::Wait>(waited.step.action) &&
                       is_pid_of(fork->child, waited);
            });
        });
    }

    // Whether the wait gave just this child.
    static bool is_pid_of(spec::ProcId child, run::StepRecord const& waited) {
        return std::ranges::any_of(waited.expected, [&](spec::Result const& result) {
            auto const* pid = std::get_if<spec::PidOf>(&result);
            return pid && pid->child == child && waited.seen && is_among({result}, *waited.seen);
        });
    }

    // A process knows those that were forked before it was, by itself or by an ancestor.
    bool knows(spec::ProcId who, spec::ProcId target) const {
        auto const found = known_.find(who);
        return who == target || target == spec::kInit || (found != known_.end() && found->second.contains(target));
    }

    Turn turn_of(std::size_t at) {
        spec::Step const& step = finding_.program.steps[at];
        run::StepRecord const& record = finding_.records[at];
        auto const below = below_zero_.find(at);
        Turn turn{.actor = step.actor,
                  .code = repro_expression(step.action, stack_pointers_[step.actor],
                                           below == below_zero_.end() ? std::nullopt : std::optional(below->second))};
        if (!turn.code.text.empty()) turn.code.text += ';';
        if (auto const* set = std::get_if<spec::SetSp>(&step.action)) stack_pointers_[step.actor] = set->to;
        if (auto const* fork = std::get_if<spec::Fork>(&step.action);
            fork && record.seen && is_among({spec::NewChild{fork->child}}, *record.seen)) {
            turn.forks = fork->child;
            known_[fork->child] = known_[step.actor];
            known_[step.actor].insert(fork->child);
            // A child begins with its parent's registers.
            stack_pointers_[fork->child] = stack_pointers_[step.actor];
        }
        if (std::holds_alternative<spec::Kill>(step.action))
            turn.code = code({Function::settle}, "{} settle();", turn.code);
        if (auto const* exit = std::get_if<spec::Exit>(&step.action)) turn.exit_status = exit->status;
        for (spec::Result const& result : record.expected)
            if (auto const* ends = std::get_if<spec::EndsOther>(&result)) turn.kills = ends->target;
        if (was_killed(record.seen, step)) turn.exit_status = -1;
        turn.ends = (record.seen && std::holds_alternative<spec::Ended>(record.seen->what)) || starts_program(at);
        return turn;
    }

    bool has_ended(spec::ProcId actor) const {
        return std::ranges::any_of(plan_.turns, [&](Turn const& turn) { return turn.is_end_of(actor); });
    }

    Words step(std::size_t at) {
        if (auto can = can_do(at); !can) return can;
        if (has_ended(finding_.program.steps[at].actor)) return {};  // the exit after an exec
        Turn turn = turn_of(at);
        if (!turn.code.text.empty()) plan_.turns.push_back(std::move(turn));
        return {};
    }

    Words last_step(std::size_t at) {
        if (plan_.measures_memory) return step(at);
        if (auto can = can_do(at); !can) return can;
        if (spec::is_about_outcome(finding_.divergence.violations.front())) return judge_result(at);
        return make_visible(
            finding_, [&] { return turn_of(at); }, plan_);
    }

    // The failing step's own result is what is wrong.
    Words judge_result(std::size_t at) {
        spec::Step const& step = finding_.program.steps[at];
        run::StepRecord const& record = finding_.records[at];
        std::vector<spec::Result> expected = record.expected;
        if (record.seen && is_among(expected, *record.seen))
            return cannot("the result alone does not show what is wrong");
        bool const value_matters =
            !was_killed(record.seen, step) && finding_.signature.invariant != spec::Invariant::liveness;
        bool const loads =
            std::holds_alternative<spec::Load>(step.action) || std::holds_alternative<spec::Touch>(step.action);
        bool const must_die = must_be_killed(expected, step);
        if (loads && !must_die && !value_is_known(finding_)) {
            if (value_matters) return cannot("the value that must be read is one of vmcheck's own image");
            expected.clear();
        }
        if (loads && std::ranges::find(expected, spec::Result{spec::Exactly{0}}) != expected.end())
            leave_garbage(plan_);
        Turn turn = turn_of(at);
        bool const exits = std::holds_alternative<spec::Exit>(step.action);
        // What a result of the step that is an address is relative to.
        auto const heap = std::holds_alternative<spec::Sbrk>(step.action) ? finding_.evidence.heap_start : std::nullopt;
        std::string const what = in_words(step);
        if (auto const* fork = std::get_if<spec::Fork>(&step.action)) {
            turn.check =
                code({Function::expect}, "expect({} {} 0, \"p{}'s fork must {}\");", pid_of(fork->child),
                     must_fail(expected) ? "<" : ">", step.actor.value, must_fail(expected) ? "fail" : "succeed");
            turn.forks = fork->child;
        } else if (Code const condition = repro_condition(expected, heap); !condition.text.empty()) {
            turn.code.text = "long r = (long)" + turn.code.text;
            turn.check = code({Function::expect}, "expect({}, \"{} must give {}\");", condition, what,
                              expected_words(expected, step, OwnProgram{heap}));
        }
        turn.ends = must_die || exits;
        turn.exit_status = must_die ? -1 : exits ? turn.exit_status : 0;
        plan_.complaint = must_die ? fmt::format("{} must kill p{}", what, step.actor.value)
                                   : fmt::format("p{} must survive {}", step.actor.value, what);
        plan_.turns.push_back(std::move(turn));
        return {};
    }

    Finding const& finding_;
    std::map<std::size_t, std::int64_t> const& below_zero_;
    Plan plan_;
    std::map<spec::ProcId, std::set<spec::ProcId>> known_;
    std::map<spec::ProcId, std::optional<spec::Address>> stack_pointers_;
};

}  // namespace

tl::expected<Plan, std::string> plan_of(Finding const& finding) {
    if (!is_solid(finding) || finding.records.size() != finding.program.steps.size())
        return cannot("it did not come back on the freshly booted kernel");
    auto const moved = in_own_layout(finding);
    if (!moved) return tl::unexpected(moved.error());
    return Planner(*moved).make();
}

}  // namespace vmcheck::repro
