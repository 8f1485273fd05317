// What a class's child has written, by whatever a tree has made of it: it is read as a report or it is none, and every
// summary can be written.

#include "checker/class/documents.h"
#include "checker/class/tree_result.h"
#include "checker/fuzz/fuzz.h"
#include "checker/report/format.h"
#include "checker/report/sample_testing.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace vmcheck::fuzz {

void child_report(std::string_view input) {
    std::string const report(input);
    classes::Class all{.directory = "class"};
    for (int const code : {0, 1, 3, 4, 130}) {
        classes::TreeResult const result = classes::result_of({.exit_code = code}, report);
        require((result.verdict == classes::TreeVerdict::defects) == (result.defects() > 0), "a defect is the verdict");
        all.rows.push_back({"tree " + std::to_string(code), "class/tree", result});
    }
    require(nlohmann::json::accept(classes::json_document(all)), "the summary is JSON");
    require(std::ranges::count(classes::csv_document(all), '\033') == 0, "a table holds no codes for the terminal");
    require(std::ranges::count(classes::text_document(all, false), '\033') == 0, "nor does a text");
    classes::html_document(all);
    classes::junit_document(all);
}

std::vector<std::string> child_report_seeds() {
    using namespace report::testing;
    Finding flaky = parent_keeps_w();
    flaky.reproduced = 0;
    SessionResult boot = session_with({});
    boot.boot_violations = parent_keeps_w().divergence.violations;
    return {report::json_document({session_with({parent_keeps_w(), flaky})}), report::json_document({boot}),
            report::json_document({}, {.stop = Stop{Stop::Cause::build, "it does not build", "tree", {"vm.c:3"}}})};
}

}  // namespace vmcheck::fuzz
