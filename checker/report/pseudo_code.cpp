#include "checker/report/pseudo_code.h"

#include "checker/report/told_action.h"
#include "checker/repro/c_words.h"
#include "checker/repro/expect.h"

#include <fmt/format.h>

#include <variant>

namespace vmcheck::report {

namespace {

// A name can be indexed; anything longer is cast and dereferenced.
std::string memory(spec::Address const& at, unsigned bytes) {
    bool const named =
        at.anchor == spec::Anchor::heap || at.anchor == spec::Anchor::data || at.anchor == spec::Anchor::bss;
    if (bytes == 1 && named && at.offset >= 0)
        return fmt::format("{}[{}]", c_pointer({at.anchor, 0}), c_amount(at.offset));
    return fmt::format("*({} *)({})", c_type(bytes), c_pointer(at));
}

struct Statement {
    std::string operator()(spec::Fork const& fork) const { return fmt::format("p{} = fork();", fork.child.value); }
    std::string operator()(spec::Exit const& exit) const { return fmt::format("exit({});", exit.status); }
    std::string operator()(spec::Wait const& wait) const {
        return wait.status ? fmt::format("wait((int *)({}));", c_pointer(*wait.status)) : "wait(0);";
    }
    std::string operator()(spec::Kill const& kill) const { return fmt::format("kill(p{});", kill.target.value); }
    std::string operator()(spec::Sbrk const& sbrk) const {
        return fmt::format("{}({});", sbrk.mode == spec::SbrkMode::lazy ? "sbrklazy" : "sbrk", c_amount(sbrk.bytes));
    }
    std::string operator()(spec::Load const& load) const { return fmt::format("x = {};", memory(load.at, load.size)); }
    std::string operator()(spec::Store const& store) const {
        return fmt::format("{} = {};", memory(store.at, store.size), c_value(store.value));
    }
    std::string operator()(spec::Touch const& touch) const {
        if (touch.pages == 1) return fmt::format("x = {};", memory(touch.at, 1));
        return fmt::format("for (i = 0; i < {}; i++) x = *({} + i*PGSIZE);", touch.pages, c_pointer(touch.at));
    }
    std::string operator()(spec::PipeWrite const& write) const {
        return fmt::format("write(fds[1], {}, {});", c_pointer(write.from), write.bytes);
    }
    std::string operator()(spec::PipeRead const& read) const {
        return fmt::format("read(fds[0], {}, {});", c_pointer(read.to), read.bytes);
    }
    std::string operator()(spec::FileRead const& read) const {
        return fmt::format("read(open(\"/data\", O_RDONLY), {}, {});", c_pointer(read.to), read.bytes);
    }
    std::string operator()(spec::Fstat const& fstat) const {
        return fmt::format("fstat(open(\"/data\", O_RDONLY), (struct stat *)({}));", c_pointer(fstat.to));
    }
    std::string operator()(spec::Pipe const& pipe) const {
        return fmt::format("pipe((int *)({}));", c_pointer(pipe.to));
    }
    std::string operator()(spec::Open const& open) const {
        return fmt::format("open({}, O_RDONLY);", c_pointer(open.path));
    }
    std::string operator()(spec::Exec const&) const { return "exec(\"/init\", argv);"; }
    std::string operator()(spec::SetSp const& set) const { return fmt::format("sp = {};", c_pointer(set.to)); }
    std::string operator()(spec::Fetch const& fetch) const {
        return fmt::format("((void (*)(void))({}))();", c_pointer(fetch.at));
    }
};

std::string remark_at(Finding const& finding, std::size_t step) {
    if (step != finding.divergence.at.value || step >= finding.records.size()) return {};
    run::StepRecord const& record = finding.records[step];
    bool const result_was_judged = finding.signature.invariant == spec::Invariant::results ||
                                   finding.signature.invariant == spec::Invariant::liveness ||
                                   finding.signature.invariant == spec::Invariant::containment;
    if (!result_was_judged || record.expected == record.seen || allows(parse_expectation(record.expected), record.seen))
        return "after this, it shows";
    return fmt::format("must be: {}; is: {}", record.expected, record.seen);
}

}  // namespace

std::string pseudo_code(spec::Action const& action) {
    return std::visit(Statement{}, action);
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
            add(fmt::format("left after {} blocks, for the other hart", *step.faults.switch_hart));
        if (step.faults.meanwhile)
            add(i > 0 && finding.program.steps[i - 1].faults.switch_hart
                    ? "within the line above, on another hart"
                    : "within the line above, when that is interrupted or sleeps");
        if (std::string const here = remark_at(finding, i); !here.empty()) add(here);
        lines.push_back({fmt::format("p{}", step.actor.value), pseudo_code(told_action(finding, i)), remark});
    }
    return lines;
}

}  // namespace vmcheck::report
