#include "checker/class/shard.h"

#include "checker/class/cbor.h"
#include "checker/class/results.h"
#include "impl/base/files.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>
#include <system_error>

namespace vmcheck::classes {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kPartVersion = 1;

json shard_json(Found const& found) {
    return {{"signature", found.signature}, {"severity", found.severity}, {"rank", found.rank},
            {"heading", found.heading},     {"story", found.story},       {"solid", found.solid},
            {"cause", found.cause}};
}

Found found_in(json const& from) {
    return {from.at("signature"), from.at("severity"), from.at("rank"), from.at("heading"),
            from.at("story"),     from.at("solid"),    from.at("cause")};
}

json shard_json(TreeResult const& result) {
    json found = json::array();
    for (Found const& each : result.found) found.push_back(shard_json(each));
    return {{"verdict", static_cast<int>(result.verdict)},
            {"timed_out", result.timed_out},
            {"found", std::move(found)},
            {"message", result.message},
            {"profile", result.profile},
            {"vintage", result.vintage},
            {"left_out", result.left_out},
            {"missing", result.missing},
            {"inherited", result.inherited},
            {"programs", result.programs},
            {"steps", result.steps}};
}

TreeResult result_in(json const& from) {
    TreeResult result;
    auto const verdict = from.at("verdict").get<std::size_t>();
    if (verdict >= kTreeVerdicts) throw json::other_error::create(0, "no such verdict", nullptr);
    result.verdict = static_cast<TreeVerdict>(verdict);
    result.timed_out = from.at("timed_out");
    for (json const& each : from.at("found")) result.found.push_back(found_in(each));
    result.message = from.at("message");
    result.profile = from.at("profile");
    result.vintage = from.at("vintage");
    result.left_out = from.at("left_out").get<std::vector<std::string>>();
    result.missing = from.at("missing").get<std::vector<std::string>>();
    result.inherited = from.at("inherited").get<std::vector<std::string>>();
    result.programs = from.at("programs");
    result.steps = from.at("steps");
    return result;
}

// The names and places of all trees.
std::vector<std::pair<std::string, std::string>> roll(Class const& all) {
    std::vector<std::pair<std::string, std::string>> roll;
    for (Row const& row : all.rows) roll.emplace_back(row.name, row.path);
    return roll;
}

// Why the two cannot be parts of one whole; nothing where they can.
std::optional<std::string> why_not_together(PartAt const& first, PartAt const& other) {
    auto const differ = [&](std::string_view what, std::string const& a, std::string const& b) {
        return fmt::format("{}: was made {} {}, and {} {} {}.", other.directory.string(), what, b,
                           first.directory.string(), what, a);
    };
    Part const &a = first.part, &b = other.part;
    auto const options = [](Part const& part) {
        return fmt::format("({}; {} ms for each tree)", fmt::join(part.all.options, " "), part.limit.count());
    };
    if (a.program != b.program) return differ("by vmcheck", a.program, b.program);
    if (a.all.options != b.all.options || a.limit != b.limit) return differ("with options", options(a), options(b));
    if (a.all.directory != b.all.directory) return differ("of", a.all.directory, b.all.directory);
    if (roll(a.all) != roll(b.all) || a.all.left_out != b.all.left_out)
        return fmt::format(
            "{}: other trees or files were in {} than when {} was made. Results must not lie in the "
            "class, and what is handed in must not change, until all shards are done.",
            other.directory.string(), a.all.directory, first.directory.string());
    if (a.shard.of != b.shard.of) return differ("as shard", print(a.shard), print(b.shard));
    return std::nullopt;
}

// The text, in which a directory is called otherwise. What only ends or begins as its name does is another.
std::string with_place(std::string text, std::string const& called, std::string const& to) {
    if (called.empty()) return text;
    auto const is_of_name = [&](std::size_t at) {
        return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 ||
                                    std::string_view("/._-").find(text[at]) != std::string_view::npos);
    };
    for (std::size_t at = text.find(called); at != std::string::npos;) {
        std::size_t const end = at + called.size();
        bool const is_it = (at == 0 || !is_of_name(at - 1)) && (!is_of_name(end) || text[end] == '/');
        if (is_it) text.replace(at, called.size(), to);
        at = text.find(called, is_it ? at + to.size() : at + 1);
    }
    return text;
}

}  // namespace

