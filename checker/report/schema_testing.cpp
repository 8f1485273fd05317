#include "checker/report/schema_testing.h"

#include <algorithm>

namespace vmcheck::report::testing {

namespace {

using nlohmann::json;

std::string below(std::string path, std::string const& name) {
    return path.append("/").append(name);
}

class Validator {
  public:
    explicit Validator(json const& root) : root_(root) {}

    void check(json const& schema, json const& value, std::string const& path) {
        for (auto const& [word, rule] : schema.items()) {
            if (word == "description" || word == "title" || word == "$schema" || word == "$defs") continue;
            if (word == "$ref") {
                std::string const target = rule.get<std::string>();
                check(root_.at(json::json_pointer(target.substr(1))), value, path);
            } else if (word == "type") {
                if (!has_type(rule, value)) complain(path, "is not of type " + rule.dump());
            } else if (word == "const") {
                if (value != rule) complain(path, "is not " + rule.dump());
            } else if (word == "enum") {
                if (std::find(rule.begin(), rule.end(), value) == rule.end())
                    complain(path, "is none of " + rule.dump());
            } else if (word == "minimum") {
                if (value.is_number() && value < rule) complain(path, "is less than " + rule.dump());
            } else if (word == "anyOf") {
                check_any(rule, value, path);
            } else if (word == "items") {
                for (std::size_t i = 0; value.is_array() && i < value.size(); ++i)
                    check(rule, value[i], below(path, std::to_string(i)));
            } else if (word == "required") {
                for (json const& name : rule)
                    if (value.is_object() && !value.contains(name.get<std::string>()))
                        complain(path, "has no " + name.dump());
            } else if (word == "properties") {
                for (auto const& [name, each] : rule.items())
                    if (value.is_object() && value.contains(name)) check(each, value.at(name), below(path, name));
            } else if (word == "additionalProperties") {
                check_additional(schema, rule, value, path);
            } else {
                complain(path, "the schema uses an unknown word: " + word);
            }
        }
    }

    std::vector<std::string> errors;

  private:
    void complain(std::string const& path, std::string const& what) { errors.push_back(path + ": " + what); }

    static bool has_type(json const& types, json const& value) {
        if (types.is_array())
            return std::any_of(types.begin(), types.end(), [&](json const& type) { return has_type(type, value); });
        std::string const type = types.get<std::string>();
        return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
               (type == "string" && value.is_string()) || (type == "integer" && value.is_number_integer()) ||
               (type == "number" && value.is_number()) || (type == "boolean" && value.is_boolean()) ||
               (type == "null" && value.is_null());
    }

    void check_any(json const& choices, json const& value, std::string const& path) {
        for (json const& choice : choices) {
            Validator one(root_);
            one.check(choice, value, path);
            if (one.errors.empty()) return;
        }
        complain(path, "fits none of the choices");
    }

    void check_additional(json const& schema, json const& rule, json const& value, std::string const& path) {
        if (!value.is_object()) return;
        for (auto const& [name, each] : value.items()) {
            if (schema.contains("properties") && schema.at("properties").contains(name)) continue;
            if (rule.is_object())
                check(rule, each, below(path, name));
            else if (rule == false)
                complain(path, "has a member that the schema does not know: " + name);
        }
    }

    json const& root_;
};

}  // namespace

std::vector<std::string> schema_errors(json const& schema, json const& value) {
    Validator validator(schema);
    validator.check(schema, value, "");
    return validator.errors;
}

}  // namespace vmcheck::report::testing
