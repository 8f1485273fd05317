#include "checker/report/sample_testing.h"

#include "spec/testing/arbitrary_program.h"
#include "spec/text.h"

#include <utility>

namespace vmcheck::report::testing {

namespace {

PageRow row_of(std::uint32_t process, std::uint64_t frame, bool write, std::uint64_t references) {
    PageRow row;
    row.process = spec::ProcId{process};
    row.mapped = true;
    row.page = {Vpn{4}, FrameNo{frame}, {.read = true, .write = write, .execute = false, .user = true}, true};
    row.references = references;
    row.count = static_cast<std::int64_t>(references);
    row.on_free_list = false;
    return row;
}

constexpr spec::Rights kReadOnly{.read = true, .write = false, .execute = false, .user = true};
constexpr spec::Rights kReadWrite{.read = true, .write = true, .execute = false, .user = true};

// The result that the outcome of a right step shows.
spec::Result right_result(spec::Outcome const& outcome, spec::Step const& step) {
    auto const* returned = std::get_if<spec::Returned>(&outcome.what);
    if (returned == nullptr) return spec::Ends{};
    if (auto const* fork = std::get_if<spec::Fork>(&step.action); fork && outcome.child_started)
        return spec::NewChild{fork->child};
    if (std::holds_alternative<spec::Wait>(step.action) && returned->value != spec::kFailed)
        return spec::PidOf{spec::ProcId{static_cast<std::uint32_t>(returned->value - 1)}, returned->value};
    if (!outcome.ended_others.empty()) return spec::EndsOther{outcome.ended_others.front()};
    bool const gives_no_value =
        std::holds_alternative<spec::Store>(step.action) || std::holds_alternative<spec::SetSp>(step.action) ||
        std::holds_alternative<spec::Fetch>(step.action) || std::holds_alternative<spec::Yield>(step.action);
    if (gives_no_value) return spec::GoesOn{};
    return spec::Exactly{returned->value};
}

spec::Mistake mistake_of(spec::Outcome const& seen) {
    if (std::holds_alternative<spec::Panicked>(seen.what)) return spec::Mistake::panicked;
    if (std::holds_alternative<spec::Ended>(seen.what)) return spec::Mistake::killed_though_legal;
    return spec::Mistake::other_result;
}

spec::Facts facts_of(spec::Invariant invariant, run::StepRecord const& record) {
    using spec::Invariant;
    spec::Sharers const both{
        {{spec::kInit, false, {spec::Anchor::bss, 0}}, {spec::ProcId{1}, false, {spec::Anchor::bss, 0}}}, 2};
    switch (invariant) {
        case Invariant::contents:
            return spec::WrongByte{std::byte{0x2f}, std::byte{0x55}, {}};
        case Invariant::rights:
            return spec::WrongRights{spec::WrongRights::What::gained_write, kReadOnly, kReadWrite};
        case Invariant::isolation:
            return spec::WritableShared{both, kReadWrite};
        case Invariant::counts:
            return spec::WrongCount{2, 1, both};
        case Invariant::dangling:
            return spec::FreeInUse{{spec::FrameUse::Role::memory, record.step.actor, {spec::Anchor::bss, 0}}};
        case Invariant::conservation:
            return spec::WrongTotal{160, 159};
        case Invariant::laziness:
            return spec::Copied{1, spec::kInit, spec::ProcId{1}};
        case Invariant::results:
        case Invariant::liveness:
        case Invariant::containment:
            break;
    }
    return spec::WrongAnswer{mistake_of(*record.seen), record.step, record.expected, *record.seen};
}

}  // namespace

spec::Outcome gave(std::uint64_t value) {
    return {.what = spec::Returned{value}};
}
spec::Outcome made_child(std::uint64_t pid) {
    return {.what = spec::Returned{pid}, .child_started = true};
}
spec::Outcome ended() {
    return {.what = spec::Ended{}};
}
spec::Outcome panicked(std::string message) {
    return {.what = spec::Panicked{std::move(message)}};
}

Finding finding_of(spec::Invariant invariant, std::string_view program, std::vector<spec::Outcome> earlier,
                   std::vector<spec::Result> expected, spec::Outcome const& seen) {
    Finding finding;
    finding.program = spec::parse(program).value();
    finding.original = finding.program;
    for (std::size_t i = 0; i < earlier.size(); ++i) {
        spec::Step const& step = finding.program.steps.at(i);
        finding.records.push_back({step, {right_result(earlier[i], step)}, earlier[i]});
    }
    finding.records.push_back({finding.program.steps.back(), std::move(expected), seen});
    finding.signature = {invariant, finding.program.steps.back().action.index()};
    finding.divergence.at = {static_cast<std::uint32_t>(finding.program.steps.size() - 1)};
    finding.divergence.signature = finding.signature;
    finding.divergence.violations = {{.invariant = invariant,
                                      .process = finding.program.steps.back().actor,
                                      .facts = facts_of(invariant, finding.records.back())}};
    finding.family = run::family_of(finding.divergence, finding.program.steps.back());
    finding.evidence.heap_start = VirtAddr{0x7000};
    finding.seen = 3;
    finding.reproduced = finding.attempts = 3;
    finding.repro_c = "void p1(void)\n{\n  exit(0);\n}\n";
    return finding;
}

Finding parent_keeps_w() {
    Finding finding = finding_of(spec::Invariant::isolation, "vmcheck 1\nprofile cow eager\np0 fork p1\n", {},
                                 {spec::NewChild{spec::ProcId{1}}}, made_child());
    spec::Violation& violation = finding.divergence.violations.front();
    violation.address = VirtAddr{0x4000};
    violation.place = finding.evidence.place = spec::Address{spec::Anchor::bss, 0};
    finding.evidence.pages =
        PageTable{Vpn{4}, {row_of(0, 0x87f81, true, 1)}, {row_of(0, 0x87f81, true, 2), row_of(1, 0x87f81, false, 2)}};
    for (auto const& [name, line] : {std::pair{"usertrap", 37U},
                                     {"myproc", 80U},
                                     {"acquire", 21U},
                                     {"syscall", 133U},
                                     {"sys_fork", 27U},
                                     {"fork", 287U},
                                     {"kalloc", 70U},
                                     {"uvmcopy", 318U},
                                     {"walk", 86U},
                                     {"mappages", 144U},
                                     {"release", 47U}})
        finding.evidence.trace.functions.push_back({name, line == 318U ? "kernel/vm.c" : "kernel/proc.c", line});
    finding.evidence.console = "xv6 kernel is booting\n";
    return finding;
}

SessionResult session_with(std::vector<Finding> findings) {
    SessionResult session;
    session.kernel.name = "kernel/kernel";
    session.kernel.profile = "cow fork, eager sbrk";
    session.kernel.windows = {"free list kmem.freelist (32000 frames)"};
    session.kernel.ram_bytes = std::uint64_t{128} << 20;
    session.seed = 7;
    session.counts.programs = 256;
    session.counts.steps = 1234;
    session.counts.checks.evaluated.fill(1234);
    session.families = findings.size();
    session.findings = std::move(findings);
    return session;
}

rc::Gen<std::string> any_bytes() {
    auto const byte = rc::gen::weightedOneOf<char>(
        {{4, rc::gen::arbitrary<char>()},
         {3, rc::gen::elementOf(
                 std::string("<>&\"'%:,;\\\n\r\t\0?/*]]>-\x1b\x7f\xc2\x9b\xed\xa0\x80\xef\xbf\xbe\xf4\x90", 33))}});
    return rc::gen::container<std::string>(byte);
}

rc::Gen<SessionResult> any_session() {
    return rc::gen::exec([] {
        bool const panics = *rc::gen::arbitrary<bool>();
        spec::Outcome const seen = panics ? spec::Outcome{.what = spec::Panicked{*any_bytes(), *any_bytes()}}
                                          : spec::Outcome{.what = spec::Lost{*any_bytes()}};
        Finding finding = finding_of(spec::Invariant::liveness, "vmcheck 1\nprofile cow\np0 fork p1\np1 load brk 1\n",
                                     {made_child()}, {spec::Ends{}}, seen);
        spec::Violation& violation = finding.divergence.violations.front();
        std::get<spec::WrongAnswer>(violation.facts).mistake = panics ? spec::Mistake::panicked : spec::Mistake::lost;
        finding.divergence.violations.push_back(
            {.invariant = spec::Invariant::dangling, .facts = spec::FreeListBroken{*any_bytes()}});
        finding.divergence.violations.push_back(
            {.invariant = spec::Invariant::dangling, .process = spec::kInit, .facts = spec::TableBroken{*any_bytes()}});
        finding.evidence.console = *any_bytes();
        finding.evidence.free = {{{1}, FreeArgument::Of::address, 0, 4095, 3}};
        finding.evidence.trace.functions.push_back({*any_bytes(), *any_bytes(), *rc::gen::inRange(0U, 9U)});
        if (*rc::gen::arbitrary<bool>()) finding.evidence.trace.last = CodePlace{*any_bytes(), *any_bytes(), 3};
        finding.also_at = {{*any_bytes(), *any_bytes(), 7}};
        if (*rc::gen::arbitrary<bool>()) finding.severity = Severity::advice;
        if (*rc::gen::inRange(0, 4) == 0) finding.reproduced = 0;
        finding.repro_c = *any_bytes();
        if (*rc::gen::arbitrary<bool>()) finding.repro_c = tl::unexpected(*any_bytes());
        if (*rc::gen::arbitrary<bool>()) finding.repro_gdb = *any_bytes();
        if (*rc::gen::arbitrary<bool>())
            finding.on_qemu = {static_cast<QemuVerdict::State>(*rc::gen::inRange(0, 3)), *any_bytes()};
        SessionResult session = session_with({finding, parent_keeps_w()});
        session.kernel.name = *any_bytes();
        session.kernel.missing = {*any_bytes()};
        session.coverage.functions = {{*any_bytes(), *any_bytes(), true, true, {{7, true}, {9, false}}}};
        session.kernel.left_out = {{*any_bytes(), *any_bytes()}};
        if (*rc::gen::inRange(0, 4) == 0) session.boot_violations = finding.divergence.violations;
        return session;
    });
}

}  // namespace vmcheck::report::testing
