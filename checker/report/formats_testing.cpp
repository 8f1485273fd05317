#include "checker/report/formats_testing.h"

#include "checker/report/escape.h"
#include "impl/base/child.h"
#include "impl/base/files.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vmcheck::report::testing {

using nlohmann::json;

Markup parse_markup(std::string_view text) {
    Markup markup;
    if (printable(text) != text) markup.error = "control characters or bad UTF-8";
    std::string closed(text);
    for (std::size_t at = 0; (at = closed.find("<meta ", at)) != std::string::npos;) {
        at = closed.find('>', at);
        if (at != std::string::npos) closed.insert(at, "/");
    }
    // Texts as they stand, so that they can be compared with what went in.
    constexpr unsigned kAsItStands = pugi::parse_full & ~(pugi::parse_eol | pugi::parse_wconv_attribute);
    auto const parsed = markup.document.load_buffer(closed.data(), closed.size(), kAsItStands, pugi::encoding_utf8);
    if (!parsed) markup.error = parsed.description();
    if (markup.count("/*") != 1) markup.error += " not one root";
    return markup;
}

bool can_check_schemas() {
    auto const ran = base::run({.arguments = {VMCHECK_PYTHON, "-c", "import jsonschema"}}, {});
    return ran && ran->end == base::RunResult::End::exited && ran->exit_code == 0;
}

std::vector<std::vector<std::string>> schema_errors(std::string const& schema, std::vector<json> const& documents) {
    auto const failed = [&](std::string why) { return std::vector(documents.size(), std::vector{std::move(why)}); };
    auto const scratch = base::ScratchDirectory::make("test");
    if (!scratch) return failed(scratch.error().message);
    auto const file = scratch->path() / "documents.json", said = scratch->path() / "said";
    if (auto written = base::write_file(file, json(documents).dump()); !written) return failed(written.error().message);
    base::Command command;
    command.arguments = {VMCHECK_PYTHON, VMCHECK_CHECK_SCHEMA, schema, file.string()};
    command.output = said;
    command.errors = scratch->path() / "errors";
    auto const ran = base::run(command, {.time = std::chrono::minutes{5}});
    if (!ran) return failed(ran.error().message);
    json const errors = json::parse(base::read_file(said).value_or(""), nullptr, false);
    if (!errors.is_array() || errors.size() != documents.size())
        return failed("the checker failed: " + base::read_file(command.errors).value_or(""));
    return errors.get<std::vector<std::vector<std::string>>>();
}

std::vector<std::string> all_schema_errors(std::string const& schema, std::vector<json> const& documents) {
    std::vector<std::string> all;
    for (auto& errors : schema_errors(schema, documents)) std::ranges::move(errors, std::back_inserter(all));
    return all;
}

}  // namespace vmcheck::report::testing
