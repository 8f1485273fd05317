#include "checker/report/picture.h"

#include "checker/report/escape.h"
#include "checker/report/page_view.h"
#include "spec/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace vmcheck::report {

namespace {

// In units of the drawing, which is as wide as a phone's screen.
constexpr int kWidth = 360, kRow = 58, kBox = 44, kLeft = 4, kLeftWidth = 138, kRight = 214, kRightWidth = 142,
              kTop = 26;

bool is_known(std::vector<FrameNo> const& frames, FrameNo frame) {
    return std::find(frames.begin(), frames.end(), frame) != frames.end();
}

// In the order in which they are first met: a frame has the same place before and after.
std::vector<FrameNo> frames_of(PageTable const& table) {
    std::vector<FrameNo> frames;
    for (auto const* rows : {&table.before, &table.after})
        for (PageRow const& row : *rows)
            if (row.mapped && !is_known(frames, row.page.frame)) frames.push_back(row.page.frame);
    return frames;
}

std::vector<spec::ProcId> processes_of(PageTable const& table) {
    std::vector<spec::ProcId> processes;
    for (auto const* rows : {&table.before, &table.after})
        for (PageRow const& row : *rows)
            if (std::find(processes.begin(), processes.end(), row.process) == processes.end())
                processes.push_back(row.process);
    return processes;
}

std::string_view class_of(bool wrong) {
    return wrong ? "wrong" : "right";
}

std::string box(int x, int y, int width, bool wrong, std::string_view extra, std::string_view first,
                std::string_view second) {
    return fmt::format(
        "<rect class=\"{}{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n"
        "<text x=\"{}\" y=\"{}\" class=\"name\">{}{}</text>\n<text x=\"{}\" y=\"{}\">{}</text>\n",
        class_of(wrong), extra, x, y, width, kBox, x + 8, y + 18, wrong ? "✗ " : "", escape_markup(first), x + 8,
        y + 36, escape_markup(second));
}

// One moment of a finding's page.
class Panel {
  public:
    // `violations`: those that this moment shows.
    Panel(PageTable const& table, std::vector<PageRow> const& rows, std::vector<spec::Violation> const& violations)
        : rows_(rows), frames_(frames_of(table)), processes_(processes_of(table)) {
        for (spec::Violation const& each : violations)
            if (each.address && each.address->page() == table.page) here_.push_back(&each);
    }

    std::string text(std::string_view title) const {
        int const height = kTop + kRow * static_cast<int>(std::max(frames_.size(), processes_.size()));
        std::string text = fmt::format(
            "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n<text class=\"name\" x=\"{}\" "
            "y=\"16\">{}</text>\n",
            kWidth, height, escape_markup(title), kLeft, escape_markup(title));
        for (PageRow const& row : rows_)
            if (row.mapped) text += arrow(row);
        for (PageRow const& row : rows_) text += process(row);
        for (FrameNo const frame : frames_) text += frame_box(frame);
        return text + "</svg>\n";
    }

  private:
    bool is_broken(spec::Invariant invariant, spec::ProcId process) const {
        return std::any_of(here_.begin(), here_.end(), [&](spec::Violation const* each) {
            return each->invariant == invariant && each->process == process;
        });
    }
    bool is_broken(spec::Invariant invariant) const {
        return std::any_of(here_.begin(), here_.end(),
                           [&](spec::Violation const* each) { return each->invariant == invariant; });
    }

    // After a copy two processes may have two frames at the page, of which one is counted right.
    bool is_counted_wrong(FrameNo frame) const {
        return std::any_of(rows_.begin(), rows_.end(), [&](PageRow const& row) {
            return row.mapped && row.page.frame == frame && is_broken(spec::Invariant::counts, row.process);
        });
    }

    static int middle(std::size_t at) { return kTop + kRow * static_cast<int>(at) + kBox / 2; }
    int middle_of(spec::ProcId process) const {
        return middle(
            static_cast<std::size_t>(std::find(processes_.begin(), processes_.end(), process) - processes_.begin()));
    }
    int middle_of(FrameNo frame) const {
        return middle(static_cast<std::size_t>(std::find(frames_.begin(), frames_.end(), frame) - frames_.begin()));
    }

    // Solid where the process may write there.
    std::string arrow(PageRow const& row) const {
        bool const wrong = is_broken(spec::Invariant::rights, row.process) ||
                           (is_broken(spec::Invariant::isolation) && row.page.rights.write && row.references > 1) ||
                           !row.page.in_ram;
        int const from = middle_of(row.process), to = middle_of(row.page.frame), start = kLeft + kLeftWidth;
        return fmt::format(
            "<path class=\"{}{}\" d=\"M{} {}L{} {}m-10 -5l10 5l-10 5\"/>\n<text class=\"mark{}\" x=\"{}\" "
            "y=\"{}\">{}{}</text>\n",
            class_of(wrong), row.page.rights.write ? "" : " reads", start, from, kRight, to, wrong ? " bad" : "",
            start + 16, from + (to - from) * 16 / (kRight - start) - 6, wrong ? "✗ " : "",
            row.page.rights.write ? "W" : "");
    }

    std::string process(PageRow const& row) const {
        bool const wrong =
            is_broken(spec::Invariant::contents, row.process) || is_broken(spec::Invariant::laziness, row.process);
        return box(kLeft, middle_of(row.process) - kBox / 2, kLeftWidth, wrong, row.mapped ? "" : " absent",
                   fmt::format("p{}{}", row.process.value, row.zombie ? " zombie" : ""),
                   row.mapped ? rights_words(row.page.rights) : "not mapped");
    }

