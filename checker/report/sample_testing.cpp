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

}  // namespace

Finding finding_of(spec::Invariant invariant, std::string_view program, std::vector<std::string> earlier,
                   std::string_view expected, std::string_view seen) {
    Finding finding;
    finding.program = spec::parse(program).value();
    finding.original = finding.program;
    earlier.resize(finding.program.steps.size(), std::string(expected));
    for (std::size_t i = 0; i < finding.program.steps.size(); ++i) {
        bool const last = i + 1 == finding.program.steps.size();
        finding.records.push_back({finding.program.steps[i], last ? std::string(expected) : earlier[i],
                                   last ? std::string(seen) : earlier[i]});
    }
    finding.signature = {invariant, finding.program.steps.back().action.index()};
    finding.divergence.at = {static_cast<std::uint32_t>(finding.program.steps.size() - 1)};
    finding.divergence.signature = finding.signature;
    finding.divergence.violations = {{.invariant = invariant,
                                      .process = finding.program.steps.back().actor,
                                      .story = "the step went wrong",
                                      .expected = std::string(expected),
                                      .seen = std::string(seen)}};
    finding.evidence.heap_start = VirtAddr{0x7000};
    finding.seen = 3;
    finding.reproduced = finding.attempts = 3;
    return finding;
}

Finding parent_keeps_w() {
    Finding finding =
        finding_of(spec::Invariant::isolation, "vmcheck 1\nprofile cow eager\np0 fork p1\n", {}, "p1", "p1");
    finding.divergence.violations = {
        {.invariant = spec::Invariant::isolation,
         .process = spec::kInit,
         .address = VirtAddr{0x4000},
         .story = "p0's bss+0x0 and p1's bss+0x0 map one frame, and p0's PTE can write it (PTE_W)",
         .expected = "PTE_W only with one reference",
         .seen = "PTE RW-U with 2 references"}};
    finding.evidence.place = spec::Address{spec::Anchor::bss, 0};
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

Session session_with(std::vector<Finding> findings) {
    Session session;
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

rc::Gen<Session> any_session() {
    return rc::gen::exec([] {
        Finding finding =
            *rc::gen::arbitrary<bool>()
                ? parent_keeps_w()
                : finding_of(spec::Invariant::liveness, "vmcheck 1\nprofile cow\np0 fork p1\np1 load brk 1\n", {"p1"},
                             "killed", "panic: " + *any_bytes());
        spec::Violation& violation = finding.divergence.violations.front();
        violation.story = *any_bytes();
        violation.expected = *any_bytes();
        violation.seen = *any_bytes();
        finding.evidence.console = *any_bytes();
        finding.evidence.trace.functions.push_back({*any_bytes(), *any_bytes(), *rc::gen::inRange(0U, 9U)});
        if (*rc::gen::arbitrary<bool>()) finding.evidence.trace.last = CodePlace{*any_bytes(), *any_bytes(), 3};
        if (*rc::gen::arbitrary<bool>()) finding.severity = Severity::advice;
        if (*rc::gen::inRange(0, 4) == 0) finding.reproduced = 0;
        if (*rc::gen::arbitrary<bool>())
            finding.on_qemu = {static_cast<QemuVerdict::State>(*rc::gen::inRange(0, 3)), *any_bytes()};
        Session session = session_with({finding, parent_keeps_w()});
        session.kernel.name = *any_bytes();
        session.kernel.missing = {*any_bytes()};
        if (*rc::gen::inRange(0, 4) == 0) session.boot_violations = {violation};
        return session;
    });
}

}  // namespace vmcheck::report::testing
