#pragma once
// A real RV64 kernel, booted on the board from its unmodified ELF image, ready to run programs.

#include "impl/boot/kernel_machine.h"
#include "impl/boot/source_tree.h"
#include "impl/control/kernel_execution.h"
#include "impl/target.h"
#include "spec/program.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>

namespace vmcheck {

struct Disk;

struct KernelOptions {
    std::filesystem::path kernel;
    // The source tree that it was built from, where there is one: settles which year's it is.
    std::optional<std::filesystem::path> tree{};
    // And where programs of that tree run: its mkfs may be needed.
    base::Confinement confinement = base::Confinement::none;
    // Keeps a kernel that was built from the tree for as long as it may be booted again; null otherwise.
    std::shared_ptr<TreeKernel const> built{};
    // Names of the kernel's things; nothing: `<kernel>.map` where it exists, else xv6's.
    std::optional<std::filesystem::path> map_file{};
    // What the kernel promises; nothing: found by probing.
    std::optional<spec::Profile> profile{};
    // And the lab that the tree says it is of, where there is no profile: what it asks for is promised.
    std::optional<Lab> lab{};
    // Of the machine; it gets more where the kernel shows that it takes more for granted.
    std::uint64_t ram_bytes = elf::kDefaultRam.bytes;
    // The disk that it boots from; null: one that it can read is found.
    std::shared_ptr<Disk const> disk{};
    // Of the same kernel: memory that is like it is shared with it.
    std::shared_ptr<board::Golden const> like{};
    // Told what of its code runs on any of its machines; null: one is made.
    std::shared_ptr<board::ReachedCode> reached{};
    // memset and memmove done by the host: the same bytes, faster.
    bool accelerate = true;
    Budgets budgets{};
    // Ends its boot, and whatever its machines are doing, for good.
    std::stop_token stop{};
};

class KernelTarget : public Target {
  public:
    // Boots the kernel, installs the agent as /init, opens its files, probes what the kernel is like, and takes the
    // golden image. Fails with a sentence for the user; never hangs (Budgets::boot).
    static tl::expected<std::unique_ptr<KernelTarget>, BootError> boot(KernelOptions const& options);

    std::shared_ptr<spec::Setting const> setting() const override { return kernel_->setting; }
    TargetSummary const& summary() const override { return summary_; }
    Anatomy anatomy() const override;
    Coverage coverage() const override;
    tl::expected<std::unique_ptr<Execution>, BootError> start() const override;
    tl::expected<std::unique_ptr<Target>, BootError> reboot(spec::Profile profile, std::stop_token stop) const override;

    // The same with the concrete type, for a debugger.
    tl::expected<std::unique_ptr<KernelMachine>, BootError> start_machine() const;
    // And without the others that it may become, for tests and benchmarks that look at the board.
    tl::expected<std::unique_ptr<KernelExecution>, BootError> start_on_board() const;

  private:
    KernelTarget(KernelOptions options, std::shared_ptr<BootedKernel const> kernel, TargetSummary summary);

    KernelOptions options_;
    std::shared_ptr<BootedKernel const> kernel_;
    std::shared_ptr<LazyKernel> scarce_;                               // shared with the machines
    std::map<std::uint32_t, std::shared_ptr<LazyKernel>> by_harts_{};  // likewise
    TargetSummary summary_;
};

}  // namespace vmcheck
