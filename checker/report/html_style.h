#pragma once
// The style sheet of the HTML report.

#include <string_view>

namespace vmcheck::report {

// Wide tables and code wrap, so that what a step came to, which stands last in its row, is seen at once; where they
// cannot, they scroll within themselves, and the page never scrolls sideways. On a phone each row is a list.
inline constexpr std::string_view kHtmlStyle = R"css(
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --soft: #f3f4f6; --line: #d5d9de; --dim: #5b6570;
  --bad: #b42318; --bad-soft: #fdecea; --advice: #8a5a00; --good: #12703a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --paper: #15181c; --soft: #1e2329; --line: #353c44;
  --dim: #9aa4ae; --bad: #ff8a7d; --bad-soft: #3a1d1b; --advice: #f0c060; --good: #6fd08c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
h3 { font-size: 1.1rem; margin: 0 0 .25rem; }
h4 { font-size: .95rem; margin: 1.25rem 0 .35rem; }
p { margin: .4rem 0; overflow-wrap: anywhere; }
.dim { color: var(--dim); font-size: .9rem; }
.story { font-size: 1.05rem; font-weight: 600; }
.good { color: var(--good); font-weight: 600; }
article { border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: .4rem; padding: 1rem;
  margin: 1rem 0; }
article.advice { border-left-color: var(--advice); }
.tag { color: var(--bad); font-weight: 700; }
.advice .tag { color: var(--advice); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font: .85rem/1.45 ui-monospace, monospace; white-space: pre-wrap; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--dim); font-weight: 500; }
tr.here td { background: var(--bad-soft); font-weight: 700; }
.words table { white-space: normal; font: .9rem/1.4 system-ui, sans-serif; }
.words td:first-child, .words td:nth-child(3) { white-space: nowrap; }
pre { background: var(--soft); padding: .75rem; border-radius: .4rem; overflow-x: auto; margin: .4rem 0;
  white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.45 ui-monospace, monospace; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.pictures { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; }
svg { width: 100%; max-width: 24rem; height: auto; font: 13px system-ui, sans-serif; }
svg text { fill: var(--ink); }
svg .name { font-weight: 600; }
svg rect { fill: var(--soft); stroke: var(--dim); }
svg path { fill: none; stroke: var(--dim); stroke-width: 1.5; }
svg .reads, svg .absent { stroke-dasharray: 5 3; }
svg .free { stroke-dasharray: 2 3; }
svg rect.wrong { fill: var(--bad-soft); stroke: var(--bad); stroke-width: 3; }
svg path.wrong { stroke: var(--bad); stroke-width: 3; }
svg .bad { fill: var(--bad); font-weight: 700; }
summary { cursor: pointer; margin: .4rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .5rem 0; }
dt { color: var(--dim); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  dl { display: block; }
  dt { margin-top: .5rem; }
  article { padding: .75rem; }
  dt:empty { margin: 0; }
  table, tbody, tr { display: block; white-space: normal; }
  thead { display: none; }
  tr { border-bottom: 1px solid var(--line); padding: .35rem 0; }
  td { display: grid; grid-template-columns: 8.5rem 1fr; border: 0; padding: .05rem 0; white-space: pre-wrap;
    overflow-wrap: anywhere; }
  td::before { content: attr(data-head); color: var(--dim); font-weight: 400; }
  tr.here { background: var(--bad-soft); margin: 0 -.35rem; padding: .35rem; }
  .short table { display: table; }
  .short thead { display: table-header-group; }
  .short tbody { display: table-row-group; }
  .short tr { display: table-row; }
  .short td { display: table-cell; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); }
  .short td::before { content: none; }
}
)css";

}  // namespace vmcheck::report
