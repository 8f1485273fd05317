#include "checker/class/documents.h"

#include <nlohmann/json.hpp>

namespace vmcheck::classes {

namespace {

using Json = nlohmann::ordered_json;

// Names and messages may hold any byte; JSON strings are UTF-8.
constexpr auto kReplaceBadBytes = Json::error_handler_t::replace;

Json text_or_null(std::string const& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json to_json(Found const& found) {
    Json json;
    json["signature"] = found.signature;
    json["severity"] = found.severity;
    json["rank"] = text_or_null(found.rank);
    json["cause"] = text_or_null(found.cause);
    json["heading"] = found.heading;
    json["story"] = text_or_null(found.story);
    json["reproduced"] = found.solid;
    return json;
}

Json to_json(Row const& row) {
    TreeResult const& result = row.result;
    Json json;
    json["name"] = row.name;
    json["path"] = row.path;
    json["verdict"] = to_string(result.verdict);
    json["timed_out"] = result.timed_out;
    json["defects"] = result.defects();
    json["what_to_know"] = text_or_null(what_to_know(result));
    json["profile"] = text_or_null(result.profile);
    json["vintage"] = text_or_null(result.vintage);
    json["left_out"] = result.left_out;
    json["missing"] = result.missing;
    json["inherited"] = result.inherited;
    json["programs"] = result.programs;
    json["steps"] = result.steps;
    json["found"] = Json::array();
    for (Found const& found : result.found) json["found"].push_back(to_json(found));
    json["files"] = row.files;
    return json;
}

}  // namespace

std::string json_document(Class const& all) {
    Json document;
    document["vmcheck_class"] = 1;
    document["directory"] = all.directory;
    document["options"] = all.options;
    document["left_out"] = all.left_out;
    auto const each = counts(all);
    for (std::size_t i = 0; i < kTreeVerdicts; ++i)
        document["verdicts"][std::string(to_string(TreeVerdict{static_cast<std::uint8_t>(i)}))] = each[i];
    document["shared_defects"] = Json::array();
    for (Shared const& shared : shared_defects(all))
        document["shared_defects"].push_back({{"heading", shared.heading}, {"trees", shared.trees}});
    document["trees"] = Json::array();
    for (Row const& row : all.rows) document["trees"].push_back(to_json(row));
    return document.dump(2, ' ', false, kReplaceBadBytes) + "\n";
}

}  // namespace vmcheck::classes
