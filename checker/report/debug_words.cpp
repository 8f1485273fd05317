#include "checker/report/debug_words.h"

#include "checker/report/escape.h"
#include "checker/report/page_view.h"
#include "checker/report/step_words.h"
#include "checker/report/story.h"
#include "checker/report/violation_words.h"
#include "spec/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::report {

namespace {

// What the process has at that page: "R W - U, one frame with p1".
std::string model_of_page(spec::World const& model, spec::ProcId id, Vpn page) {
    spec::Process const* const process = model.find(id);
    if (process == nullptr) return "no such process";
    if (process->life == spec::Life::zombie) return "zombie";
    auto const found = model.page_at(id, page);
    if (!found) return "no page";
    std::string text = rights_words(found->rights);
    if (found->presence != spec::Presence::present)
        return text + (found->presence == spec::Presence::reserved ? ", not mapped yet" : ", mapped or not yet");
    std::vector<std::string> others;
    for (spec::ProcId const other : model.running()) {
        auto const its = other == id ? std::nullopt : model.page_at(other, page);
        if (its && its->presence != spec::Presence::reserved && its->frame == found->frame)
            others.push_back(name_of(other));
    }
    if (others.empty()) return text;
    return fmt::format("{}, one frame with {}{}", text, fmt::join(others, ", "),
                       found->rights.write ? ": no PTE may have W" : "");
}

}  // namespace

std::string monitor_help() {
    return "monitor step N         to where step N of the program begins\n"
           "monitor go N           to before instruction N\n"
           "monitor where          which instruction, step, hart and line it is\n"
           "monitor pages ADDRESS  each process's PTE, frame and count there, beside what the model has\n"
           "monitor model          the program's steps, what is right, what was seen; the model's state\n"
           "monitor why            what is wrong\n";
}

std::string why_words(run::Divergence const* failure) {
    if (failure == nullptr) return "The program does not fail on this kernel.\n";
    spec::Violation const& violation = failure->violations.front();
    ViolationWords const words = words_of(violation);
    return one_line(
               fmt::format("{} at step {}: {}.", title_of(violation.invariant), failure->at.value + 1, words.story)) +
           "\n" + one_line(fmt::format("expected {}, seen {}", words.expected, words.seen)) + "\n";
}

std::string model_words(std::vector<run::StepRecord> const& records, std::size_t own_steps,
                        std::optional<std::size_t> present, spec::World const& model) {
    std::string text;
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (i == own_steps) text += "        the program ends here; what it left is read, waited for and ended:\n";
        text += fmt::format("{} {:>3}  {}: a correct kernel {}, this one {}\n", present == i ? "->" : "  ", i + 1,
                            spec::print(records[i].step), expected_words(records[i]), one_line(seen_words(records[i])));
    }
    return text + (present ? fmt::format("before step {}:\n", *present + 1) : "before the first step:\n") +
           spec::to_string(model);
}

std::string pages_words(Vpn page, std::vector<PageLine> const& lines, spec::World const& model,
                        std::optional<std::size_t> step) {
    std::string text = fmt::format("va {:#x}  now | the model {}\n", start_of(page).value,
                                   step ? fmt::format("before step {}", *step + 1) : "after the last step");
    for (auto const& [row, pte_at] : lines)
        text += fmt::format("{}{}  {}  {} | {}\n", name_of(row.process), row.zombie ? " zombie" : "",
                            pte_at ? fmt::format("PTE at {:#x}", pte_at->value) : "no PTE", words_of(row),
                            model_of_page(model, row.process, page));
    return text;
}

}  // namespace vmcheck::report
