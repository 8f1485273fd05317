#include "checker/finding/cause.h"
#include "checker/report/escape.h"
#include "checker/report/format.h"
#include "checker/report/story.h"
#include "checker/report/text.h"
#include "checker/report/verdict.h"
#include "impl/base/error.h"

#include <fmt/core.h>

#include <algorithm>

namespace vmcheck::report {

namespace {

using State = InvariantVerdict::State;

std::string test_case(SessionResult const& session, InvariantVerdict const& verdict) {
    std::string text = fmt::format(R"(    <testcase classname="vmcheck.{}" name="{}" time="0")",
                                   escape_markup(session.kernel.profile), escape_markup(title_of(verdict.invariant)));
    if (verdict.state == State::passed) return text + "/>\n";
    if (verdict.state != State::failed)
        return text + fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", escape_markup(verdict.text));
    std::string const message =
        verdict.findings.empty() ? verdict.text : story_of(session.findings[verdict.findings.front()]);
    std::string const type = verdict.findings.empty() ? std::string(spec::short_name(verdict.invariant))
                                                      : cause_of(session.findings[verdict.findings.front()].family).id;
    return text + fmt::format(">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n", type,
                              escape_markup(message), escape_markup(verdict.text));
}

std::string test_suite(SessionResult const& session) {
    auto const all = verdicts(session);
    auto const count = [&](State state) {
        return std::count_if(all.begin(), all.end(), [&](InvariantVerdict const& each) { return each.state == state; });
    };
    std::string text =
        fmt::format(R"(  <testsuite name="{}" tests="{}" failures="{}" errors="0" skipped="{}" time="0">)",
                    escape_markup(name_of(session)), all.size(), count(State::failed),
                    count(State::skipped) + count(State::not_applicable));
    text += fmt::format(
        "\n    <properties>\n      <property name=\"seed\" value=\"{}\"/>\n      <property name=\"programs\" "
        "value=\"{}\"/>\n    </properties>\n",
        session.seed, session.counts.programs);
    for (InvariantVerdict const& verdict : all) text += test_case(session, verdict);
    return text + "  </testsuite>\n";
}

std::string stopped_suite(Stop const& stop) {
    std::string said;
    for (std::string const& line : said_of(stop)) said += line + '\n';
    return fmt::format(
        "  <testsuite name=\"vmcheck\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" time=\"0\">\n"
        "    <testcase classname=\"vmcheck\" name=\"the kernel can be checked\" time=\"0\">\n"
        "      <error type=\"{}\" message=\"{}\">{}</error>\n    </testcase>\n  </testsuite>\n",
        to_string(stop.cause), escape_markup(base::sentence(stop.about, stop.message)), escape_markup(said));
}

}  // namespace

std::string junit_document(std::vector<SessionResult> const& sessions, ReportOptions const& options) {
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"vmcheck\">\n";
    for (SessionResult const& session : sessions) text += test_suite(session);
    if (options.stop) text += stopped_suite(*options.stop);
    return text + "</testsuites>\n";
}

}  // namespace vmcheck::report
