#include "checker/qemu/trial.h"

#include "checker/qemu/guest_files.h"
#include "checker/qemu/judge.h"
#include "checker/qemu/script.h"
#include "impl/base/child.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace vmcheck::qemu {

namespace {

std::string_view guest_source(std::string_view path) {
    auto const files = guest_files();
    auto const found = std::ranges::find(files, path, &GuestFile::path);
    return found == files.end() ? std::string_view() : found->text;
}

}  // namespace

Trials::Trials(Tools tools, Setup setup, Workshop workshop, Machine machine)
    : tools_(std::move(tools)),
      setup_(std::move(setup)),
      workshop_(std::move(workshop)),
      machine_(std::move(machine)) {}

tl::expected<Trials, base::Error> Trials::prepare(Setup setup) {
    auto tools = find_tools();
    if (!tools) return tl::unexpected(tools.error());
    auto workshop = Workshop::open(tools->compiler);
    if (!workshop) return tl::unexpected(workshop.error());
    auto const protection = sets_memory_protection(setup.kernel);
    if (!protection) return tl::unexpected(protection.error());
    Machine machine{setup.kernel, setup.ram_bytes, setup.legacy_disk, *protection};
    Trials trials(std::move(*tools), std::move(setup), std::move(*workshop), std::move(machine));
    for (auto [source, program] : {std::pair{"init.c", &trials.init_}, std::pair{"echo.c", &trials.echo_}}) {
        auto compiled = trials.workshop_.compile(guest_source(source), trials.setup_.stop);
        if (!compiled)
            return tl::unexpected(base::Error{fmt::format("vmcheck's own {}: {}", source, compiled.error().message)});
        *program = std::move(*compiled);
    }
    return trials;
}

QemuVerdict Trials::run(std::string_view source, std::chrono::seconds time) const {
    auto repro = workshop_.compile(source, setup_.stop);
    if (!repro) return not_tried(repro.error().message);
    auto const disk = make_disk({init_, echo_, std::move(*repro)});
    if (!disk) return not_tried(disk.error().message);
    auto const file = workshop_.directory() / "fs.img";
    if (auto const written = base::write_file(file, *disk); !written) return not_tried(written.error().message);
    base::Command command;
    command.arguments = command_line(tools_.emulator, machine_, file);
    auto const ran = base::run(command, {.time = time, .enough = is_decided, .stop = setup_.stop});
    if (!ran) return not_tried(ran.error().message);
    return judge(*ran, time);
}

QemuVerdict Trials::run_script(std::string_view script) const {
    auto const debugger = find_debugger();
    if (!debugger) return not_tried(debugger.error().message);
    auto const in = [&](std::string_view name) { return workshop_.directory() / name; };
    for (auto const& [name, text] : {std::pair{kPlayer, player()}, std::pair{std::string_view("finding.gdb"), script}})
        if (auto const written = base::write_file(in(name), text); !written) return not_tried(written.error().message);
    if (auto const written = base::write_file(in(kPlayersDisk), *setup_.disk); !written)
        return not_tried(written.error().message);
    auto const kernel = std::filesystem::absolute(setup_.kernel);
    auto arguments = gdb_command(*debugger, kernel, in("finding.gdb"));
    // Nothing that the kernel's file asks GDB to run.
    arguments.insert(arguments.begin() + 1, {"-iex", "set auto-load no"});
    base::Command const command{.arguments = std::move(arguments),
                                .environment = {"TMPDIR=" + workshop_.directory().string()}};
    auto const ran = base::run(command, {.time = kScriptTime, .enough = is_told_by_script, .stop = setup_.stop});
    if (!ran) return not_tried(ran.error().message);
    return judge_script(*ran);
}

std::chrono::seconds time_for(Finding const& finding) {
    return finding.family.symptom == run::Symptom::no_end ? kHangTime : kTrialTime;
}

QemuVerdict try_finding(tl::expected<Trials, base::Error> const& trials, Finding const& finding) {
    // Why this finding cannot be tried anywhere says more than what this machine lacks.
    if (!finding.repro_c && !finding.repro_gdb)
        return not_tried(
            fmt::format("no user program shows it: {}; and {}", finding.repro_c.error(), finding.repro_gdb.error()));
    if (!trials) return not_tried(trials.error().message);
    std::optional<QemuVerdict> by_program;
    if (finding.repro_c) by_program = trials->run(*finding.repro_c, time_for(finding));
    if (by_program && (by_program->state == QemuVerdict::State::confirmed || !finding.repro_gdb)) return *by_program;
    // What two harts do at the same time on QEMU goes by the host's time; that it happens once is proof.
    unsigned const attempts_max = spec::harts_of(finding.program) > 1 ? 3 : 1;
    QemuVerdict by_gdb = trials->run_script(*finding.repro_gdb);
    for (unsigned attempt = 1; attempt < attempts_max && by_gdb.state != QemuVerdict::State::confirmed; ++attempt)
        by_gdb = trials->run_script(*finding.repro_gdb);
    by_gdb.by = QemuVerdict::By::script;
    if (by_program && by_gdb.state != QemuVerdict::State::confirmed) return *by_program;
    if (by_program) by_gdb.how += fmt::format("; repro.c: {}", describe(*by_program));
    return by_gdb;
}

}  // namespace vmcheck::qemu
