#include "checker/qemu/trial.h"

#include "checker/qemu/child.h"
#include "checker/qemu/guest_files.h"
#include "checker/qemu/judge.h"
#include "checker/repro/repro_c.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace vmcheck::qemu {

namespace {

using report::QemuVerdict;

QemuVerdict not_tried(std::string why) {
    return {QemuVerdict::State::not_tried, std::move(why)};
}

std::string_view guest_source(std::string_view path) {
    auto const files = guest_files();
    auto const found =
        std::find_if(files.begin(), files.end(), [&](GuestFile const& each) { return each.path == path; });
    return found == files.end() ? std::string_view() : found->text;
}

bool write_bytes(std::filesystem::path const& path, std::vector<std::byte> const& bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<char const*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.close();
    return !file.fail();
}

}  // namespace

Trials::Trials(Tools tools, Setup setup, Workshop workshop, Machine machine)
    : tools_(std::move(tools)),
      setup_(std::move(setup)),
      workshop_(std::move(workshop)),
      machine_(std::move(machine)) {}

tl::expected<Trials, std::string> Trials::prepare(Setup setup) {
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
        if (!compiled) return tl::unexpected(fmt::format("vmcheck's own {}: {}", source, compiled.error()));
        *program = std::move(*compiled);
    }
    return trials;
}

QemuVerdict Trials::run(std::string_view source) const {
    auto repro = workshop_.compile(source, setup_.stop);
    if (!repro) return not_tried(repro.error());
    auto const disk = make_disk({init_, echo_, std::move(*repro)});
    if (!disk) return not_tried(disk.error());
    auto const file = workshop_.directory() / "fs.img";
    if (!write_bytes(file, *disk)) return not_tried(fmt::format("{} cannot be written", file.string()));
    // QEMU must not outlive a vmcheck that was killed: `timeout` sees to that.
    constexpr std::chrono::seconds kSlack{5};
    std::vector<std::string> arguments{"timeout", "--signal=KILL", fmt::format("{}", (setup_.time + kSlack).count())};
    for (std::string& argument : command_line(tools_.emulator, machine_, file))
        arguments.push_back(std::move(argument));
    auto const ran = run_child(std::move(arguments), {.time = setup_.time, .enough = is_decided, .stop = setup_.stop});
    if (!ran) return not_tried(ran.error());
    return judge(*ran, setup_.time);
}

QemuVerdict try_finding(tl::expected<Trials, std::string> const& trials, report::Finding const& finding) {
    // Why this finding cannot be tried anywhere says more than what this machine lacks.
    auto const source = report::repro_c(finding);
    if (!source) return not_tried(fmt::format("no user program shows it: {}", source.error()));
    if (!trials) return not_tried(trials.error());
    return trials->run(*source);
}

}  // namespace vmcheck::qemu
