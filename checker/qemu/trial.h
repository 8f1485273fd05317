#pragma once
// Trying findings on QEMU: the second opinion, by an emulator that is not ours, without model or agent.
//
//     auto trials = qemu::Trials::prepare(setup);
//     for (Finding& finding : findings) finding.on_qemu = qemu::try_finding(trials, finding);

#include "checker/finding/finding.h"
#include "checker/qemu/compiler.h"
#include "checker/qemu/machine.h"
#include "checker/qemu/tools.h"

#include <tl/expected.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace vmcheck::qemu {

// How long a machine may take. Programs that count free memory fill all of it, which takes QEMU 10 to 20 s.
inline constexpr std::chrono::seconds kTrialTime{60};
// And where the finding is that something never ends, which is known: it only has to be seen.
inline constexpr std::chrono::seconds kHangTime{20};

// And for a GDB script: each of its stops takes some milliseconds, to read all of a free list some seconds.
inline constexpr std::chrono::seconds kScriptTime{90};

struct Setup {
    std::filesystem::path kernel;  // the image that the finding was made with
    std::uint64_t ram_bytes = 0;
    bool legacy_disk = false;
    std::shared_ptr<std::vector<std::byte> const> disk{};  // from which vmcheck boots it; for GDB scripts
    std::stop_token stop{};
};

// One kernel's trials: what they all need, made once.
class Trials {
  public:
    // Finds QEMU and the compiler, and compiles the programs beside the repro.c. Fails with why nothing can be tried,
    // as part of a sentence.
    static tl::expected<Trials, base::Error> prepare(Setup setup);

    // Compiles the source and runs it on a machine of its own, until it has said how it went or the time is over.
    QemuVerdict run(std::string_view source, std::chrono::seconds time = kTrialTime) const;
    // Has GDB run the script (script.h) on QEMU.
    QemuVerdict run_script(std::string_view script) const;

  private:
    Trials(Tools tools, Setup setup, Workshop workshop, Machine machine);

    Tools tools_;
    Setup setup_;
    Workshop workshop_;
    Machine machine_;
    ProgramBytes init_;
    ProgramBytes echo_;
};

// The finding's repro.c on QEMU; or else, and where that is not confirmed, its GDB script.
std::chrono::seconds time_for(Finding const& finding);
QemuVerdict try_finding(tl::expected<Trials, base::Error> const& trials, Finding const& finding);

}  // namespace vmcheck::qemu
