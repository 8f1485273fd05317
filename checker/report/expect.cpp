#include "checker/report/expect.h"

#include "checker/report/c_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <variant>

namespace vmcheck::report {

namespace {

// The largest that an int of the kernel can say: pids and descriptors.
constexpr std::uint64_t kIntMax = std::numeric_limits<std::int32_t>::max();

struct Shows {
    spec::Outcome const& outcome;

    bool operator()(spec::Exactly const& result) const { return alone() && returned() == result.value; }
    bool operator()(spec::AtMost const& result) const { return alone() && returned() && *returned() <= result.most; }
    bool operator()(spec::NewChild const&) const {
        return outcome.child_started && outcome.ended_others.empty() && returned() && *returned() > 0 &&
               *returned() <= kIntMax;
    }
    bool operator()(spec::PidOf const& result) const { return alone() && returned() == result.pid; }
    bool operator()(spec::SomeDescriptor const&) const { return alone() && returned() && *returned() <= kIntMax; }
    // A program in C does not see what is left in its registers.
    bool operator()(spec::GoesOn const&) const { return alone() && returned(); }
    bool operator()(spec::EndsOther const& result) const {
        return returned() == std::uint64_t{0} && !outcome.child_started &&
               outcome.ended_others == std::vector{result.target};
    }
    bool operator()(spec::Ends const&) const { return alone() && std::holds_alternative<spec::Ended>(outcome.what); }
    bool operator()(spec::Restarts const&) const {
        return alone() && std::holds_alternative<spec::Restarted>(outcome.what);
    }

  private:
    std::optional<std::uint64_t> returned() const {
        auto const* value = std::get_if<spec::Returned>(&outcome.what);
        return value ? std::optional(value->value) : std::nullopt;
    }
    // Nothing became of any other process.
    bool alone() const { return outcome.ended_others.empty() && !outcome.child_started; }
};

bool is_failure(spec::Result const& result) {
    auto const* value = std::get_if<spec::Exactly>(&result);
    return value && value->value == spec::kFailed;
}

std::string value_in_c(std::uint64_t value, std::optional<VirtAddr> const& heap_start) {
    // Far above any count or status: an address.
    constexpr std::int64_t kAddressMin = 4096;
    auto const number = static_cast<std::int64_t>(value);
    if (heap_start && number >= kAddressMin)
        return fmt::format("(long)({})",
                           c_pointer({spec::Anchor::heap, static_cast<std::int64_t>(value - heap_start->value)}));
    return number < 0 ? c_amount(number) : c_value(value);
}

// Empty for a result that is no value.
struct Condition {
    std::optional<VirtAddr> const& heap_start;

    std::string operator()(spec::Exactly const& result) const { return "r == " + value_in_c(result.value, heap_start); }
    std::string operator()(spec::AtMost const& result) const {
        return result.most == 0 ? "r == 0" : fmt::format("(r >= 0 && r <= {})", result.most);
    }
    std::string operator()(spec::PidOf const& result) const { return fmt::format("r == pid[{}]", result.child.value); }
    std::string operator()(spec::SomeDescriptor const&) const { return "r >= 0"; }
    std::string operator()(spec::EndsOther const&) const { return "r == 0"; }
    template <class Other>
    std::string operator()(Other const&) const {
        return {};
    }
};

}  // namespace

bool is_among(std::vector<spec::Result> const& results, spec::Outcome const& outcome) {
    return std::any_of(results.begin(), results.end(),
                       [&](spec::Result const& result) { return std::visit(Shows{outcome}, result); });
}

bool must_be_killed(std::vector<spec::Result> const& results, spec::Step const& step) {
    return !results.empty() && !std::holds_alternative<spec::Exit>(step.action) &&
           std::all_of(results.begin(), results.end(),
                       [](spec::Result const& result) { return std::holds_alternative<spec::Ends>(result); });
}

bool must_fail(std::vector<spec::Result> const& results) {
    return !results.empty() && std::all_of(results.begin(), results.end(), is_failure);
}

bool may_fail(std::vector<spec::Result> const& results) {
    return std::any_of(results.begin(), results.end(), [](spec::Result const& result) {
        return is_failure(result) || std::holds_alternative<spec::Ends>(result);
    });
}

bool failed(std::optional<spec::Outcome> const& outcome) {
    auto const* value = outcome ? std::get_if<spec::Returned>(&outcome->what) : nullptr;
    return value && value->value == spec::kFailed;
}

bool was_killed(std::optional<spec::Outcome> const& outcome, spec::Step const& step) {
    return outcome && std::holds_alternative<spec::Ended>(outcome->what) &&
           !std::holds_alternative<spec::Exit>(step.action);
}

std::string c_condition(std::vector<spec::Result> const& results, std::optional<VirtAddr> const& heap_start) {
    std::vector<std::string> conditions;
    for (spec::Result const& result : results) {
        std::string condition = std::visit(Condition{heap_start}, result);
        if (!condition.empty() && std::find(conditions.begin(), conditions.end(), condition) == conditions.end())
            conditions.push_back(std::move(condition));
    }
    return fmt::format("{}", fmt::join(conditions, " || "));
}

}  // namespace vmcheck::report
