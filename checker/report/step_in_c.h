#pragma once
// How each kind of step is done in C: one line a kind, for the pseudo-code of a report and the program of a repro.c
// alike. Where the two differ, a dialect says how: Dialect::pointer(), load(), call(), ...

#include "spec/step_kinds.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vmcheck::report {

// An argument of a system call: an expression, or an address with the type that the call wants it in.
struct CArgument {
    explicit CArgument(std::string expression) : text(std::move(expression)) {}
    CArgument(spec::Address const& address, std::uint64_t count, std::string_view pointer = {})
        : at(address), bytes(count), type(pointer) {}

    std::string text{};
    std::optional<spec::Address> at{};
    std::uint64_t bytes = 0;  // that the call may touch there
    std::string_view type{};  // "int *"; empty for a char pointer
};

template <class Dialect>
class StepInC {
  public:
    explicit StepInC(Dialect const& dialect) : c(dialect) {}

    std::string operator()(spec::Fork const& fork) const { return c.fork(fork.child); }
    std::string operator()(spec::Exit const& exit) const { return fmt::format("exit({})", exit.status); }
    std::string operator()(spec::Wait const& wait) const {
        return wait.status ? call("wait", {{*wait.status, spec::kStatusBytes, "int *"}}) : "wait(0)";
    }
    std::string operator()(spec::Kill const& kill) const { return fmt::format("kill({})", c.process(kill.target)); }
    std::string operator()(spec::Sbrk const& sbrk) const {
        return fmt::format("{}({})", sbrk.mode == spec::SbrkMode::lazy ? "sbrklazy" : "sbrk", c.amount(sbrk.bytes));
    }
    std::string operator()(spec::Load const& load) const { return c.load(load.at, load.size); }
    std::string operator()(spec::Store const& store) const { return c.store(store.at, store.size, store.value); }
    std::string operator()(spec::Touch const& touch) const {
        return touch.pages == 1 ? c.load(touch.at, 1) : c.touch(touch.at, touch.pages);
    }
    std::string operator()(spec::PipeWrite const& write) const {
        return call("write", {text("fds[1]"), {write.from, write.bytes}, number(write.bytes)});
    }
    std::string operator()(spec::PipeRead const& read) const {
        return call("read", {text("fds[0]"), {read.to, read.bytes}, number(read.bytes)});
    }
    std::string operator()(spec::FileRead const& read) const {
        return call("read", {data_file(), {read.to, read.bytes}, number(read.bytes)});
    }
    std::string operator()(spec::Fstat const& fstat) const {
        return call("fstat", {data_file(), {fstat.to, spec::kStatBytes, "struct stat *"}});
    }
    std::string operator()(spec::Pipe const& pipe) const {
        return call("pipe", {{pipe.to, spec::kDescriptorsBytes, "int *"}});
    }
    std::string operator()(spec::Open const& open) const {
        // However long the path may be, it is where its first byte is.
        return call("open", {{open.path, 1}, text(std::string(Dialect::kReadOnly))});
    }
    std::string operator()(spec::Exec const& exec) const {
        if (exec == spec::Exec{}) return std::string(Dialect::kExec);
        std::string const path = exec.program == spec::Executable::init    ? std::string(Dialect::kProgram)
                                 : exec.program == spec::Executable::large ? "\"/large\""
                                                                           : "\"/broken\"";
        return call("exec", {text(path), exec.arguments ? CArgument{*exec.arguments, spec::kPointerBytes, "char **"}
                                                        : text("argv")});
    }
    std::string operator()(spec::SetSp const& set) const { return c.set_sp(set.to); }
    std::string operator()(spec::Fetch const& fetch) const {
        return fmt::format("((void (*)(void))({}))()", c.pointer(fetch.at, 2));
    }
    // System call 13: sleep(0), which is pause(0) in the trees of 2025.
    std::string operator()(spec::Yield const&) const {
        return Dialect::kCompiles ? R"(asm volatile("li a0, 0; li a7, 13; ecall" : : : "a0", "a7", "memory"))"
                                  : "sleep(0)";
    }

  private:
    Dialect const& c;

    static CArgument text(std::string expression) { return CArgument(std::move(expression)); }
    static CArgument number(std::uint64_t value) { return CArgument(fmt::format("{}", value)); }
    static CArgument data_file() { return CArgument(fmt::format("open(\"/data\", {})", Dialect::kReadOnly)); }
    std::string call(std::string_view name, std::vector<CArgument> const& arguments) const {
        return c.call(name, arguments);
    }
};

// A call as C has it.
template <class Dialect>
std::string plain_call(Dialect const& dialect, std::string_view name, std::vector<CArgument> const& arguments) {
    std::vector<std::string> all;
    for (CArgument const& each : arguments) {
        std::string text = each.at ? dialect.pointer(*each.at, each.bytes) : each.text;
        all.push_back(each.type.empty() ? std::move(text) : fmt::format("({})({})", each.type, text));
    }
    return fmt::format("{}({})", name, fmt::join(all, ", "));
}

}  // namespace vmcheck::report
