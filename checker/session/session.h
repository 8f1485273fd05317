#pragma once
// A session: one kernel, from its boot to findings that are complete. What check() does, in order, is all that vmcheck
// does to a kernel; the commands that begin with a program from a file use parts of it.
//
// It prints nothing: who wants to see how it goes gives an Observer.

#include "checker/finding/finding.h"
#include "checker/run/campaign.h"
#include "impl/target.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace vmcheck::session {

struct Options {
    std::uint64_t seed = 1;
    unsigned jobs = 1;
    run::Effort effort{};  // no more findings are made than its families_max
    bool shrink = true;
    bool confirm = false;      // each finding's repro.c on QEMU
    std::stop_token stop{};    // ends programs and shrinking: what has failed is still reproduced
    run::Corpus corpus{};      // that programs begin with
    run::Division division{};  // of a shard: nothing is made of what fails
    // Of a shard, after each batch in which nothing was avoided.
    std::function<void(Coverage const&)> reached{};
    // Of what the shards came to: adds what they reached in so many batches.
    std::function<void(std::size_t batches, Coverage&)> add_reached{};
    std::stop_token last_call{};  // ends that as well: what is left was seen, and no more (Finding::attempts is 0)
};

// Is told of each stage as it is reached, on the thread that runs the session unless it says otherwise.
class Observer {
  public:
    virtual ~Observer() = default;
    // The kernel has booted. `so_far` says what it is, and what is wrong with it already.
    virtual void on_kernel(SessionResult const& /*so_far*/) {}
    // How far the programs are: on any thread, one at a time.
    virtual void on_progress(run::Progress const& /*progress*/) {}
    // A defect was seen, and once more, while programs run (run_campaign, `first_seen`): on any thread, one at a time.
    // Beside on_progress(). What it is called, and whether it is one of its own, is not known yet.
    virtual void on_first_seen(run::Run const& /*failing*/) {}
    // All programs were run; shrinking begins.
    virtual void on_run() {}
    // One of the failures is made small and reproduced.
    virtual void on_shrink(std::size_t /*number*/, std::size_t /*total*/) {}
    // It came again on a freshly booted kernel. It may yet become one with another finding.
    virtual void on_finding(Finding const& /*finding*/) {}
    // Something was not checked: a sentence or two, which says why.
    virtual void on_missing(std::string const& /*what*/) {}
    // QEMU's turn with one of the findings.
    virtual void on_confirm(std::size_t /*number*/, std::size_t /*total*/) {}
};

// A kernel that has booted, the machines that run it, and what was seen of it before anything was asked of it.
struct Kernel {
    std::unique_ptr<Target> target;
    run::MachinePool machines;
    run::FirstLook look;
    std::unique_ptr<Target> rebooted{};  // the same kernel, on which failures are reproduced
};
using Boot = std::function<tl::expected<std::unique_ptr<Target>, BootError>()>;
tl::expected<Kernel, BootError> start(Boot const& boot, unsigned jobs);

// Everything. Fails where there is no kernel to test, or where the emulator failed: what programs showed then says
// nothing about the kernel. Where `options.stop` asks for it, the result is what was done until then.
tl::expected<SessionResult, BootError> check(Boot const& boot, Options const& options, Observer& observer);

// Parts of it, for a program that comes from a file.

// Runs the program once, closing included. Fails where the kernel has no machine such as it asks for, too; `name` is
// what messages call it.
tl::expected<run::Run, BootError> run_once(Kernel& kernel, spec::Program const& program, std::string_view name);

// Shrinks a failure, unless `options` say not to, reproduces it on a freshly booted kernel, and explains it.
// REQUIRES: failure.run.divergence.
tl::expected<Finding, BootError> make_finding(Kernel& kernel, run::Failure const& failure, Options const& options);

// The program in which each sbrk says for itself when its memory is to come, where the kernel must be told.
spec::Program with_sbrk_modes(spec::Program program, spec::Setting const& setting);

}  // namespace vmcheck::session
