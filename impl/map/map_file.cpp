#include "impl/map/map_file.h"

#include "impl/base/files.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <set>
#include <span>
#include <system_error>
#include <vector>

namespace vmcheck::map {
namespace {

constexpr std::uint64_t kMapBytesMax = 1U << 20;
constexpr std::size_t kWordBytesMax = 512;

enum class ValueKind { kFunction, kVariable, kMember, kEnumerator, kBase };

struct Key {
    std::string_view name;
    ValueKind kind;
    void (*set)(MapNames&, std::string_view);
    std::vector<std::string> MapNames::*list = nullptr;  // one of several values
};

constexpr std::array kKeys{
    Key{"allocate", ValueKind::kFunction, [](MapNames& n, std::string_view v) { n.allocate = v; }},
    Key{"panic", ValueKind::kFunction, [](MapNames& n, std::string_view v) { n.panic = v; }},
    Key{"memset", ValueKind::kFunction, [](MapNames& n, std::string_view v) { n.memset = v; }},
    Key{"memmove", ValueKind::kFunction, [](MapNames& n, std::string_view v) { n.memmove = v; }},
    Key{"free-list", ValueKind::kVariable, [](MapNames& n, std::string_view v) { n.free_list = v; }},
    Key{"reference-counts", ValueKind::kVariable, [](MapNames& n, std::string_view v) { n.reference_counts = v; }},
    Key{"reference-base", ValueKind::kBase,
        [](MapNames& n, std::string_view v) { n.reference_base_is_ram = v == "ram"; }},
    Key{"processes", ValueKind::kVariable, [](MapNames& n, std::string_view v) { n.processes = v; }},
    Key{"process-pid", ValueKind::kMember, [](MapNames& n, std::string_view v) { n.process_pid = v; }},
    Key{"process-state", ValueKind::kMember, [](MapNames& n, std::string_view v) { n.process_state = v; }},
    Key{"process-state-unused", ValueKind::kEnumerator,
        [](MapNames& n, std::string_view v) { n.process_state_unused = v; }},
    Key{"process-state-zombie", ValueKind::kEnumerator,
        [](MapNames& n, std::string_view v) { n.process_state_zombie = v; }},
    Key{"process-root", ValueKind::kMember, [](MapNames& n, std::string_view v) { n.process_root = v; }},
    Key{"process-break", ValueKind::kMember, [](MapNames& n, std::string_view v) { n.process_break = v; }},
    Key{"memory-file", ValueKind::kFunction, nullptr, &MapNames::memory_files},
    Key{"memory-function", ValueKind::kFunction, nullptr, &MapNames::memory_functions},
};

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}
bool is_identifier_start(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_identifier(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string_view expected_text(ValueKind kind) {
    switch (kind) {
        case ValueKind::kFunction:
            return "a function, such as kalloc or kernel::frame_allocate";
        case ValueKind::kVariable:
            return "a variable and members, such as kmem.freelist or kernel::frames.free_head";
        case ValueKind::kMember:
            return "a member, such as pid or space.root";
        case ValueKind::kEnumerator:
            return "an enumerator or a number, such as ZOMBIE, State::zombie or 5";
        case ValueKind::kBase:
            return "ram or zero";
    }
    return "a value";
}

// The length of the longest prefix that is a chain of identifiers with one of the separators between each two.
std::size_t chain_length(std::string_view text, bool scopes, bool members) {
    std::size_t at = 0;
    while (at < text.size() && is_identifier_start(text[at])) {
        while (at < text.size() && is_identifier(text[at])) ++at;
        std::size_t separator = 0;
        if (scopes && text.substr(at, 2) == "::")
            separator = 2;
        else if (members && text.substr(at, 1) == ".")
            separator = 1;
        if (separator == 0) return at;
        if (separator == 1) scopes = false;  // after the first member, only members follow
        at += separator;
        if (at == text.size() || !is_identifier_start(text[at])) return at;
    }
    return at;
}

// Where a value stops being what it has to be; its size where it is right.
std::size_t wrong_at(ValueKind kind, std::string_view value) {
    switch (kind) {
        case ValueKind::kFunction: {
            // An ELF symbol may hold dots and dollars as well, anywhere: a cloned function is a symbol too.
            auto const odd = std::ranges::find_if_not(
                value, [](char c) { return is_identifier(c) || c == '.' || c == '$' || c == ':'; });
            return static_cast<std::size_t>(odd - value.begin());
        }
        case ValueKind::kVariable:
            return chain_length(value, true, true);
        case ValueKind::kMember:
            return chain_length(value, false, true);
        case ValueKind::kEnumerator: {
            bool const is_number = std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
            return is_number ? value.size() : chain_length(value, true, false);
        }
        case ValueKind::kBase:
            return value == "ram" || value == "zero" ? value.size() : 0;
    }
    return 0;
}

// A complete value: chain_length also accepts a chain that lacks its last word.
bool is_complete(ValueKind kind, std::string_view value) {
    return wrong_at(kind, value) == value.size() && value.back() != '.' && value.back() != ':';
}

// How many letters must change for one word to become the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (char const letter : a) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            std::size_t const replaced = diagonal + (letter == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

std::string suggestion(std::string_view word) {
    auto const distance = [&](Key const& key) { return edit_distance(word, key.name); };
    auto const best = std::ranges::min_element(kKeys, {}, distance);
    if (distance(*best) * 2 < best->name.size()) return fmt::format("; is {} meant?", best->name);
    return "; the keys are listed in impl/map/map_file.h.";
}

// The printable form of a word from a file that may hold anything.
std::string shown(std::string_view word) {
    std::string text;
    for (char const c : word.substr(0, 40)) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f)
            text += c;
        else
            text += fmt::format("\\x{:02x}", byte);
    }
    return word.size() > 40 ? text + "..." : text;
}

struct Word {
    std::string_view text;
    unsigned column;
};

// The words of a line up to a comment.
std::vector<Word> words_of(std::string_view line) {
    std::vector<Word> words;
    std::size_t at = 0;
    while (true) {
        while (at < line.size() && is_blank(line[at])) ++at;
        if (at == line.size() || line[at] == '#') return words;
        std::size_t const start = at;
        while (at < line.size() && !is_blank(line[at])) ++at;
        words.push_back({line.substr(start, at - start), static_cast<unsigned>(start + 1)});
        if (words.size() > 3) return words;  // already one too many
    }
}

class Parser {
  public:
    explicit Parser(std::string const& file) : file_(file) { names_.source = file; }

