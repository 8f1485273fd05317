#include "checker/report/told_action.h"

#include <variant>

namespace vmcheck::report {

spec::Action told_action(Finding const& finding, std::size_t step) {
    spec::Action action = finding.program.steps[step].action;
    auto* const sbrk = std::get_if<spec::Sbrk>(&action);
    if (sbrk && sbrk->mode == spec::SbrkMode::by_profile && finding.evidence.sbrk_by_profile_is_lazy)
        sbrk->mode = spec::SbrkMode::lazy;
    return action;
}

}  // namespace vmcheck::report
