#include "spec/bytes.h"
#include "spec/rules/copyout.h"
#include "spec/rules/reach.h"
#include "spec/rules/rules.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

class Diagnosis {
  public:
    Diagnosis(Question question, Outcome const& outcome, FrameCensus const& before, Answers const& given)
        : question_(question), outcome_(outcome), before_(before), given_(given) {
        if (auto const* returned = std::get_if<Returned>(&outcome.what)) value_ = returned->value;
    }

    Violation take() {
        wrong_.mistake = mistake();
        wrong_.step = question_.step;
        wrong_.allowed = expected_results(question_.world, question_.step, allocation_failed(outcome_));
        wrong_.seen = outcome_;
        return {.invariant = breaks_liveness(wrong_.mistake) ? Invariant::liveness : Invariant::results,
                .process = question_.actor(),
                .facts = std::move(wrong_)};
    }

  private:
    static bool breaks_liveness(Mistake mistake) {
        return mistake == Mistake::panicked || mistake == Mistake::never_ended || mistake == Mistake::slept ||
               mistake == Mistake::fork_child_never_ran;
    }

    Mistake mistake() {
        if (std::holds_alternative<Lost>(outcome_.what)) return Mistake::lost;
        if (auto const* panicked = std::get_if<Panicked>(&outcome_.what)) {
            // No step that p0 is asked to do may end it; a kernel that ends it can only panic.
            bool const by_end = question_.actor() == kInit && !panicked->message.empty() && is_end_of_init(*panicked);
            return by_end ? Mistake::init_killed : Mistake::panicked;
        }
        if (std::holds_alternative<Stuck>(outcome_.what)) return Mistake::never_ended;
        if (std::holds_alternative<Blocked>(outcome_.what)) return Mistake::slept;
        if (outcome_.child_started && !std::holds_alternative<Fork>(question_.step.action))
            return Mistake::started_process;
        if (!outcome_.ended_others.empty() && !std::holds_alternative<Kill>(question_.step.action)) {
            wrong_.other = outcome_.ended_others.front();
            return Mistake::ended_other;
        }
        return std::visit([&](auto const& action) { return of(action); }, question_.step.action);
    }

    // ---- by kind of step; a kind of which nothing particular can be said gets the first

    template <class Kind>
    Mistake of(Kind const& action) const {
        if constexpr (Row<Kind>::way == Way::fault) return of_access(action);
        if (!value_) return Mistake::did_not_return;
        return Mistake::other_result;
    }

    template <class Kind>
    Mistake of_access(Kind const&) const {
        if (std::holds_alternative<Ended>(outcome_.what)) return Mistake::killed_though_legal;
        if (!value_) return Mistake::did_not_complete;
        bool const possibly_legal = std::any_of(given_.begin(), given_.end(), [](Answer const& answer) {
            return !std::holds_alternative<Ends>(answer.result);
        });
        if (!possibly_legal) return Mistake::survived_though_fatal;
        if constexpr (std::is_same_v<Kind, Store>) return Mistake::registers_changed;
        if constexpr (std::is_same_v<Kind, Fetch>) return Mistake::fetch_changed_a0;
        return Mistake::read_other_bytes;
    }

    Mistake of(SetSp const&) const { return Mistake::sp_change_fatal; }
    Mistake of(Exit const&) const { return Mistake::exit_came_back; }

    Mistake of(Fork const&) {
        World const& world = question_.world;
        wrong_.in_use = world.processes().size();
        wrong_.limit = world.setting().traits.processes_max;
        if (!value_) return Mistake::did_not_return;
        if (*value_ == kFailed)
            return outcome_.child_started ? Mistake::fork_failed_but_child_runs : Mistake::fork_failed;
        if (wrong_.in_use >= wrong_.limit) return Mistake::fork_beyond_table;
        if (*value_ == 0 || *value_ > kIntMax) return Mistake::fork_returned_no_pid;
        if (Process const* other = with_pid(world, *value_)) {
            wrong_.other = other->id;
            return Mistake::fork_pid_in_use;
        }
        return Mistake::fork_child_never_ran;
    }

    Mistake of(Wait const&) {
        if (!value_) return Mistake::did_not_return;
        if (question_.world.children(question_.actor()).empty()) return Mistake::wait_found_nobodys_child;
        if (*value_ == kFailed) return Mistake::wait_found_no_zombie;
        Process const* child = with_pid(question_.world, *value_);
        if (!child || child->parent != question_.actor()) return Mistake::wait_returned_no_child;
        wrong_.other = child->id;
        return child->life == Life::zombie ? Mistake::wait_stored_at_bad_address : Mistake::wait_returned_the_living;
    }

