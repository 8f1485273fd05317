#include "checker/repro/repro_c.h"

#include "checker/report/escape.h"
#include "checker/report/story.h"
#include "checker/repro/plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace vmcheck::repro {

namespace {

using namespace report;  // the words
using spec::ProcId;

// The status of a process that has already printed what is wrong.
constexpr int kTold = 77;

// The turns of a plan, process by process.
class Writer {
  public:
    explicit Writer(Plan const& plan) : plan_(plan) {
        for (Turn const& turn : plan.turns) {
            if (!turn.forks) continue;
            parents_[*turn.forks] = turn.actor;
            born_.push_back(*turn.forks);
        }
    }

    // The bodies of the processes' functions, each of which ends its process; in an order in which a function is
    // defined before it is called: p0 comes last. Fails where p0 could not know when the last turn is over.
    tl::expected<std::vector<std::pair<ProcId, Code>>, std::string> write() const {
        if (plan_.turns.empty()) return cannot("there is nothing to do");
        if (!last_can_be_awaited()) return cannot("its last step is done by an orphan, whose end p0 cannot wait for");
        for (std::size_t i = 0; i < plan_.turns.size(); ++i)
            if (ProcId const actor = plan_.turns[i].actor; has_ended_before(i, actor))
                return cannot(fmt::format("p{} has ended, so that no program can look into its memory", actor.value));
        bool const leaves_others = last().is_end_of(spec::kInit) &&
                                   std::ranges::any_of(born_, [&](ProcId id) { return !is_gone_afterwards(id); });
        if (plan_.measures_memory && leaves_others)
            return cannot(
                "its last step ends p0, and nobody is left to end the others, whose memory would count as lost");
        std::vector<std::pair<ProcId, Code>> all{{spec::kInit, body(spec::kInit)}};
        for (ProcId child : born_) all.insert(all.begin(), {child, body(child)});
        return all;
    }

    // How many processes of a correct kernel come to the end of their function.
    std::size_t ends() const {
        if (is_gone_afterwards(spec::kInit)) return 0;  // nobody gives the others their last turns
        return 1 + static_cast<std::size_t>(
                       std::ranges::count_if(born_, [&](ProcId id) { return !is_gone_afterwards(id); }));
    }

  private:
    Turn const& last() const { return plan_.turns.back(); }

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

    bool has_ended_before(std::size_t turn, ProcId id) const {
        return std::ranges::any_of(std::span(plan_.turns).first(turn),
                                   [&](Turn const& each) { return each.is_end_of(id); });
    }
    bool has_ended(ProcId id) const { return has_ended_before(plan_.turns.size() - 1, id); }
    bool is_gone(ProcId id) const { return has_ended(id) || last().kills == id; }
    bool is_gone_afterwards(ProcId id) const { return has_ended(id) || last().is_end_of(id); }

    bool is_ancestor(ProcId ancestor, ProcId of) const {
        for (auto parent = parents_.find(of); parent != parents_.end(); parent = parents_.find(parent->second))
            if (parent->second == ancestor) return true;
        return false;
    }

    Code body(ProcId id) const {
        constexpr std::string_view kNewLine = "\n  ";
        std::vector<Code> lines;
        bool ended = false;
        for (std::size_t i = 0; i < plan_.turns.size(); ++i) {
            if (plan_.turns[i].actor != id) continue;
            lines.push_back(turn(i));
            ended = plan_.turns[i].ends && i + 1 < plan_.turns.size();
        }
        if (ended) return joined(lines, kNewLine);
        if (id != last().actor && !is_ancestor(id, last().actor)) lines.push_back(await(id));
        // Whoever must be gone by now says so where it is not: what wait tells of it may be wrong.
        if (last().is_end_of(id) && !plan_.measures_memory) {
            std::string const complaint = last().kills == id ? killed_complaint(id) : escape_c_string(plan_.complaint);
            lines.push_back(code({Function::fail}, "fail(\"{}\");", complaint));
            return joined(lines, kNewLine);
        }
        lines.push_back(joined(endings(id), kNewLine));
        lines.push_back(plan_.measures_memory ? Code{"exit(0);"} : Code{"end();", {Function::end}});
        return joined(lines, kNewLine);
    }

