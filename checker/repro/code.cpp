#include "checker/repro/code.h"

#include "checker/repro/c_words.h"
#include "spec/address.h"

#include <fmt/format.h>

#include <type_traits>
#include <variant>

namespace vmcheck::report {

namespace {

class Expression {
  public:
    explicit Expression(std::optional<spec::Address> const& stack_pointer) : sp(stack_pointer) {}

    std::string operator()(spec::Fork const& fork) const {
        return fmt::format("if ((pid[{0}] = fork()) == 0) p{0}()", fork.child.value);
    }
    std::string operator()(spec::Exit const& exit) const { return fmt::format("exit({})", exit.status); }
    std::string operator()(spec::Wait const& wait) const {
        if (!wait.status) return "wait(0)";
        std::string const to = repro_pointer(*wait.status, 4);
        return sp ? call("wait", in_long(to), "0", 0) : fmt::format("wait((int *)({}))", to);
    }
    std::string operator()(spec::Kill const& kill) const { return fmt::format("kill(pid[{}])", kill.target.value); }
    std::string operator()(spec::Sbrk const& sbrk) const {
        // The system call takes an int.
        auto const bytes = static_cast<std::int32_t>(sbrk.bytes);
        return fmt::format("{}({})", sbrk.mode == spec::SbrkMode::lazy ? "sbrklazy" : "sbrk", c_amount(bytes));
    }
    std::string operator()(spec::Load const& load) const {
        if (sp)
            return fmt::format("load{}_with_sp({}, {})", load.size, c_pointer(*sp), repro_pointer(load.at, load.size));
        return fmt::format("load{}({})", load.size, repro_pointer(load.at, load.size));
    }
    std::string operator()(spec::Store const& store) const {
        std::string const at = repro_pointer(store.at, store.size);
        if (sp) return fmt::format("store{}_with_sp({}, {}, {})", store.size, c_pointer(*sp), at, c_value(store.value));
        return fmt::format("store{}({}, {})", store.size, at, c_value(store.value));
    }
    std::string operator()(spec::Touch const& touch) const {
        std::string const at = repro_pointer(touch.at, std::uint64_t{touch.pages} * kPageBytes);
        if (sp && touch.pages == 1) return fmt::format("load1_with_sp({}, {})", c_pointer(*sp), at);
        if (sp) return fmt::format("touch_with_sp({}, {}, {})", c_pointer(*sp), at, touch.pages);
        return touch.pages == 1 ? fmt::format("load1({})", at) : fmt::format("touch({}, {})", at, touch.pages);
    }
    std::string operator()(spec::PipeWrite const& write) const {
        return call("write", "fds[1]", repro_pointer(write.from, write.bytes), write.bytes);
    }
    std::string operator()(spec::PipeRead const& read) const {
        return call("read", "fds[0]", repro_pointer(read.to, read.bytes), read.bytes);
    }
    std::string operator()(spec::FileRead const& read) const {
        return call("read", kDataFile, repro_pointer(read.to, read.bytes), read.bytes);
    }
    std::string operator()(spec::Fstat const& fstat) const {
        std::string const to = repro_pointer(fstat.to, 24);
        return sp ? call("fstat", kDataFile, to, 0) : fmt::format("fstat({}, (struct stat *)({}))", kDataFile, to);
    }
    std::string operator()(spec::Pipe const& pipe) const {
        std::string const to = repro_pointer(pipe.to, 8);
        return sp ? call("pipe", in_long(to), "0", 0) : fmt::format("pipe((int *)({}))", to);
    }
    std::string operator()(spec::Open const& open) const {
        std::string const path = repro_pointer(open.path, 1);
        return sp ? call("open", in_long(path), "0", 0) : fmt::format("open({}, 0)", path);
    }
    std::string operator()(spec::Exec const&) const { return "exec(\"echo\", echo)"; }
    std::string operator()(spec::SetSp const&) const { return {}; }
    std::string operator()(spec::Fetch const& fetch) const {
        return fmt::format("((void (*)(void))({}))()", repro_pointer(fetch.at, 2));
    }

  private:
    std::optional<spec::Address> const& sp;
    static constexpr char const* kDataFile = "open(\"/data\", 0)";

    static std::string in_long(std::string const& pointer) { return fmt::format("(long)({})", pointer); }