std::vector<std::byte> print(Part const& part) {
    json rows = json::array();
    for (Row const& row : part.all.rows)
        rows.push_back({{"name", row.name}, {"path", row.path}, {"result", shard_json(row.result)}});
    json const document{
        {"vmcheck_shard", kPartVersion}, {"shard", print(part.shard)},     {"program", part.program},
        {"results", part.results},       {"limit_ms", part.limit.count()}, {"directory", part.all.directory},
        {"options", part.all.options},   {"left_out", part.all.left_out},  {"trees", std::move(rows)}};
    auto const bytes = json::to_cbor(document);
    std::vector<std::byte> printed(bytes.size());
    std::memcpy(printed.data(), bytes.data(), bytes.size());
    return printed;
}

std::optional<Part> parse_part(std::vector<std::byte> const& bytes) {
    try {
        auto const read = parse_cbor(bytes);
        if (!read || read->at("vmcheck_shard") != kPartVersion) return std::nullopt;
        json const& document = *read;
        auto const shard = run::parse_shard(document.at("shard").get<std::string>());
        if (!shard) return std::nullopt;
        Part part{
            *shard, document.at("program"), std::chrono::milliseconds{document.at("limit_ms").get<long>()}, {}, {}};
        // Shards of before did not say it.
        part.results = document.value("results", std::string());
        part.all.directory = document.at("directory");
        part.all.options = document.at("options").get<std::vector<std::string>>();
        part.all.left_out = document.at("left_out").get<std::vector<std::string>>();
        for (json const& row : document.at("trees")) {
            // It becomes a directory of ours.
            fs::path const name = row.at("name").get<std::string>();
            if (name.is_absolute() || std::ranges::find(name, fs::path("..")) != name.end()) return std::nullopt;
            part.all.rows.push_back({row.at("name"), row.at("path"), result_in(row.at("result")), {}});
        }
        return part;
    } catch (json::exception const&) {
        return std::nullopt;  // the library reports by exception; this is the border at which that ends
    }
}

tl::expected<Class, base::Error> merged(std::vector<PartAt> const& parts) {
    PartAt const& first = parts.front();
    std::map<unsigned, PartAt const*> by_number;
    for (PartAt const& each : parts) {
        if (auto const why = why_not_together(first, each)) return tl::unexpected(base::Error{*why});
        auto const [at, fresh] = by_number.try_emplace(each.part.shard.number, &each);
        if (!fresh)
            return tl::unexpected(base::Error{fmt::format("{}: is shard {}, as {} is.", each.directory.string(),
                                                          print(each.part.shard), at->second->directory.string())});
    }
    std::vector<std::string> missing;
    for (unsigned number = 1; number <= first.part.shard.of; ++number)
        if (!by_number.contains(number)) missing.push_back(print(run::Shard{number, first.part.shard.of}));
    if (!missing.empty())
        return tl::unexpected(
            base::Error{fmt::format("not all shards are there: missing is {}.", fmt::join(missing, ", "))});
    Class all = first.part.all;
    for (std::size_t i = 0; i < all.rows.size(); ++i)
        for (auto const& [number, each] : by_number)
            if (each->part.shard.takes(i)) all.rows[i] = each->part.all.rows[i];
    return all;
}

tl::expected<void, base::Error> copy_results(fs::path const& from, fs::path const& called, fs::path const& to) {
    std::error_code error;
    fs::create_directories(to, error);
    clear_results(to);
    for (fs::directory_iterator at(from, error), end; !error && at != end; at.increment(error)) {
        if (!at->is_regular_file(error) || at->is_symlink(error)) continue;
        fs::copy_file(at->path(), to / at->path().filename(), fs::copy_options::overwrite_existing, error);
        if (error || at->path().filename() != kLogFile) continue;
        auto log = base::read_file(to / kLogFile);
        // What a tree's build printed may be long: then it is left as it is.
        if (!log) continue;
        auto renamed = with_place(std::move(*log), called.string(), to.string());
        if (auto written = base::write_file(to / kLogFile, renamed); !written) return written;
    }
    if (!error || error == std::errc::no_such_file_or_directory) return {};
    return tl::unexpected(base::Error{fmt::format("{}: the results of a tree cannot be copied to {}: {}.",
                                                  from.string(), to.string(), error.message())});
}

}  // namespace vmcheck::classes
