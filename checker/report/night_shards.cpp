#include "checker/report/night.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace vmcheck::report {

namespace {

auto whole_of(Night const& night) {
    return std::tie(night.kernel, night.profile, night.kernel_commit, night.kernel_changed, night.vmcheck, night.seed,
                    night.shard->of);
}

// What one shard says of a finding, and another of the same.
void add(Night::Finding& finding, Night::Finding const& other) {
    // A ledger that knew it before says more than one that did not; and gone is only what fails on no machine.
    for (auto state : {Night::State::known, Night::State::fresh, Night::State::gone})
        if (finding.state == state || other.state == state) {
            finding.state = state;
            break;
        }
    if (other.change && !Night::is_answered(finding.change)) finding.change = other.change;
}

void add(Night& whole, Night const& part) {
    whole.began = std::min(whole.began, part.began);
    whole.seconds = std::max(whole.seconds, part.seconds);
    if (whole.machine.find(part.machine) == std::string::npos) whole.machine += "; " + part.machine;
    whole.programs += part.programs;
    whole.steps += part.steps;
    whole.reached = std::max(whole.reached, part.reached);
    whole.lines = std::max(whole.lines, part.lines);
    whole.corpus = std::max(whole.corpus, part.corpus);
    whole.left_out = std::max(whole.left_out, part.left_out);
    ++whole.shards;
    for (Night::Finding const& each : part.findings) {
        auto const at = std::ranges::find(whole.findings, each.name, &Night::Finding::name);
        if (at == whole.findings.end())
            whole.findings.push_back(each);
        else
            add(*at, each);
    }
}

}  // namespace

bool are_shards_of_one(Night const& one, Night const& other) {
    return one.shard && other.shard && whole_of(one) == whole_of(other);
}

std::vector<Night> together(std::vector<Night> const& nights) {
    std::vector<Night> all;
    std::vector<std::set<unsigned>> numbers;  // of the shards that are in each
    for (Night const& night : nights) {
        std::size_t at = all.size();
        while (night.shard && at > 0 && !are_shards_of_one(all[at - 1], night)) --at;
        if (night.shard && at > 0 && numbers[at - 1].insert(night.shard->number).second) {
            add(all[at - 1], night);
            continue;
        }
        all.push_back(night);
        numbers.push_back(night.shard ? std::set<unsigned>{night.shard->number} : std::set<unsigned>{});
    }
    return all;
}

}  // namespace vmcheck::report
