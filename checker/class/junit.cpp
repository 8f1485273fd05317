#include "checker/class/documents.h"
#include "checker/report/escape.h"

#include <fmt/core.h>

namespace vmcheck::classes {

namespace {

using report::escape_markup;

bool is_checked(TreeResult const& result) {
    return result.verdict == TreeVerdict::defects || result.verdict == TreeVerdict::nothing_found;
}

std::string test_case(std::string const& name, std::string const& inside) {
    return fmt::format("    <testcase classname=\"vmcheck.class\" name=\"{}\" time=\"0\"{}\n", escape_markup(name),
                       inside.empty() ? "/>" : fmt::format(">\n      {}\n    </testcase>", inside));
}

std::string test_suite(Row const& row) {
    TreeResult const& result = row.result;
    bool const error = !is_checked(result);
    std::size_t const failures = error ? 0 : result.defects();
    std::string text =
        fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"0\">\n",
                    escape_markup(row.name), failures == 0 ? 1 : failures, failures, error ? 1 : 0);
    if (error)
        text += test_case("verify", fmt::format("<error type=\"{}\" message=\"{}\"/>", to_string(result.verdict),
                                                escape_markup(what_to_know(result))));
    else if (failures == 0)
        text += test_case("verify", "");
    for (Found const& found : result.found)
        if (!error && found.is_defect())
            text += test_case(found.heading, fmt::format("<failure type=\"{}\" message=\"{}\"/>",
                                                         escape_markup(found.signature), escape_markup(found.story)));
    return text + "  </testsuite>\n";
}

}  // namespace

std::string junit_document(Class const& all) {
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"vmcheck\">\n";
    for (Row const& row : all.rows) text += test_suite(row);
    return text + "</testsuites>\n";
}

}  // namespace vmcheck::classes