    tl::expected<MapNames, MapFileError> parse(std::string_view text) {
        while (!text.empty()) {
            std::size_t const end = text.find('\n');
            ++line_;
            auto const words = words_of(text.substr(0, end));
            if (!words.empty()) {
                auto taken = seen_version_ ? take_entry(words) : take_version(words);
                if (!taken) return tl::make_unexpected(std::move(taken.error()));
            }
            if (end == std::string_view::npos) break;
            text.remove_prefix(end + 1);
        }
        ++line_;
        if (!seen_version_) return error(1, "expected \"vmcheck-map 1\", but the file ends");
        return names_;
    }

  private:
    template <class... Parts>
    tl::unexpected<MapFileError> error(std::size_t column, fmt::format_string<Parts...> text, Parts&&... parts) const {
        std::string const what = fmt::format(text, std::forward<Parts>(parts)...);
        std::string_view const end = what.back() == '.' || what.back() == '?' ? "" : ".";
        return tl::make_unexpected(MapFileError{fmt::format("{}{}", what, end), line_, static_cast<unsigned>(column),
                                                fmt::format("{}:{}:{}", file_, line_, column)});
    }

    tl::expected<void, MapFileError> take_version(std::vector<Word> const& words) {
        if (words[0].text != "vmcheck-map")
            return error(words[0].column, "expected \"vmcheck-map 1\", found \"{}\"", shown(words[0].text));
        if (words.size() != 2 || words[1].text != "1") {
            Word const& found = words.size() < 2 ? words[0] : words[1];
            return error(found.column, "expected version 1 after vmcheck-map, and nothing else");
        }
        seen_version_ = true;
        return {};
    }

    tl::expected<void, MapFileError> take_entry(std::vector<Word> const& words) {
        Word const& word = words[0];
        auto const key = std::ranges::find(kKeys, word.text, &Key::name);
        if (key == kKeys.end()) {
            std::string_view const start = word.text.substr(0, kWordBytesMax);
            return error(word.column, "unknown key \"{}\"{}", shown(word.text), suggestion(start));
        }
        bool const first = seen_keys_.insert(key->name).second;
        if (!first && key->list == nullptr) return error(word.column, "{} is given a second time", key->name);
        std::string_view const wanted = expected_text(key->kind);
        if (words.size() == 1) {
            return error(word.column + word.text.size(), "expected {} after {}", wanted, key->name);
        }
        if (words.size() > 2)
            return error(words[2].column, "expected the end of the line, found \"{}\"", shown(words[2].text));
        Word const& value = words[1];
        if (value.text.size() > kWordBytesMax || !is_complete(key->kind, value.text)) {
            return error(value.column + wrong_at(key->kind, value.text), "expected {}, found \"{}\"", wanted,
                         shown(value.text));
        }
        if (key->list == nullptr) {
            key->set(names_, value.text);
            return {};
        }
        // The first of either kind speaks of another kernel than xv6.
        if (!std::exchange(seen_memory_, true)) names_.memory_files = names_.memory_functions = {};
        (names_.*key->list).emplace_back(value.text);
        return {};
    }

    std::string const& file_;
    MapNames names_;
    std::set<std::string_view> seen_keys_;
    bool seen_version_ = false;
    bool seen_memory_ = false;
    unsigned line_ = 0;
};

}  // namespace

tl::expected<MapNames, MapFileError> parse_map(std::string_view text, std::string const& file) {
    return Parser(file).parse(text);
}

tl::expected<MapNames, MapFileError> load_map(std::filesystem::path const& path) {
    auto const text = base::read_file(path, {.bytes_max = kMapBytesMax});
    if (!text) return tl::make_unexpected(MapFileError{text.error().message, 0, 0});
    return parse_map(*text, path.string());
}

tl::expected<MapNames, MapFileError> names_for(std::filesystem::path const& kernel_path,
                                               std::optional<std::filesystem::path> const& map_path) {
    if (map_path) return load_map(*map_path);
    std::filesystem::path beside = kernel_path;
    beside += ".map";
    std::error_code error;
    if (std::filesystem::exists(beside, error)) return load_map(beside);
    return MapNames{};
}

}  // namespace vmcheck::map
