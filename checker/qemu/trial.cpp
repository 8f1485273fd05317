#include "checker/qemu/trial.h"

#include "checker/qemu/guest_files.h"
#include "checker/qemu/judge.h"
#include "impl/base/child.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vmcheck::qemu {

namespace {

QemuVerdict not_tried(std::string why) {
    return {QemuVerdict::State::not_tried, std::move(why)};
}

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

std::chrono::seconds time_for(Finding const& finding) {
    return finding.family.symptom == run::Symptom::no_end ? kHangTime : kTrialTime;
}

QemuVerdict try_finding(tl::expected<Trials, base::Error> const& trials, Finding const& finding) {
    // Why this finding cannot be tried anywhere says more than what this machine lacks.
    if (!finding.repro_c) return not_tried(fmt::format("no user program shows it: {}", finding.repro_c.error()));
    if (!trials) return not_tried(trials.error().message);
    return trials->run(*finding.repro_c, time_for(finding));
}

}  // namespace vmcheck::qemu