    static std::string killed_complaint(ProcId id) { return fmt::format("p{} must be killed", id.value); }

    static Code await(ProcId id) { return code({Function::await}, "await({});", id.value); }
    static Code pass(ProcId to) { return code({Function::await}, "pass({});", to.value); }

    Code turn(std::size_t at) const {
        Turn const& turn = plan_.turns[at];
        bool const takes_over = at > 0 && plan_.turns[at - 1].actor != turn.actor;
        bool const hands_over = at + 1 < plan_.turns.size() && plan_.turns[at + 1].actor != turn.actor;
        Code const settled = takes_over && plan_.turns[at - 1].ends ? Code{"settle();", {Function::settle}} : Code{};
        Code const start = joined({takes_over ? await(turn.actor) : Code{}, settled}, " ");
        Code const over = hands_over ? pass(plan_.turns[at + 1].actor) : Code{};
        // Who ends cannot hand over afterwards.
        if (turn.ends && hands_over) return joined({start, over, turn.code}, " ");
        // An `if` keeps its line to itself.
        return joined({joined({start, turn.code}, " "), turn.check, over}, turn.forks ? "\n  " : " ");
    }

    static Code finish(ProcId child, int status, std::string_view complaint) {
        return code({Function::finish}, "finish({}, {}, \"{}\");", pid_of(child), status, complaint);
    }

    // Waits for the process with the last turn, or for the child on the way to it; then lets the others end.
    std::vector<Code> endings(ProcId id) const {
        std::vector<Code> lines;
        for (ProcId child : born_) {
            if (parents_.at(child) != id || has_ended(child)) continue;
            bool const killed = last().kills == child;
            Code const end =
                child == last().actor
                    ? finish(child, last().ends ? last().exit_status : 0, escape_c_string(plan_.complaint))
                    : finish(child, killed ? -1 : 0,
                             killed ? killed_complaint(child) : fmt::format("p{} must survive", child.value));
            bool const on_the_way = child == last().actor || is_ancestor(child, last().actor);
            lines.insert(on_the_way ? lines.begin() : lines.end(), on_the_way ? end : joined({pass(child), end}, " "));
        }
        // Orphans: nobody waits for them, but they must end as well.
        if (id == spec::kInit)
            for (ProcId child : born_)
                if (!is_gone(child) && child != last().actor && is_gone_afterwards(parents_.at(child)))
                    lines.push_back(pass(child));
        return lines;
    }

