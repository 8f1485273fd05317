#include "checker/report/markup_testing.h"

#include "checker/report/escape.h"

#include <algorithm>
#include <array>
#include <vector>

namespace vmcheck::report::testing {

namespace {

bool entities_are_known(std::string_view text) {
    constexpr std::array<std::string_view, 5> kEntities{"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (std::size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1))
        if (std::none_of(kEntities.begin(), kEntities.end(),
                         [&](std::string_view entity) { return text.substr(at, entity.size()) == entity; }))
            return false;
    return true;
}

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
}

// name attribute="value" attribute="value", with a slash before or after where it closes.
bool is_tag(std::string_view tag) {
    if (tag.substr(0, 1) == "/") return is_name(tag.substr(1));
    if (!tag.empty() && tag.back() == '/') tag.remove_suffix(1);
    std::size_t const name_end = std::min(tag.find(' '), tag.size());
    if (!is_name(tag.substr(0, name_end))) return false;
    tag.remove_prefix(name_end);
    while (!tag.empty()) {
        std::size_t const equals = tag.find("=\"");
        if (tag.front() != ' ' || equals == std::string_view::npos || !is_name(tag.substr(1, equals - 1))) return false;
        std::size_t const end = tag.find('"', equals + 2);
        if (end == std::string_view::npos ||
            tag.substr(equals + 2, end - equals - 2).find('<') != std::string_view::npos)
            return false;
        tag.remove_prefix(end + 1);
    }
    return true;
}

std::string_view name_in(std::string_view tag) {
    return tag.substr(0, tag.find_first_of(" /"));
}

}  // namespace

std::string markup_error(std::string_view text) {
    if (printable(text) != text) return "control characters or bad UTF-8";
    std::vector<std::string_view> open;
    while (!text.empty()) {
        std::size_t const start = text.find('<');
        std::string const between(text.substr(0, start));
        if (!entities_are_known(between) || between.find('>') != std::string::npos) return "unescaped text: " + between;
        if (start == std::string_view::npos) break;
        std::size_t const end = text.find('>', start);
        if (end == std::string_view::npos) return "a tag without an end";
        std::string_view const tag = text.substr(start + 1, end - start - 1);
        text.remove_prefix(end + 1);
        if (tag.substr(0, 1) == "?" || tag == "!DOCTYPE html") continue;
        if (!is_tag(tag) || !entities_are_known(tag)) return "no tag: " + std::string(tag);
        if (tag.front() == '/') {
            if (open.empty() || open.back() != tag.substr(1)) return "closes what is not open: " + std::string(tag);
            open.pop_back();
        } else if (tag.back() != '/' && name_in(tag) != "meta") {
            open.push_back(name_in(tag));
            if (tag == "style") text.remove_prefix(std::min(text.find("</style>"), text.size()));
        }
    }
    return open.empty() ? "" : "never closed: " + std::string(open.back());
}

std::size_t count_tags(std::string_view text, std::string_view tag) {
    std::size_t count = 0;
    std::string const start = "<" + std::string(tag);
    for (std::size_t at = text.find(start); at != std::string_view::npos; at = text.find(start, at + 1)) {
        char const next = at + start.size() < text.size() ? text[at + start.size()] : '\0';
        count += next == ' ' || next == '>' || next == '/' ? 1U : 0U;
    }
    return count;
}

}  // namespace vmcheck::report::testing
