#include "spec/predict.h"

#include "spec/advance.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

namespace vmcheck::spec {

namespace {

constexpr std::uint64_t kFailed = std::numeric_limits<std::uint64_t>::max();  // -1 in a0
constexpr FrameCensus kMemoryToSpare{std::uint64_t{1} << 40};

Outcome returned(std::uint64_t value) {
    Outcome outcome;
    outcome.what = Returned{value};
    return outcome;
}
Outcome ended() {
    Outcome outcome;
    outcome.what = Ended{};
    return outcome;
}

// A pid that no process has had: kernels number processes upwards.
std::uint64_t fresh_pid(World const& world) {
    std::uint64_t highest = 1;
    for (auto const& [id, process] : world.processes()) highest = std::max(highest, process.pid);
    return highest + 1;
}

// The outcomes to try, the plainest first: success, then failure, then the end of the process.
struct Candidates {
    World const& world;
    ProcId actor;

    std::vector<Outcome> operator()(Fork const&) const {
        Outcome success = returned(fresh_pid(world));
        success.child_started = true;
        return {success, returned(kFailed)};
    }
    std::vector<Outcome> operator()(Exit const&) const { return {ended()}; }
    std::vector<Outcome> operator()(Wait const&) const {
        std::vector<Outcome> outcomes;
        for (ProcId child : world.children(actor))
            if (Process const* process = world.find(child); process->life == Life::zombie)
                outcomes.push_back(returned(process->pid));
        outcomes.push_back(returned(kFailed));
        return outcomes;
    }
    std::vector<Outcome> operator()(Kill const& kill) const {
        Outcome success = returned(0);
        success.ended_others = {kill.target};
        return {success, returned(0), returned(kFailed), ended()};
    }
    std::vector<Outcome> operator()(Sbrk const&) const {
        return {returned(world.find(actor)->space->brk.value), returned(kFailed)};
    }
    std::vector<Outcome> operator()(Load const& load) const { return value_at(load.at, load.size); }
    std::vector<Outcome> operator()(Touch const& touch) const {
        Address last = touch.at;
        last.offset = static_cast<std::int64_t>(static_cast<std::uint64_t>(last.offset) +
                                                (std::uint64_t{touch.pages} - 1) * kPageBytes);
        return touch.pages == 0 ? std::vector<Outcome>{returned(0)} : value_at(last, 1);
    }
    std::vector<Outcome> operator()(Store const&) const { return {returned(0), ended()}; }
    std::vector<Outcome> operator()(PipeWrite const& write) const { return {returned(write.bytes), returned(kFailed)}; }
    std::vector<Outcome> operator()(PipeRead const& read) const {
        std::size_t const available = world.pipe().empty() ? 0 : world.pipe().front().size();
        return {returned(std::min<std::uint64_t>(read.bytes, available)), returned(kFailed)};
    }
    std::vector<Outcome> operator()(FileRead const& read) const {
        std::uint64_t const size = world.setting().data_file.contents.size();
        return {returned(std::min<std::uint64_t>(read.bytes, size)), returned(kFailed)};
    }
    std::vector<Outcome> operator()(Fstat const&) const { return {returned(0), returned(kFailed)}; }
    std::vector<Outcome> operator()(Pipe const&) const { return {returned(0), returned(kFailed)}; }
    std::vector<Outcome> operator()(Open const&) const {
        return {returned(world.setting().traits.first_free_descriptor), returned(kFailed)};
    }
    std::vector<Outcome> operator()(Exec const&) const {
        Outcome success;
        success.what = Restarted{};
        return {success};
    }
    std::vector<Outcome> operator()(SetSp const&) const { return {returned(0)}; }
    std::vector<Outcome> operator()(Fetch const&) const { return {returned(0), ended()}; }

  private:
    std::vector<Outcome> value_at(Address at, std::size_t size) const {
        auto const bytes = world.read(actor, world.resolve(actor, at), size);
        if (!bytes) return {ended()};
        std::uint64_t value = 0;
        for (std::size_t i = bytes->size(); i-- > 0;)
            value = (value << 8) | std::to_integer<std::uint64_t>((*bytes)[i]);
        return {returned(value), ended()};
    }
};

}  // namespace

std::optional<Prediction> predict(World const& world, Step const& step) {
    for (Outcome& outcome : std::visit(Candidates{world, step.actor}, step.action))
        if (auto after = advance(world, step, outcome, kMemoryToSpare))
            return Prediction{std::move(outcome), std::move(*after)};
    return std::nullopt;
}

}  // namespace vmcheck::spec
