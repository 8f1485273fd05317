#include "checker/class/stamp.h"

#include <nlohmann/json.hpp>

namespace vmcheck::classes {

namespace {

using nlohmann::json;

constexpr int kVersion = 1;

}  // namespace

std::string print(Stamp const& stamp) {
    nlohmann::ordered_json document;
    document["stamp"] = kVersion;
    document["program"] = stamp.program;
    document["options"] = stamp.options;
    document["inputs"] = stamp.inputs;
    document["limit_ms"] = stamp.limit.count();
    document["exit_code"] = stamp.ending.exit_code ? nlohmann::ordered_json(*stamp.ending.exit_code) : nullptr;
    document["signal"] = stamp.ending.signal;
    document["timed_out"] = stamp.ending.cut == Cut::time_limit;
    return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::optional<Stamp> parse_stamp(std::string_view text) {
    try {
        json const document = json::parse(text);
        if (document.at("stamp") != kVersion) return std::nullopt;
        Stamp stamp;
        stamp.program = document.at("program").get<std::string>();
        stamp.options = document.at("options").get<std::vector<std::string>>();
        stamp.inputs = document.at("inputs").get<std::string>();
        stamp.limit = std::chrono::milliseconds{document.at("limit_ms").get<std::int64_t>()};
        if (!document.at("exit_code").is_null()) stamp.ending.exit_code = document.at("exit_code").get<int>();
        stamp.ending.signal = document.at("signal").get<int>();
        stamp.ending.cut = document.at("timed_out").get<bool>() ? Cut::time_limit : Cut::no;
        return stamp;
    } catch (json::exception const&) {
        return std::nullopt;  // the library reports by exception; this is the border at which that ends
    }
}

bool answers(Stamp const& stamp, Stamp const& wanted) {
    bool const time_enough = stamp.ending.cut != Cut::time_limit || stamp.limit >= wanted.limit;
    return stamp.program == wanted.program && stamp.options == wanted.options && stamp.inputs == wanted.inputs &&
           time_enough;
}

}  // namespace vmcheck::classes
