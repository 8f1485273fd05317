#pragma once
// C together with what it uses, and steps as lines of it. Whoever writes a line says what it names; as lines are put
// together, so are these sets; and the program is given what it uses, and what that needs.

#include "spec/answer.h"
#include "spec/program.h"
#include "spec/step_kinds.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace vmcheck::repro {

enum class Header : std::uint8_t { stat, syscall, fcntl, memlayout, riscv, user };

// room: stands for the stack's page. here: on p0's stack. own_pid: pid[0]. turns: the pipes. file: there is a /data.
// told: the pipe to main.
enum class Variable : std::uint8_t { room, here, pid, own_pid, kept, turns, fds, echo, file, told };

// await: with pass(). call: call_with_sp(). on_own_stack: for p0, where the real stack is given back.
enum class Function : std::uint8_t {
    on_own_stack,
    await,
    settle,
    call,
    touch,
    touch_with_sp,
    grab,
    end,
    fail,
    expect,
    finish,
    free_pages
};

// load1(), ..., store8_with_sp().
struct Access {
    bool stores = false;
    unsigned bytes = 0;
    bool with_sp = false;
    friend auto operator<=>(Access const&, Access const&) = default;
};

// An anchor: what addresses are relative to, a variable or a constant.
using Helper = std::variant<spec::Anchor, Header, Variable, Function, Access>;
using Helpers = std::set<Helper>;

struct Given {
    std::string source;    // for the head of the file
    std::string prepares;  // statements for p0, before its first turn
};

// What a program of so many processes is given: the helpers that it uses, and those that these need. `heap`: where its
// heap must begin.
Given given_for(Helpers used, std::uint32_t processes, std::optional<VirtAddr> heap = {});

// Part of a program, with what its text names.
struct Code {
    std::string text;
    Helpers uses{};
    friend bool operator==(Code const&, Code const&) = default;
};

// As fmt::format() puts it together: it uses what its parts use, and `own`, what is named between them.
template <class... Parts>
Code code(Helpers own, fmt::format_string<Parts const&...> format, Parts const&... parts) {
    auto const add = [&own](auto const& part) {
        if constexpr (std::is_same_v<decltype(part), Code const&>) own.insert(part.uses.begin(), part.uses.end());
    };
    (add(parts), ...);
    return {fmt::format(format, parts...), std::move(own)};
}

// Those that are not empty, with the gap between them.
Code joined(std::vector<Code> const& parts, std::string_view gap);

// "pid[1]".
Code pid_of(spec::ProcId process);

// A char pointer as c_pointer() writes it; but the stack page is `room`, a page that stands for it, since the program's
// own calls write to its stack all the time. A range of bytes that goes on beyond the stack page is at the real one.
Code repro_pointer(spec::Address const& at, std::uint64_t bytes);

// The anchor names a page of vmcheck's own image.
bool is_of_image(spec::Anchor anchor);

inline constexpr char const* kOtherImage =
    "it reaches across pages of vmcheck's own image, which other programs do not have side by side";

// Whether the range leaves the page that the address is named after. What lies behind vmcheck's own pages of text,
// constants and data is not there in other programs; but the guard page lies behind the last page of data, and that
// they all have.
bool leaves_its_page(spec::Address const& at, std::uint64_t bytes);

// What the step does to memory that it names, where it does anything.
std::optional<spec::AddressUse> access_of(spec::Action const& action);

// The expression that does the step and, where it has a result, is the result: "load1(heap + 8)". Empty where there is
// nothing to do. `stack_pointer`: where a step before has put sp, if one has: loads, stores and system calls that take
// an address are then done with sp there. `below_zero`: of an sbrk, by how much more than the heap's start is high it
// lowers the break; that start is another one in each program.
Code repro_expression(spec::Action const& action, std::optional<spec::Address> const& stack_pointer = {},
                      std::optional<std::int64_t> below_zero = {});

// The condition on `long r`, what the step returned; `heap_start`: a result that lies in the heap, which begins there,
// is written relative to `heap`. Empty where no result is a value.
Code repro_condition(std::vector<spec::Result> const& results, std::optional<VirtAddr> const& heap_start);

}  // namespace vmcheck::repro

template <>
struct fmt::formatter<vmcheck::repro::Code> : fmt::formatter<std::string> {
    auto format(vmcheck::repro::Code const& code, fmt::format_context& context) const {
        return fmt::formatter<std::string>::format(code.text, context);
    }
};
