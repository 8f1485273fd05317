#include "checker/report/expect.h"

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

}  // namespace vmcheck::report