    // A system call; by hand where sp is to be elsewhere while the kernel does it.
    std::string call(char const* name, std::string const& first, std::string const& second, std::uint64_t third) const {
        if (!sp) return fmt::format("{}({}, {}, {})", name, first, second, third);
        std::string const long_second = second == "0" ? second : in_long(second);
        return fmt::format("call_with_sp({}, SYS_{}, {}, {}, {})", c_pointer(*sp), name, first, long_second, third);
    }
};

struct AccessOf {
    using Access = std::optional<std::pair<spec::Address, std::uint64_t>>;
    Access operator()(spec::Load const& load) const { return {{load.at, load.size}}; }
    Access operator()(spec::Store const& store) const { return {{store.at, store.size}}; }
    Access operator()(spec::Touch const& touch) const { return {{touch.at, (touch.pages - 1) * kPageBytes + 1}}; }
    Access operator()(spec::PipeWrite const& write) const { return {{write.from, write.bytes}}; }
    Access operator()(spec::PipeRead const& read) const { return {{read.to, read.bytes}}; }
    Access operator()(spec::FileRead const& read) const { return {{read.to, read.bytes}}; }
    Access operator()(spec::Fstat const& fstat) const { return {{fstat.to, 24}}; }
    Access operator()(spec::Pipe const& pipe) const { return {{pipe.to, 8}}; }
    Access operator()(spec::Open const& open) const { return {{open.path, 1}}; }
    Access operator()(spec::Fetch const& fetch) const { return {{fetch.at, 2}}; }
    Access operator()(spec::Wait const& wait) const { return wait.status ? Access({*wait.status, 4}) : std::nullopt; }
    template <class Other>
    Access operator()(Other const&) const {
        return std::nullopt;
    }
};

// How many bytes before the guard page a range may begin that goes on into it: behind all variables of a small program.
constexpr std::int64_t kBeforeGuardMax = 64;

bool runs_into_guard(spec::Address const& at, std::uint64_t bytes) {
    constexpr auto kPage = static_cast<std::int64_t>(kPageBytes);
    return at.anchor == spec::Anchor::bss && at.offset >= kPage - kBeforeGuardMax && at.offset < kPage &&
           at.offset + static_cast<std::int64_t>(bytes) > kPage;
}

}  // namespace

bool leaves_its_page(spec::Address const& at, std::uint64_t bytes) {
    bool const of_image = at.anchor == spec::Anchor::text || at.anchor == spec::Anchor::rodata ||
                          at.anchor == spec::Anchor::data || at.anchor == spec::Anchor::bss;
    bool const within = at.offset >= 0 && static_cast<std::uint64_t>(at.offset) <= kPageBytes &&
                        bytes <= kPageBytes - static_cast<std::uint64_t>(at.offset);
    return of_image && !within && !runs_into_guard(at, bytes);
}

std::optional<std::pair<spec::Address, std::uint64_t>> access_of(spec::Action const& action) {
    return std::visit(AccessOf{}, action);
}

std::string repro_pointer(spec::Address const& at, std::uint64_t bytes) {
    constexpr auto kPage = static_cast<std::int64_t>(kPageBytes);
    bool const in_stack_page = at.anchor == spec::Anchor::stack && at.offset >= -kPage && at.offset < 0 &&
                               at.offset + static_cast<std::int64_t>(bytes) <= 0;
    if (runs_into_guard(at, bytes)) return c_pointer({spec::Anchor::guard, at.offset - kPage});
    if (!in_stack_page) return c_pointer(at);
    return at.offset == -kPage ? "room" : fmt::format("room + {}", c_amount(kPage + at.offset));
}

std::string repro_expression(spec::Action const& action, std::optional<spec::Address> const& stack_pointer) {
    return std::visit(Expression(stack_pointer), action);
}

bool has_result(spec::Action const& action) {
    return std::visit(
        [](auto const& each) {
            using T = std::decay_t<decltype(each)>;
            return !std::is_same_v<T, spec::Fork> && !std::is_same_v<T, spec::Exit> &&
                   !std::is_same_v<T, spec::Store> && !std::is_same_v<T, spec::Exec> &&
                   !std::is_same_v<T, spec::SetSp> && !std::is_same_v<T, spec::Fetch>;
        },
        action);
}

}  // namespace vmcheck::report
