#pragma once
// Whether a JSON value is what a JSON Schema says. Test-only; knows the words that findings.schema.json uses: type,
// const, enum, required, properties, additionalProperties, items, minimum, anyOf, $ref into #/$defs. Any other word is
// an error.

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace vmcheck::report::testing {

// What is wrong, each with its path in the value; empty where nothing is.
std::vector<std::string> schema_errors(nlohmann::json const& schema, nlohmann::json const& value);

}  // namespace vmcheck::report::testing
