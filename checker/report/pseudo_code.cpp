#include "checker/report/pseudo_code.h"

#include "checker/report/c_words.h"
#include "checker/report/expect.h"
#include "checker/report/step_in_c.h"
#include "checker/report/step_words.h"

#include <fmt/core.h>

#include <variant>

namespace vmcheck::report {

namespace {

// For a reader who knows the names: heap, stack, p1, fds, x.
struct PseudoCode {
    static constexpr bool kCompiles = false;
    static constexpr std::string_view kReadOnly = "O_RDONLY";
    static constexpr std::string_view kProgram = "\"/init\"";
    static constexpr std::string_view kExec = "exec(\"/init\", argv)";

    std::string fork(spec::ProcId child) const { return fmt::format("{} = fork()", name_of(child)); }
    std::string process(spec::ProcId id) const { return name_of(id); }
    std::string amount(std::int64_t bytes) const { return c_amount(bytes); }
    std::string pointer(spec::Address const& at, std::uint64_t) const { return c_pointer(at); }
    std::string load(spec::Address const& at, unsigned bytes) const { return "x = " + memory(at, bytes); }
    std::string store(spec::Address const& at, unsigned bytes, std::uint64_t value) const {
        return fmt::format("{} = {}", memory(at, bytes), c_value(value));
    }
    std::string touch(spec::Address const& at, std::uint32_t pages) const {
        return fmt::format("for (i = 0; i < {}; i++) x = *({} + i*PGSIZE)", pages, c_pointer(at));
    }
    std::string set_sp(spec::Address const& to) const { return "sp = " + c_pointer(to); }
    std::string call(std::string_view name, std::vector<CArgument> const& arguments) const {
        return plain_call(*this, name, arguments);
    }

  private:
    // A name can be indexed; anything longer is cast and dereferenced.
    static std::string memory(spec::Address const& at, unsigned bytes) {
        bool const named =
            at.anchor == spec::Anchor::heap || at.anchor == spec::Anchor::data || at.anchor == spec::Anchor::bss;
        if (bytes == 1 && named && at.offset >= 0)
            return fmt::format("{}[{}]", c_pointer({at.anchor, 0}), c_amount(at.offset));
        return fmt::format("*({} *)({})", c_type(bytes), c_pointer(at));
    }
};

std::string remark_at(Finding const& finding, std::size_t step) {
    if (step != finding.divergence.at.value || step >= finding.records.size()) return {};
    run::StepRecord const& record = finding.records[step];
    if (!spec::is_about_outcome(finding.divergence.violations.front()) ||
        (record.seen && is_among(record.expected, *record.seen)))
        return "after this, it shows";
    if (record.expected.empty()) return "is: " + seen_words(record);
    return fmt::format("must be: {}; is: {}", expected_words(record), seen_words(record));
}

}  // namespace

std::string pseudo_code(spec::Action const& action) {
    PseudoCode const dialect;
    return std::visit(StepInC(dialect), action) + ';';
}

std::vector<CodeLine> pseudo_code(Finding const& finding) {
    std::vector<CodeLine> lines;
    for (std::size_t i = 0; i < finding.program.steps.size(); ++i) {
        spec::Step const& step = finding.program.steps[i];
        std::string remark;
        if (step.faults.oom) remark = fmt::format("kalloc number {} in it returns 0", *step.faults.oom);
        auto const add = [&](std::string const& more) { remark += (remark.empty() ? "" : "; ") + more; };
        if (step.faults.preempt) add(fmt::format("a timer interrupt after {} instructions", *step.faults.preempt));
        if (step.faults.switch_hart)
            add(fmt::format("left after {} basic blocks, for the other hart", *step.faults.switch_hart));
        if (step.faults.meanwhile)
            add(i > 0 && finding.program.steps[i - 1].faults.switch_hart
                    ? "within the line above, on another hart"
                    : "within the line above, when that is interrupted or sleeps");
        if (std::string const here = remark_at(finding, i); !here.empty()) add(here);
        lines.push_back({fmt::format("p{}", step.actor.value), pseudo_code(step.action), remark});
    }
    return lines;
}

}  // namespace vmcheck::report
