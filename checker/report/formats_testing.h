#pragma once
// What is written, read by tools that are not ours: XML and HTML by pugixml, JSON held against its schema by
// python3-jsonschema. Test-only.

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report::testing {

struct Markup {
    pugi::xml_document document;
    std::string error;  // empty: it is well formed

    // How many nodes the XPath selects.
    std::size_t count(char const* path) const { return document.select_nodes(path).size(); }
};

// XML, or HTML as we write it, where only <meta> has no end. Control characters and bad UTF-8 are errors, too.
Markup parse_markup(std::string_view text);

// Whether this machine has what schema_errors() needs. Without it a test is skipped.
bool can_check_schemas();

// Of each document what is wrong by the schema (a file), each with its place; all in one go, since starting the checker
// takes longer than a document. A checker that fails is an error of every document. REQUIRES: can_check_schemas().
std::vector<std::vector<std::string>> schema_errors(std::string const& schema,
                                                    std::vector<nlohmann::json> const& documents);
// All errors of all documents.
std::vector<std::string> all_schema_errors(std::string const& schema, std::vector<nlohmann::json> const& documents);

}  // namespace vmcheck::report::testing
