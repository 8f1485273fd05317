#pragma once
// Properties of your own over a kernel's virtual memory, in an ordinary GoogleTest file. RapidCheck makes the programs,
// a real kernel runs them, you say what must hold of it; a program for which it does not is shrunk to a few lines.
//
//     #include <vmcheck/property.h>
//
//     class Frames : public vmcheck::KernelTest {};
//
//     RC_GTEST_FIXTURE_PROP(Frames, MappedOnesAreNotFree, ()) {
//         kernel().run(*vmcheck::programs(kernel()));
//         vmcheck::spec::Observation const seen = kernel().observe();
//         for (vmcheck::spec::ObservedProcess const& process : seen.processes)
//             for (vmcheck::spec::ObservedPage const& page : process.pages)
//                 RC_ASSERT(!seen.memory->on_free_list(page.frame).value_or(false));
//     }
//
// A whole project, with its CMakeLists.txt: checker/example. RC_PARAMS="seed=1" makes a run repeat itself.

#include "checker/generate/generator.h"
#include "checker/run/result.h"
#include "impl/target.h"
#include "spec/program.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <tl/expected.hpp>

#include <filesystem>
#include <iosfwd>
#include <memory>

namespace vmcheck {

// A kernel, booted on a machine of its own. Used by one thread at a time.
class Kernel {
  public:
    // `image`: its ELF file.
    static tl::expected<Kernel, BootError> boot(std::filesystem::path const& image);
    // The one that an environment variable names, or else this one. Throws std::runtime_error where it does not boot,
    // which fails a test.
    static Kernel boot_named(char const* variable, std::filesystem::path const& otherwise);

    Kernel(Kernel&&) noexcept;
    Kernel& operator=(Kernel&&) noexcept;
    ~Kernel();

    std::shared_ptr<spec::Setting const> setting() const;
    // Runs the program from p0 alone, right after boot. Each step is compared with the model, too: the run ends where
    // the kernel does what none may, and says so (run::Run::divergence). What the program asks for in a state that does
    // not allow it is left out.
    run::Run run(spec::Program const& program);
    // The machine as the latest run has left it; valid until the next one.
    spec::Observation observe();
    // For what goes beyond: step by step, faults, moments. See impl/target.h.
    Execution& machine();

  private:
    struct Parts;
    explicit Kernel(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

// Programs for this kernel: guided by the model, in which each step can be asked. They grow with RapidCheck's size, and
// shrink (checker/shrink/candidates.h).
rc::Gen<spec::Program> programs(Kernel const& kernel, generate::GeneratorConfig config = {});

#ifdef VMCHECK_REFERENCE_KERNEL  // the installed package says where it is
// Boots the kernel that the environment variable VMCHECK_KERNEL names, once for all tests; without it, the reference
// kernel that vmcheck was installed with.
class KernelTest : public testing::Test {
  protected:
    static Kernel& kernel() {
        static Kernel booted = Kernel::boot_named("VMCHECK_KERNEL", VMCHECK_REFERENCE_KERNEL);
        return booted;
    }
};
#endif

}  // namespace vmcheck

namespace vmcheck::spec {

// How RapidCheck prints a counterexample: as a file for `vmcheck replay`.
void showValue(Program const& program, std::ostream& out);

}  // namespace vmcheck::spec
