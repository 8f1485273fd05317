// Expected and seen results in short words, for the two columns of a report.

#include "spec/judgement.h"
#include "spec/path_rules.h"
#include "spec/reach.h"
#include "spec/sbrk_rules.h"
#include "spec/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::spec {

namespace {

std::string hex(std::uint64_t value) {
    return value < 10 ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

std::string add_alternative(std::string const& words, std::string const& more) {
    return words.empty() ? more : words + " or " + more;
}

struct Expectation {
    World const& world;
    ProcId actor;

    std::string operator()(Fork const& fork) const {
        bool const full = world.processes().size() >= world.setting().traits.processes_max;
        return full ? "-1" : fmt::format("p{}", fork.child.value);
    }
    std::string operator()(Exit const&) const { return "ended"; }
    std::string operator()(Wait const& wait) const {
        auto const children = world.children(actor);
        if (children.empty()) return "-1";
        VirtAddr const to = wait.status ? world.resolve(actor, *wait.status) : VirtAddr{0};
        std::size_t const bytes = to == VirtAddr{0} ? 0 : 4;
        Reach const reach = copy_reach(world, actor, to, bytes, Access::write);
        std::string words;
        for (ProcId child : children)
            if (Process const* process = world.find(child); reach.possible == bytes && process->life == Life::zombie)
                words = add_alternative(words, fmt::format("pid {} (p{})", process->pid, child.value));
        return reach.sure == bytes ? words : add_alternative(words, "-1");
    }
    std::string operator()(Kill const& kill) const {
        if (kill.target == actor) return "killed";
        return world.find(kill.target)->life == Life::zombie ? "0 or -1"
                                                             : fmt::format("0, p{} killed", kill.target.value);
    }
    std::string operator()(Sbrk const& sbrk) const {
        std::string words;
        for (SbrkVariant const& variant : sbrk_variants(world, actor, sbrk)) {
            if (variant.needs_excuse) continue;
            auto const word = variant.returned == kFailed ? std::string{"-1"} : hex(variant.returned);
            if (words.find(word) == std::string::npos) words = add_alternative(words, word);
        }
        return words;
    }
    std::string operator()(Load const& load) const { return loaded(load.at, load.size); }
    std::string operator()(Store const& store) const { return or_killed(store.at, store.size, Access::write, "ok"); }
    std::string operator()(Touch const& touch) const {
        for (std::uint32_t page = 0; page + 1 < touch.pages; ++page) {
            VirtAddr const at = world.resolve(actor, touch.at) + page * kPageBytes;
            Reach const reach = user_reach(world, actor, at, 1, Access::read);
            if (reach.possible == 0) return "killed";
        }
        VirtAddr const last = world.resolve(actor, touch.at) + (touch.pages - 1) * kPageBytes;
        return loaded(Address{Anchor::absolute, static_cast<std::int64_t>(last.value)}, 1);
    }
    std::string operator()(PipeWrite const& write) const { return counted(write.from, write.bytes, Access::read); }
    std::string operator()(PipeRead const& read) const {
        std::string words;
        std::vector<std::size_t> sizes;
        for (auto const& contents : world.pipe()) sizes.push_back(std::min<std::size_t>(read.bytes, contents.size()));
        std::sort(sizes.begin(), sizes.end());
        sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
        for (std::size_t size : sizes) words = add_alternative(words, counted(read.to, size, Access::write));
        return words;
    }
    std::string operator()(FileRead const& read) const {
        std::size_t const size = world.setting().data_file.contents.size();
        return counted(read.to, std::min<std::size_t>(read.bytes, size), Access::write);
    }
    std::string operator()(Fstat const& fstat) const { return zero_or_failed(fstat.to, 24); }
    std::string operator()(Pipe const& pipe) const { return zero_or_failed(pipe.to, 8); }
    std::string operator()(Open const& open) const {
        VirtAddr const at = world.resolve(actor, open.path);
        Reach const reach = path_reach(world, actor, at);
        auto const bytes = world.read(actor, at, reach.possible).value_or(std::vector<std::byte>{});
        auto const end = std::find(bytes.begin(), bytes.end(), std::byte{0});
        if (end == bytes.end()) return "-1";
        auto const length = static_cast<std::size_t>(end - bytes.begin());
        switch (judge_path({bytes.data(), length})) {
            case PathVerdict::opens:
                return length < reach.sure ? "a descriptor" : "a descriptor or -1";
            case PathVerdict::missing:
                return "-1";
            case PathVerdict::free:
                break;
        }
        return "a descriptor or -1";
    }
    std::string operator()(Exec const&) const { return "restarted"; }
    std::string operator()(SetSp const&) const { return "ok"; }
    std::string operator()(Fetch const& fetch) const { return or_killed(fetch.at, 1, Access::execute, "ok"); }

  private:
    std::string or_killed(Address address, std::size_t bytes, Access access, std::string const& alive) const {
        Reach const reach = user_reach(world, actor, world.resolve(actor, address), bytes, access);
        if (reach.possible < bytes) return "killed";
        return reach.sure == bytes ? alive : alive + " or killed";
    }
    std::string loaded(Address address, std::size_t bytes) const {
        auto const contents = world.read(actor, world.resolve(actor, address), bytes);
        std::uint64_t value = 0;
        for (std::size_t i = contents ? contents->size() : 0; i-- > 0;)
            value = (value << 8) | std::to_integer<std::uint64_t>((*contents)[i]);
        return or_killed(address, bytes, Access::read, hex(value));
    }
    std::string counted(Address address, std::size_t bytes, Access access) const {
        Reach const reach = copy_reach(world, actor, world.resolve(actor, address), bytes, access);
        if (reach.sure >= bytes) return fmt::format("{}", bytes);
        std::string const less = reach.possible == 0 ? "-1 or 0" : fmt::format("-1 or at most {}", reach.possible);
        return reach.possible >= bytes ? fmt::format("{} or -1 or less", bytes) : less;
    }
    std::string zero_or_failed(Address address, std::size_t bytes) const {
        Reach const reach = copy_reach(world, actor, world.resolve(actor, address), bytes, Access::write);
        if (reach.sure >= bytes) return "0";
        return reach.possible >= bytes ? "0 or -1" : "-1";
    }
};

std::string describe_value(std::uint64_t value, Outcome const& outcome, Action const& action) {
    if (auto const* fork = std::get_if<Fork>(&action); fork && value != kFailed) {
        if (outcome.child_started) return fmt::format("p{}", fork->child.value);
        return fmt::format("pid {}, but no child", value);
    }
    if (std::holds_alternative<Store>(action) || std::holds_alternative<SetSp>(action) ||
        std::holds_alternative<Fetch>(action))
        return value == 0 ? "ok" : fmt::format("a0 = {}", hex(value));
    if (std::holds_alternative<Load>(action) || std::holds_alternative<Touch>(action)) return hex(value);
    if (value == kFailed) return "-1";
    if (std::holds_alternative<Wait>(action)) return fmt::format("pid {}", value);
    if (std::holds_alternative<Sbrk>(action)) return hex(value);
    return value < (std::uint64_t{1} << 31) ? fmt::format("{}", value) : hex(value);
}

}  // namespace

std::string words_for(Asked const& asked) {
    return print(asked.step.action);
}

std::string expectation(World const& world, Step const& step, bool short_of_frames) {
    std::string words = std::visit(Expectation{world, step.actor}, step.action);
    if (!short_of_frames) return words;
    bool const is_access = std::holds_alternative<Load>(step.action) || std::holds_alternative<Store>(step.action) ||
                           std::holds_alternative<Touch>(step.action) || std::holds_alternative<Fetch>(step.action);
    std::string const failed = is_access ? "killed" : "-1";
    return words == failed ? words : add_alternative(words, failed);
}

std::string describe(Outcome const& outcome, Step const& step) {
    std::string words;
    if (auto const* value = std::get_if<Returned>(&outcome.what))
        words = describe_value(value->value, outcome, step.action);
    else if (std::holds_alternative<Restarted>(outcome.what))
        words = "restarted";
    else if (std::holds_alternative<Ended>(outcome.what))
        words = std::holds_alternative<Exit>(step.action) ? "ended" : "killed";
    else if (std::holds_alternative<Blocked>(outcome.what))
        words = "sleeps in the kernel";
    else if (auto const* panicked = std::get_if<Panicked>(&outcome.what))
        words = "panic: " + panicked->message;
    else if (auto const* stuck = std::get_if<Stuck>(&outcome.what))
        words = "stuck: " + stuck->where;
    else if (auto const* lost = std::get_if<Lost>(&outcome.what))
        words = "lost: " + lost->what;
    for (ProcId other : outcome.ended_others) words += fmt::format(", p{} killed", other.value);
    return words;
}

}  // namespace vmcheck::spec
