#include "checker/class/documents.h"
#include "checker/report/escape.h"
#include "checker/report/html_style.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace vmcheck::classes {

namespace {

// Everything that comes from a tree or a kernel goes through here.
std::string safe(std::string_view text) {
    return report::escape_markup(text);
}

// A wide table, each row of which is a card of its own on a phone.
constexpr std::string_view kClassStyle = R"css(
.class { width: 100%; white-space: normal; font: inherit; }
.class td { overflow-wrap: anywhere; padding: .5rem .8rem .5rem 0; }
.class td.name { font-weight: 700; min-width: 8rem; }
.class td p:first-child { margin-top: 0; }
.class td.defects, .class td.unchecked, .class td.right { font-weight: 600; min-width: 8.5rem; }
.class td.defects { color: var(--bad); }
.class td.unchecked { color: var(--advice); }
.class td.right { color: var(--good); }
.class a { color: inherit; margin-right: .6rem; display: inline-block; }
.shared { white-space: normal; font: inherit; }
.shared td { overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .class thead { display: none; }
  .class, .class tbody, .class tr, .class td { display: block; }
  .class tr { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; margin: .6rem 0; }
  .class td { border: 0; padding: .1rem 0; }
  .class td::before { content: none; }
}
)css";

// A relative path as the address of a link.
std::string address(std::string_view path) {
    std::string text;
    for (char c : path) {
        bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("-._~/").find(c) != std::string_view::npos;
        text += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return text;
}

// How a verdict looks; the mark says the same as the colour.
struct Look {
    std::string_view style, mark;
};
Look look_of(TreeResult const& result) {
    if (result.verdict == TreeVerdict::defects) return {"defects", "✗"};
    if (result.verdict != TreeVerdict::nothing_found) return {"unchecked", "!"};
    return partly_checked(result) ? Look{"unchecked", "◐"} : Look{"right", "✓"};
}

// What staff look at only where they want to know more of this tree.
std::string fold(std::string_view what, std::vector<std::string> const& lines) {
    std::string text;
    for (std::string const& line : lines) text += fmt::format("<p>{}</p>", safe(line));
    return lines.empty()
               ? text
               : fmt::format("<details class=\"dim\"><summary>{}: {}</summary>{}</details>", what, lines.size(), text);
}

std::string links(Row const& row) {
    std::string text;
    for (std::string const& file : row.files)
        text += fmt::format("<a href=\"{}\">{}</a> ", address(file), safe(file.substr(file.rfind('/') + 1)));
    return text;
}

std::string row_of(Row const& row) {
    TreeResult const& result = row.result;
    Found const* const gravest = result.gravest();
    std::string about;
    if (gravest != nullptr) about += fmt::format("<p><strong>{}</strong></p>", safe(gravest->heading));
    if (std::string const sentence = what_to_know(result); !sentence.empty())
        about += fmt::format("<p>{}</p>", safe(sentence));
    std::vector<std::string> others;
    for (std::size_t i = 1; i < result.found.size(); ++i) others.push_back(result.found[i].heading);
    about += fold("found as well", others) + fold("could not be checked", result.missing) +
             fold("left out, since it leads out of the tree", result.left_out) +
             fold("inherited from the bare tree", result.inherited);
    Look const look = look_of(result);
    return fmt::format(
        "<tr><td class=\"name\">{}</td><td class=\"{}\">{} {}</td><td>{}</td><td class=\"dim\">{}</td></tr>\n",
        safe(row.name), look.style, look.mark, safe(label(result)), about, links(row));
}

// The rows with one kind of verdict, and why they stand in this order.
std::string table_of(std::string_view title, std::string_view order, std::vector<Row const*> const& rows) {
    if (rows.empty()) return "";
    std::string text = fmt::format(
        "<h2>{}: {}</h2>\n<p class=\"dim\">{}</p>\n<table class=\"class\">\n<thead><tr><th scope=\"col\">tree</th>"
        "<th scope=\"col\">verdict</th><th scope=\"col\">what to know</th><th scope=\"col\">results</th></tr></thead>\n"
        "<tbody>\n",
        title, rows.size(), order);
    for (Row const* row : rows) text += row_of(*row);
    return text + "</tbody></table>\n";
}

std::string tables(Class const& all) {
    std::array<std::vector<Row const*>, 3> groups;
    for (Row const* row : by_verdict(all))
        groups[row->result.verdict == TreeVerdict::defects         ? 0
               : row->result.verdict == TreeVerdict::nothing_found ? 2
                                                                   : 1]
            .push_back(row);
    return table_of("Trees with defects",
                    "The gravest first, by the gravest defect of each: wrong right after boot; a kernel that panics, "
                    "hangs or uses freed memory; a process that reaches another's memory; a wrong result; a leak; "
                    "needless copies, or a lab that was not done. Of these the same mistake together, then by name.",
                    groups[0]) +
           table_of("Trees without a verdict", "By what is in the way, then by name.", groups[1]) +
           table_of("Trees in which nothing was found",
                    "Those marked ◐ first: some checks could not be made, and the fold says which. Then those with "
                    "advice, then by name.",
                    groups[2]);
}

std::string shared_table(Class const& all) {
    std::string rows;
    for (Shared const& shared : shared_defects(all)) {
        rows += fmt::format(
            "<tr><td data-head=\"trees\">{}</td><td data-head=\"defect\"><strong>{}</strong></td><td "
            "data-head=\"whose\">{}</td></tr>\n",
            shared.trees.size(), safe(shared.heading), safe(fmt::format("{}", fmt::join(shared.trees, ", "))));
    }
    if (rows.empty()) return rows;
    return "<h2>Defects, and how many trees have them</h2>\n<div class=\"scroll\"><table class=\"shared\">\n<thead><tr>"
           "<th scope=\"col\">trees</th><th scope=\"col\">defect</th><th scope=\"col\">whose</th></tr></thead>\n"
           "<tbody>\n" +
           rows + "</tbody></table></div>\n";
}

}  // namespace

std::string html_document(Class const& all) {
    std::size_t const with_defects = counts(all)[static_cast<std::size_t>(TreeVerdict::defects)];
    std::string const title = fmt::format("vmcheck: {} of {} trees with defects", with_defects, all.rows.size());
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n"
        "<style>{}{}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n",
        title, report::kHtmlStyle, kClassStyle, title);
    text += fmt::format("<p>{}</p>\n<p class=\"dim\">{} · {}</p>\n", safe(counts_line(all)), safe(all.directory),
                        all.options.empty() ? "default options" : safe(fmt::format("{}", fmt::join(all.options, " "))));
    for (std::string const& name : all.left_out)
        text += fmt::format("<p class=\"dim\">left out, for it is no student's directory: {}</p>\n", safe(name));
    text += shared_table(all);
    return text + tables(all) + "</main>\n</body>\n</html>\n";
}

}  // namespace vmcheck::classes
