#include "checker/property/property.h"

#include "checker/run/runner.h"
#include "checker/run/stepper.h"
#include "impl/boot/kernel_target.h"
#include "spec/text.h"

#include <cstdlib>
#include <ostream>
#include <stdexcept>
#include <utility>

namespace vmcheck {

struct Kernel::Parts {
    std::unique_ptr<KernelTarget> target;
    std::unique_ptr<Execution> machine;
    run::Reference reference;
};

Kernel::Kernel(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Kernel::Kernel(Kernel&&) noexcept = default;
Kernel& Kernel::operator=(Kernel&&) noexcept = default;
Kernel::~Kernel() = default;

tl::expected<Kernel, BootError> Kernel::boot(std::filesystem::path const& image) {
    auto target = KernelTarget::boot({.kernel = image});
    if (!target) return tl::unexpected(std::move(target.error()));
    auto machine = (*target)->start();
    if (!machine) return tl::unexpected(std::move(machine.error()));
    run::Reference reference = run::first_look(**machine, (*target)->setting()).reference;
    return Kernel(std::make_unique<Parts>(Parts{std::move(*target), std::move(*machine), std::move(reference)}));
}

Kernel Kernel::boot_named(char const* variable, std::filesystem::path const& otherwise) {
    char const* const named = std::getenv(variable);
    auto kernel = boot(named != nullptr ? named : otherwise);
    if (!kernel) throw std::runtime_error(kernel.error().sentence());
    return std::move(*kernel);
}

std::shared_ptr<spec::Setting const> Kernel::setting() const {
    return parts_->reference.setting;
}

run::Run Kernel::run(spec::Program const& program) {
    run::Counts uncounted;
    return run::run_program(*parts_->machine, parts_->reference, program, {.close = false}, uncounted);
}

spec::Observation Kernel::observe() {
    return parts_->machine->observe();
}

Execution& Kernel::machine() {
    return *parts_->machine;
}

rc::Gen<spec::Program> programs(Kernel const& kernel, generate::GeneratorConfig config) {
    return generate::programs(kernel.setting(), std::move(config)).as("program");
}

}  // namespace vmcheck

namespace vmcheck::spec {

void showValue(Program const& program, std::ostream& out) {
    out << '\n' << print(program);
}

}  // namespace vmcheck::spec
