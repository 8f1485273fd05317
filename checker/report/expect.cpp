#include "checker/report/expect.h"

#include "checker/report/c_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace vmcheck::report {

namespace {

// As far as a program in C sees it, which does not know what is left in its registers.
bool seen_in_c(spec::Result const& result, spec::Outcome outcome) {
    if (std::holds_alternative<spec::GoesOn>(result))
        if (auto* const returned = std::get_if<spec::Returned>(&outcome.what)) returned->value = 0;
    return spec::shows(result, outcome);
}

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
                       [&](spec::Result const& result) { return seen_in_c(result, outcome); });
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
