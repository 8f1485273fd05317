#include "spec/predict.h"

#include "spec/answer.h"

#include <utility>

namespace vmcheck::spec {

std::optional<Prediction> predict(World const& world, Step const& step) {
    for (Answer const& answer : allowed(world, step)) {
        if (answer.excuse) continue;
        Outcome outcome = outcome_showing(answer.result, world);
        World after = answer.after(outcome);
        return Prediction{std::move(outcome), std::move(after)};
    }
    return std::nullopt;
}

}  // namespace vmcheck::spec
