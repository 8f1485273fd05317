#pragma once
// The pool: a number of machines with the same kernel, and the threads that run programs on them (oneTBB).
// Which machine runs which program is left to chance; no result may depend on it.

#include "impl/target.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vmcheck::run {

class MachinePool {
  public:
    // Starts `jobs` machines. REQUIRES: jobs > 0.
    static tl::expected<MachinePool, BootError> start(Target const& target, unsigned jobs);

    MachinePool(MachinePool&&) noexcept;
    MachinePool& operator=(MachinePool&&) noexcept;
    ~MachinePool();

    unsigned jobs() const;
    // Of any machine whose emulator has failed (Execution::engine_failure).
    std::optional<std::string> engine_failure() const;
    // Any one machine, for work on the calling thread. Not while for_each() runs.
    Execution& first();
    // All machines are as at the start, and what they used up goes back to the host. Not while for_each() runs.
    void reset();
    // Calls `work(machine, index)` once for each index in [0, count), on all machines at a time; they are begun in this
    // order. Returns when all are done.
    void for_each(std::size_t count, std::function<void(Execution&, std::size_t)> const& work);

  private:
    struct Parts;
    explicit MachinePool(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace vmcheck::run
