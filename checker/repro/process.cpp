#include "checker/repro/process.h"

#include "checker/report/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

namespace vmcheck::repro {

namespace {

using namespace report;  // the words
using spec::ProcId;

class Writer {
  public:
    explicit Writer(Plan const& plan) : plan_(plan) {
        for (Turn const& turn : plan.turns) {
            if (turn.forks) parents_[*turn.forks] = turn.actor;
            if (turn.forks) born_.push_back(*turn.forks);
        }
    }

    bool last_can_be_awaited() const {
        ProcId at = last().actor;
        // p0 waits for its child, which waits for its own, down to the one with the last turn: none may have ended
        // before.
        while (at != spec::kInit) {
            auto const parent = parents_.find(at);
            if (parent == parents_.end() || (at != last().actor && is_gone(at))) return false;
            at = parent->second;
        }
        return true;
    }

    // A process that is to do something after its end; nothing where there is none.
    std::optional<ProcId> busy_after_its_end() const {
        std::set<ProcId> ended;
        for (Turn const& turn : plan_.turns) {
            if (ended.contains(turn.actor)) return turn.actor;
            if (turn.ends) ended.insert(turn.actor);
            if (turn.kills) ended.insert(*turn.kills);
        }
        return std::nullopt;
    }

    std::vector<ProcessCode> write() const {
        std::vector<ProcessCode> all;
        std::transform(born_.rbegin(), born_.rend(), std::back_inserter(all), [&](ProcId child) {
            return ProcessCode{child, body(child)};
        });
        all.push_back({spec::kInit, body(spec::kInit)});
        return all;
    }

  private:
    Turn const& last() const { return plan_.turns.back(); }

    bool has_ended(ProcId id) const {
        return std::any_of(plan_.turns.begin(), plan_.turns.end() - 1,
                           [&](Turn const& turn) { return (turn.ends && turn.actor == id) || turn.kills == id; });
    }
    bool is_gone(ProcId id) const { return has_ended(id) || last().kills == id; }

    bool is_ancestor(ProcId ancestor, ProcId of) const {
        for (auto parent = parents_.find(of); parent != parents_.end(); parent = parents_.find(parent->second))
            if (parent->second == ancestor) return true;
        return false;
    }

    std::vector<std::string> body(ProcId id) const {
        std::vector<std::string> lines;
        bool ended = false;
        for (std::size_t i = 0; i < plan_.turns.size(); ++i) {
            if (plan_.turns[i].actor != id) continue;
            for (std::string& line : turn(i)) lines.push_back(std::move(line));
            ended = plan_.turns[i].ends && i + 1 < plan_.turns.size();
        }
        if (ended) return lines;
        // Even a process that must be killed by its last turn goes on to its end where it is not.
        if (id != last().actor && !is_ancestor(id, last().actor)) lines.push_back(fmt::format("await({});", id.value));
        for (std::string& line : endings(id)) lines.push_back(std::move(line));
        lines.push_back("exit(0);");
        return lines;
    }

    std::vector<std::string> turn(std::size_t at) const {
        Turn const& turn = plan_.turns[at];
        bool const first = at == 0;
        bool const final = at + 1 == plan_.turns.size();
        std::string line;
        if (!first && plan_.turns[at - 1].actor != turn.actor) {
            line += fmt::format("await({}); ", turn.actor.value);
            if (plan_.turns[at - 1].ends) line += "settle(); ";
        }
        bool const hands_over = !final && plan_.turns[at + 1].actor != turn.actor;
        std::string const pass = hands_over ? fmt::format("pass({});", plan_.turns[at + 1].actor.value) : "";
        // Who ends cannot hand over afterwards.
        if (turn.ends && hands_over) return {line + pass + ' ' + turn.code};
        // An `if` keeps its line to itself.
        if (turn.forks) {
            std::vector<std::string> lines{line + turn.code};
            if (!turn.check.empty()) lines.push_back(turn.check);
            if (hands_over) lines.push_back(pass);
            return lines;
        }
        line += turn.check.empty() ? turn.code : turn.code + ' ' + turn.check;
        return {line + (hands_over ? ' ' + pass : "")};
    }

    // Waits for the process with the last turn, or for the child on the way to it; then lets the others end.
    std::vector<std::string> endings(ProcId id) const {
        std::vector<std::string> lines;
        std::vector<ProcId> others;
        for (ProcId child : born_) {
            if (parents_.at(child) != id || has_ended(child)) continue;
            if (child == last().actor)
                lines.push_back(fmt::format("finish(pid[{}], {}, \"{}\");", child.value,
                                            last().ends ? last().exit_status : 0, escape_c_string(plan_.complaint)));
            else if (is_ancestor(child, last().actor))
                lines.push_back(fmt::format("finish(pid[{0}], 0, \"p{0} must survive\");", child.value));
            else
                others.push_back(child);
        }
        for (ProcId child : others) {
            bool const killed = last().kills == child;
            lines.push_back(fmt::format("pass({0}); finish(pid[{0}], {1}, \"p{0} must {2}\");", child.value,
                                        killed ? -1 : 0, killed ? "be killed" : "survive"));
        }
        // Orphans: nobody waits for them, but they must end as well.
        if (id == spec::kInit)
            for (ProcId child : born_)
                if (!is_gone(child) && child != last().actor && is_gone(parents_.at(child)))
                    lines.push_back(fmt::format("pass({});", child.value));
        return lines;
    }

    Plan const& plan_;
    std::map<ProcId, ProcId> parents_;
    std::vector<ProcId> born_;  // in the order of their forks
};

}  // namespace

tl::expected<std::vector<ProcessCode>, std::string> processes_of(Plan const& plan) {
    if (plan.turns.empty()) return cannot("there is nothing to do");
    Writer const writer(plan);
    if (!writer.last_can_be_awaited())
        return cannot("its last step is done by an orphan, whose end p0 cannot wait for");
    if (auto const gone = writer.busy_after_its_end())
        return cannot(fmt::format("p{} has ended, so that no program can look into its memory", gone->value));
    return writer.write();
}

}  // namespace vmcheck::repro
