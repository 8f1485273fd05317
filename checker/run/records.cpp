#include "checker/run/records.h"

#include "spec/advance.h"

namespace vmcheck::run {

StepRecord record_of(spec::World const& world, spec::Step const& step, spec::Outcome const* outcome) {
    StepRecord record{step, {}, outcome == nullptr ? std::nullopt : std::optional(*outcome)};
    // What it does may depend on another step, which has not done what it should.
    if (!spec::why_not(world, step))
        record.expected = spec::expected_results(world, step, outcome != nullptr && spec::allocation_failed(*outcome));
    return record;
}

std::array<StepRecord, 2> records_of(spec::World const& world, spec::Pair const& pair, spec::PairOutcome const& outcome,
                                     spec::PairVerdict const& verdict) {
    bool const swapped = !verdict.orders.empty() && verdict.orders.front().second_comes_first;
    spec::World const& between = verdict.orders.empty() ? world : verdict.orders.front().between;
    return {record_of(swapped ? between : world, pair.first, &outcome.first),
            record_of(swapped ? world : between, pair.second, outcome.second ? &*outcome.second : nullptr)};
}

}  // namespace vmcheck::run