    Plan const& plan_;
    std::map<ProcId, ProcId> parents_;
    std::vector<ProcId> born_;  // in the order of their forks
};

// p0 runs in a process of its own, in a fresh image, so that its end can be told whatever it is. `ends`: how many
// processes must come to their ends. They say so themselves: what wait tells of them may be the very thing that is
// wrong.
Code main_function(Plan const& plan, std::size_t ends) {
    Code const p0 = plan.on_own_stack ? Code{"on_own_stack(p0)", {Function::on_own_stack}} : Code{"p0()"};
    if (plan.measures_memory)
        return code(
            {Function::free_pages, Header::user},
            "int main(int argc, char *argv[]) {{\n  char *again[] = {{ argv[0], \"p0\", 0 }};\n  if (argc > 1) {};\n"
            "  int before = free_pages();\n"
            "  for (int i = 0; i < 10; i++) {{\n    if (fork() == 0) exec(argv[0], again);\n    wait(0);\n  }}\n"
            "  int lost = before - free_pages();\n"
            "  if (lost > 0) printf(\"FAIL: %d pages of memory are lost\\n\", lost);\n"
            "  else printf(\"PASS\\n\");\n  exit(0);\n}}\n",
            p0);
    Turn const& last = plan.turns.back();
    bool const ends_p0 = last.is_end_of(spec::kInit);
    std::string const complaint = last.actor == spec::kInit ? escape_c_string(plan.complaint) : "p0 must survive";
    std::string const well =
        ends_p0 && last.exit_status < 0 ? "status != 77" : fmt::format("status == {}", ends_p0 ? last.exit_status : 0);
    return code(
        {Header::user, Variable::told},
        "int main(int argc, char *argv[]) {{\n  char file[] = \"?\", *again[] = {{ argv[0], file, 0 }}, c = '.';\n"
        "  int status = 0, n = 0, ends[2];\n  if (argc > 1) {{ told = argv[1][0]; {4}; }}\n"
        "  pipe(ends);\n  file[0] = ends[1];\n  if (fork() == 0) exec(argv[0], again);\n"
        "  close(ends[1]); wait(&status);\n"
        "  while ({0} && n < {1} && read(ends[0], &c, 1) == 1 && c == '.') n++;\n"
        "  if ({0} && n == {1}) printf(\"PASS\\n\");\n"
        "  else if (status != {2} && c != '!') printf(\"FAIL: {3}\\n\");\n  exit(0);\n}}\n",
        well, ends, kTold, complaint, p0);
}

std::string head(Finding const& finding, Plan const& plan) {
    std::string text = fmt::format("// {} at {}, found by vmcheck.\n", title_of(finding.signature.invariant),
                                   spec::kind_name(finding.signature.kind));
    // At most three lines of some hundred characters.
    constexpr std::size_t kWidth = 110;
    std::string const story = escape_c_comment(story_of(finding));
    std::string_view rest = story;
    for (int line = 0; line < 3 && !rest.empty(); ++line) {
        std::size_t const end = rest.size() > kWidth ? std::min(rest.rfind(' ', kWidth), rest.size()) : rest.size();
        text += "// " + escape_c_comment(rest.substr(0, end)) + '\n';
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    text += plan.measures_memory
                ? "// Prints PASS on a correct kernel. What it does once loses memory, so it does it ten times.\n"
                : "// Prints PASS on a correct kernel; FAIL, a kernel panic or silence is the defect.\n";
    if (std::ranges::any_of(plan.turns, [](Turn const& turn) { return turn.ends && turn.exit_status == -1; }))
        text +=
            "// A process is killed on the way: lines like \"usertrap(): unexpected scause\" before it are normal.\n";
    return text;
}

}  // namespace

tl::expected<std::string, std::string> repro_c(Finding const& finding) {
    auto const plan = plan_of(finding);
    if (!plan) return tl::unexpected(plan.error());
    Writer const writer(*plan);
    auto const processes = writer.write();
    if (!processes) return tl::unexpected(processes.error());
    Code const main = main_function(*plan, writer.ends());
    Helpers used = main.uses;
    std::uint32_t highest = 0;
    for (auto const& [process, body] : *processes) {
        highest = std::max(highest, process.value);
        used.insert(body.uses.begin(), body.uses.end());
    }
    Given const given = given_for(used, highest + 1, plan->heap);
    std::string text = head(finding, *plan) + "#include \"kernel/types.h\"\n" + given.source;
    for (auto const& [process, body] : *processes)
        text += fmt::format("\nvoid p{}(void) {{\n{}  {}\n}}\n", process.value,
                            process == spec::kInit ? given.prepares : "", body.text);
    text += '\n' + main.text;
    // The helpers are the same in each program: who has read one has read all.
    auto const count =
        static_cast<std::size_t>(std::ranges::count(text, '\n') - std::ranges::count(given.source, '\n'));
    if (count >= kReproLinesMax)
        return tl::unexpected(fmt::format("it would take {} lines of C, too many to read", count));
    return text;
}

}  // namespace vmcheck::repro