    std::string frame_box(FrameNo frame) const {
        auto const row = std::find_if(rows_.begin(), rows_.end(),
                                      [&](PageRow const& each) { return each.mapped && each.page.frame == frame; });
        if (row == rows_.end()) return {};  // nobody maps it at that moment, and nothing else is known
        bool const free = row->on_free_list == true;
        bool const wrong = free || !row->page.in_ram || is_counted_wrong(frame);
        std::string second = !row->page.in_ram ? "not in RAM"
                             : free            ? "on the free list"
                             : row->references > 0
                                 ? fmt::format("{} PTE{}", row->references, row->references == 1 ? "" : "s")
                                 : "";
        if (row->count && !free) second += fmt::format("{}count {}", second.empty() ? "" : ", ", *row->count);
        return box(kRight, middle_of(frame) - kBox / 2, kRightWidth, wrong, free ? " free" : "",
                   fmt::format("frame {:#x}", frame.value), second);
    }

    std::vector<PageRow> const& rows_;
    std::vector<FrameNo> frames_;
    std::vector<spec::ProcId> processes_;
    std::vector<spec::Violation const*> here_{};
};

// A stretch of time in which a step was at work, or waited for its turn.
struct Stretch {
    std::size_t step;
    int from, to;  // columns
    bool waits = false;
};

// Steps one after the other, a column each; of two that overlap the first takes three: until the second begins, while
// it runs, and what is left. On harts of their own both go on meanwhile.
std::vector<Stretch> stretches_of(std::vector<spec::Step> const& steps, std::size_t first) {
    std::vector<Stretch> stretches;
    int column = 0;
    for (std::size_t i = first; i < steps.size(); ++i) {
        bool const interrupted = i + 1 < steps.size() && steps[i + 1].faults.meanwhile;
        if (!interrupted) {
            stretches.push_back({i, column, column + 1});
            ++column;
            continue;
        }
        if (steps[i].faults.switch_hart) {
            stretches.push_back({i, column, column + 3});
        } else {
            stretches.push_back({i, column, column + 1});
            stretches.push_back({i, column + 1, column + 2, true});
            stretches.push_back({i, column + 2, column + 3});
        }
        stretches.push_back({i + 1, column + 1, column + 2});
        column += 3;
        ++i;
    }
    return stretches;
}

}  // namespace

std::string picture_of_pages(Finding const& finding) {
    if (!finding.evidence.pages) return {};
    PageTable const& table = *finding.evidence.pages;
    PageView const view = page_view(finding);
    std::string text = "<div class=\"pictures\">\n";
    if (!table.before.empty()) text += Panel(table, table.before, {}).text(view.before);
    if (!table.after.empty()) text += Panel(table, table.after, finding.divergence.violations).text(view.after);
    return text +
           "</div>\n<p class=\"dim\">A solid arrow: the process may write there (W); a dashed one: it may only read. "
           "✗ and red: what is wrong.</p>\n";
}

std::string picture_of_turns(Finding const& finding) {
    std::vector<spec::Step> const& steps = finding.program.steps;
    bool const overlap =
        std::any_of(steps.begin(), steps.end(), [](spec::Step const& step) { return step.faults.meanwhile; });
    if (!overlap) return {};
    // What comes long before is of no matter here, and would make the bars too narrow for their words.
    constexpr std::size_t kStepsMost = 4;
    std::size_t first = steps.size() - std::min(steps.size(), kStepsMost);
    if (steps[first].faults.meanwhile) --first;
    std::vector<Stretch> const stretches = stretches_of(steps, first);
    std::vector<spec::ProcId> lanes;
    for (std::size_t i = first; i < steps.size(); ++i)
        if (std::find(lanes.begin(), lanes.end(), steps[i].actor) == lanes.end()) lanes.push_back(steps[i].actor);
    std::sort(lanes.begin(), lanes.end());

    int columns = 0;
    for (Stretch const& each : stretches) columns = std::max(columns, each.to);
    constexpr int kNames = 34, kLane = 40, kBar = 28;
    int const column = (kWidth - kNames) / columns;
    auto const top = [&](spec::ProcId actor) {
        return 6 + kLane * static_cast<int>(std::find(lanes.begin(), lanes.end(), actor) - lanes.begin());
    };
    std::string text =
        fmt::format("<div class=\"pictures\">\n<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"who ran when\">\n",
                    kWidth, kLane * static_cast<int>(lanes.size()) + 6);
    for (spec::ProcId const lane : lanes)
        text += fmt::format("<text class=\"name\" x=\"4\" y=\"{}\">p{}</text>\n", top(lane) + 19, lane.value);
    for (Stretch const& each : stretches) {
        int const x = kNames + each.from * column, y = top(steps[each.step].actor);
        int const width = (each.to - each.from) * column - 2;
        bool const wrong = each.step == finding.divergence.at.value && !each.waits;
        text += fmt::format("<rect class=\"{}{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\"/>\n",
                            class_of(wrong), each.waits ? " absent" : "", x, y, width, kBar);
        bool const begins = std::none_of(stretches.begin(), stretches.end(), [&](Stretch const& other) {
            return other.step == each.step && other.from < each.from;
        });
        text += fmt::format("<text x=\"{}\" y=\"{}\">{}{}</text>\n", x + 5, y + 19, wrong && begins ? "✗ " : "",
                            each.waits ? std::string("waits") : fmt::format("step {}", each.step + 1));
    }
    return text +
           "</svg>\n</div>\n<p class=\"dim\">From left to right: who ran when. Where bars stand above each other, "
           "both harts were at work.</p>\n";
}

}  // namespace vmcheck::report