    Mistake of(Kill const& kill) {
        wrong_.other = kill.target;
        bool const ended_others = !outcome_.ended_others.empty();
        if (kill.target == question_.actor())
            return ended_others ? Mistake::kill_ended_others : Mistake::killed_itself_and_lives;
        if (!value_) return Mistake::did_not_return;
        if (question_.world.find(kill.target)->life == Life::zombie)
            return ended_others ? Mistake::kill_of_zombie_ended_other : Mistake::kill_of_zombie_wrong;
        if (*value_ != 0) return Mistake::kill_did_not_find;
        auto const& ended = outcome_.ended_others;
        bool const target_ended = std::find(ended.begin(), ended.end(), kill.target) != ended.end();
        return target_ended ? Mistake::kill_ended_others : Mistake::kill_left_alive;
    }

    Mistake of(Exec const& exec) const {
        if (std::holds_alternative<Restarted>(outcome_.what))
            return exec.program == Executable::broken ? Mistake::exec_started_broken : Mistake::exec_took_bad_arguments;
        if (value_ != kFailed) return Mistake::exec_neither;
        return exec.program == Executable::init ? Mistake::exec_failed : Mistake::exec_of_large_failed;
    }

    Mistake of(Sbrk const&) const {
        if (!value_) return Mistake::did_not_return;
        bool const wants_excuse = std::any_of(given_.begin(), given_.end(), [&](Answer const& answer) {
            return answer.excuse && shows(answer.result, outcome_, question_.world);
        });
        if (wants_excuse) return Mistake::sbrk_failed;
        VirtAddr const brk = question_.world.find(question_.actor())->space->brk;
        bool const as_told = question_.world.setting().traits.sbrk_returns_int && *value_ == as_int(brk.value);
        return *value_ == brk.value || as_told ? Mistake::sbrk_accepted : Mistake::sbrk_returned_neither;
    }

    // Some answer of a copy that fails may be given here.
    bool copy_may_fail() const {
        return std::any_of(given_.begin(), given_.end(), [&](Answer const& answer) {
            return answer.result == Result{Exactly{kFailed}} &&
                   is_excused(answer, question_.world, question_.step, outcome_, before_);
        });
    }

    Mistake of(PipeWrite const& write) const {
        if (!value_) return Mistake::did_not_return;
        if (*value_ == write.bytes) return Mistake::copyin_accepted;
        return copy_may_fail() ? Mistake::counted_unreadable : Mistake::took_less_than_given;
    }

    Mistake of(PipeRead const& read) const {
        if (!value_) return Mistake::did_not_return;
        if (read.bytes == 0) return Mistake::read_of_nothing_not_zero;
        std::size_t longest = 0;
        for (auto const& contents : question_.world.pipe()) longest = std::max(longest, contents.size());
        CopyRange const range{question_, question_.at(read.to), std::min<std::size_t>(read.bytes, longest)};
        bool const wrote_too_far = *value_ != kFailed && *value_ > range.possible();
        return wrote_too_far ? Mistake::copyout_accepted : Mistake::other_count_than_there_was;
    }

    Mistake of(FileRead const& read) const {
        if (!value_) return Mistake::did_not_return;
        std::uint64_t const size = question_.world.setting().data_file.contents.size();
        if (*value_ == std::min<std::uint64_t>(read.bytes, size)) return Mistake::copyout_accepted;
        return copy_may_fail() ? Mistake::counted_unwritable : Mistake::other_count_than_there_was;
    }

    Mistake of_all_or_nothing() const {
        if (value_ == kFailed) return Mistake::copy_failed_at_good_address;
        return value_ == std::uint64_t{0} ? Mistake::copyout_accepted : Mistake::copy_returned_neither;
    }
    Mistake of(Fstat const&) const { return of_all_or_nothing(); }
    Mistake of(Pipe const&) const { return of_all_or_nothing(); }

    Mistake of(Open const& open) const {
        if (!value_) return Mistake::did_not_return;
        if (*value_ == kFailed) return Mistake::open_did_not_find;
        if (*value_ > kIntMax) return Mistake::open_returned_neither;
        PathSeen const path = path_seen(question_.world, question_.actor(), question_.at(open.path));
        return path.terminated ? Mistake::open_found_missing : Mistake::open_took_bad_path;
    }

    Question question_;
    Outcome const& outcome_;
    FrameCensus const& before_;
    Answers const& given_;
    std::optional<std::uint64_t> value_;
    WrongAnswer wrong_;
};

}  // namespace

bool is_end_of_init(Panicked const& panicked) {
    return panicked.message.empty() || panicked.message.find("init") != std::string::npos;
}

Violation mistake_in(Question question, Outcome const& outcome, FrameCensus const& before, Answers const& given) {
    return Diagnosis{question, outcome, before, given}.take();
}

}  // namespace vmcheck::spec
