#include "checker/repro/code.h"

#include "checker/report/c_words.h"
#include "checker/report/step_in_c.h"
#include "spec/address.h"

#include <fmt/format.h>

#include <string_view>
#include <variant>
#include <vector>

namespace vmcheck::repro {

namespace {

using namespace report;  // the words

// For a compiler.
class ReproCode {
  public:
    static constexpr bool kCompiles = true;
    static constexpr std::string_view kReadOnly = "0";
    static constexpr std::string_view kExec = "exec(\"echo\", echo)";

    explicit ReproCode(std::optional<spec::Address> const& stack_pointer) : sp(stack_pointer) {}

    std::string fork(spec::ProcId child) const {
        return fmt::format("if ((pid[{0}] = fork()) == 0) p{0}()", child.value);
    }
    std::string process(spec::ProcId id) const { return fmt::format("pid[{}]", id.value); }
    // The system call takes an int.
    std::string amount(std::int64_t bytes) const { return c_amount(static_cast<std::int32_t>(bytes)); }
    std::string pointer(spec::Address const& at, std::uint64_t bytes) const { return repro_pointer(at, bytes); }
    std::string load(spec::Address const& at, unsigned bytes) const {
        return with_sp(fmt::format("load{}", bytes), repro_pointer(at, bytes));
    }
    std::string store(spec::Address const& at, unsigned bytes, std::uint64_t value) const {
        return with_sp(fmt::format("store{}", bytes), fmt::format("{}, {}", repro_pointer(at, bytes), c_value(value)));
    }
    std::string touch(spec::Address const& at, std::uint32_t pages) const {
        return with_sp("touch", fmt::format("{}, {}", repro_pointer(at, pages * kPageBytes), pages));
    }
    std::string set_sp(spec::Address const&) const { return {}; }
    // By hand where sp is to be elsewhere while the kernel does it.
    std::string call(std::string_view name, std::vector<CArgument> const& arguments) const {
        if (!sp) return plain_call(*this, name, arguments);
        std::string text = fmt::format("call_with_sp({}, SYS_{}", c_pointer(*sp), name);
        constexpr std::size_t kArguments = 3;
        for (std::size_t i = 0; i < kArguments; ++i) {
            if (i >= arguments.size())
                text += ", 0";
            else if (auto const& at = arguments[i].at)
                text += fmt::format(", (long)({})", repro_pointer(*at, arguments[i].bytes));
            else
                text += ", " + arguments[i].text;
        }
        return text + ')';
    }

  private:
    std::string with_sp(std::string const& function, std::string const& arguments) const {
        if (!sp) return fmt::format("{}({})", function, arguments);
        return fmt::format("{}_with_sp({}, {})", function, c_pointer(*sp), arguments);
    }

    std::optional<spec::Address> const& sp;
};

// How many bytes before the guard page a range may begin that goes on into it: behind all variables of a small program.
constexpr std::int64_t kBeforeGuardMax = 64;

bool runs_into_guard(spec::Address const& at, std::uint64_t bytes) {
    constexpr auto kPage = static_cast<std::int64_t>(kPageBytes);
    return at.anchor == spec::Anchor::bss && at.offset >= kPage - kBeforeGuardMax && at.offset < kPage &&
           at.offset + static_cast<std::int64_t>(bytes) > kPage;
}

}  // namespace

bool is_of_image(spec::Anchor anchor) {
    using spec::Anchor;
    return anchor == Anchor::text || anchor == Anchor::rodata || anchor == Anchor::data || anchor == Anchor::bss;
}

bool leaves_its_page(spec::Address const& at, std::uint64_t bytes) {
    bool const within = at.offset >= 0 && static_cast<std::uint64_t>(at.offset) <= kPageBytes &&
                        bytes <= kPageBytes - static_cast<std::uint64_t>(at.offset);
    return is_of_image(at.anchor) && !within && !runs_into_guard(at, bytes);
}

std::optional<spec::AddressUse> access_of(spec::Action const& action) {
    auto use = spec::address_of(action);
    if (!use || use->access == spec::Access::none) return std::nullopt;
    // Of a path, nobody knows how long it is.
    if (spec::way_of(action) == spec::Way::copyinstr) use->bytes = 1;
    return use;
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
    ReproCode const dialect(stack_pointer);
    return std::visit(StepInC(dialect), action);
}

}  // namespace vmcheck::repro
