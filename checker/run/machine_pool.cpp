#include "checker/run/machine_pool.h"

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <utility>
#include <vector>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

#ifdef __SANITIZE_THREAD__
// libtbb is not instrumented, and the order that it keeps between its threads not seen where they run templates from
// its headers. Only what these do themselves is left out: of what they call all is looked at.
extern "C" char const* __tsan_default_suppressions() {
    return "race_top:oneapi/tbb/\nrace_top:tbb::detail\nrace:tbb::detail::d1::node::node\n"
           "race:tbb::detail::d1::fold_tree\n";
}
#endif

namespace vmcheck::run {

namespace {

// What parallel_for promises, told to ThreadSanitizer, which does not see inside libtbb: a worker begins after what was
// done before the loop, and what comes after the loop, after every worker's end. No order between workers is told.
class Loop {
  public:
    void begin() { release(&begun_); }
    void begin_worker() { acquire(&begun_); }
    void end_worker() { release(&ended_); }
    void end() { acquire(&ended_); }

  private:
#ifdef __SANITIZE_THREAD__
    static void release(char* at) {
        __tsan_release(at);
    }
    static void acquire(char* at) {
        __tsan_acquire(at);
    }
#else
    static void release(char*) {}
    static void acquire(char*) {}
#endif
    char begun_ = 0;
    char ended_ = 0;
};

}  // namespace

struct MachinePool::Parts {
    // As many threads as machines, even where there are fewer processors.
    std::unique_ptr<tbb::global_control> threads;
    std::vector<std::unique_ptr<Execution>> machines;
    tbb::task_arena arena;
};

MachinePool::MachinePool(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
MachinePool::MachinePool(MachinePool&&) noexcept = default;
MachinePool& MachinePool::operator=(MachinePool&&) noexcept = default;
MachinePool::~MachinePool() = default;

tl::expected<MachinePool, BootError> MachinePool::start(Target const& target, unsigned jobs) {
    auto parts = std::make_unique<Parts>();
    parts->threads = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, jobs);
    for (unsigned i = 0; i < jobs; ++i) {
        auto machine = target.start();
        if (!machine) return tl::unexpected(machine.error());
        parts->machines.push_back(std::move(*machine));
    }
    parts->arena.initialize(static_cast<int>(jobs));
    return MachinePool(std::move(parts));
}

unsigned MachinePool::jobs() const {
    return static_cast<unsigned>(parts_->machines.size());
}

std::optional<std::string> MachinePool::engine_failure() const {
    for (auto const& machine : parts_->machines)
        if (auto failure = machine->engine_failure()) return failure;
    return std::nullopt;
}

Execution& MachinePool::first() {
    return *parts_->machines.front();
}

void MachinePool::reset() {
    for (auto const& machine : parts_->machines) machine->reset();
}

void MachinePool::for_each(std::size_t count, std::function<void(Execution&, std::size_t)> const& work) {
    std::atomic<std::size_t> next = 0;
    Loop loop;
    loop.begin();
    parts_->arena.execute([&] {
        tbb::parallel_for(
            std::size_t{0}, parts_->machines.size(),
            // It is libtbb that keeps the order in which this object itself is made and read.
            [&](std::size_t worker) __attribute__((no_sanitize("thread"))) {
                loop.begin_worker();
                auto const take = [&] { return next.fetch_add(1, std::memory_order_relaxed); };
                for (std::size_t i = take(); i < count; i = take()) work(*parts_->machines[worker], i);
                loop.end_worker();
            },
            tbb::simple_partitioner{});
    });
    loop.end();
}

}  // namespace vmcheck::run
