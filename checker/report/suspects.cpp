#include "checker/report/suspects.h"

#include "checker/report/escape.h"
#include "checker/report/step_words.h"
#include "checker/report/usual_suspects.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <variant>

namespace vmcheck::report {

std::string_view place_label(Suspects const& suspects, std::size_t i) {
    auto const only_died = [&](std::size_t at) { return suspects.at[at].why == Suspect::Why::died_in_helper; };
    if (only_died(i)) return "Died in";
    return i == 0 || (i == 1 && only_died(0)) ? "Look at" : "";
}

std::string describe(FailedAllocation const& failed) {
    return fmt::format("step {}: {} asked for one and got none", failed.at.value + 1, to_string(failed.caller));
}

std::string to_string(CodePlace const& place) {
    if (place.line == 0) return place.function;
    return fmt::format("{}, {}:{}", place.function, place.file, place.line);
}

namespace {

CodePlace of_line(CodePlace const& place) {
    CodePlace shown = readable(place);
    constexpr std::string_view kLambda = "::operator()";
    if (shown.function.ends_with(kLambda)) shown.function.resize(shown.function.size() - kLambda.size());
    return shown;
}

bool is_of_frames(Finding const& finding, CodePlace const& place) {
    return is_in(kFrames, place) || is_of_allocator(finding, place.function);
}

// Of two steps at a time, one came between another's parts.
bool overlaps(Finding const& finding) {
    return finding.program.steps.back().faults.meanwhile;
}

// What the word is changed with, and by whom else than by those who are to blame for it.
bool serves(Finding const& finding, LastAccess const& access, CodePlace const& place) {
    using Of = LastAccess::Of;
    if (is_part(place.function)) return true;
    bool const of_mapping = is_in(kMapping, place);
    bool const of_frames = is_of_frames(finding, place) && !overlaps(finding);
    switch (access.of) {
        case Of::entry:
            return of_mapping;
        case Of::count:
            return of_frames;
        case Of::byte:
        case Of::program_break:
            return false;
        case Of::entry_of_lost:
        case Of::table_of_lost:
        case Of::count_of_lost:
        case Of::content_of_lost:
            return of_mapping || of_frames;
    }
    return false;
}

// Of the last line of the function up to there of which anything is known.
std::optional<double> suspiciousness_of(Finding const& finding, CodePlace const& place) {
    Spectrum const& spectrum = finding.evidence.spectrum;
    unsigned last = 0;
    std::optional<double> found;
    for (Spectrum::Line const& each : spectrum.lines) {
        CodePlace const line = of_line(each.place);
        if (line.function != place.function || line.file != place.file || line.line > place.line || line.line < last)
            continue;
        last = line.line;
        found = suspiciousness(spectrum, each);
    }
    return found;
}

// Of a way, innermost first, the first place whose line is known and of which that is true.
template <class Predicate>
std::optional<CodePlace> first_place(std::vector<CodePlace> const& way, Predicate is_meant) {
    for (CodePlace const& each : way)
        if (CodePlace place = of_line(each); place.line != 0 && is_meant(place)) return place;
    return std::nullopt;
}

// Who wrote, rather than what it wrote with, and those who had called that; a caller first where programs that pass run
// it much less often.
std::vector<Suspect> writers_of(Finding const& finding) {
    constexpr std::size_t kCallers = 2;
    constexpr double kMuchMore = 0.1;
    auto const& written = finding.evidence.written;
    std::vector<CodePlace> way;
    if (!written) return {};
    for (CodePlace const& each : written->stack) {
        CodePlace place = of_line(each);
        if (place.line == 0 || serves(finding, *written, place)) continue;
        if (way.empty() || way.back().function != place.function) way.push_back(std::move(place));
        if (way.size() == 1 + kCallers) break;
    }
    if (way.empty()) return {};
    std::size_t best = 0;
    if (written->of == LastAccess::Of::entry && written->at == finding.divergence.at)
        for (std::size_t i = 1; i < way.size(); ++i) {
            auto const one = suspiciousness_of(finding, way[best]), another = suspiciousness_of(finding, way[i]);
            if (one && another && *another > *one + kMuchMore) best = i;
        }
    std::vector<Suspect> writers{{way[best], Suspect::Why::wrote}};
    // A count may be changed wrongly, too.
    auto const add = [&](std::optional<CodePlace> place, Suspect::Why why) {
        if (place) writers.push_back({std::move(*place), why});
    };
    if (written->of == LastAccess::Of::count)
        add(first_place(written->stack, [](CodePlace const& place) { return !is_part(place.function); }),
            Suspect::Why::changed);
    if (auto const& raised = finding.evidence.raised; raised && written->of != LastAccess::Of::count_of_lost)
        add(first_place(raised->stack, [&](CodePlace const& place) { return !serves(finding, *raised, place); }),
            Suspect::Why::raised);
    // What a step before wrote, it wrote rightly, for all that is known.
    if (written->at == finding.divergence.at)
        for (std::size_t i = best + 1; i < way.size(); ++i)
            writers.push_back({std::move(way[i]), Suspect::Why::called});
    return writers;
}

// Who looked at the entry, and let it pass. Who only looks up for others is asked for nothing.
std::optional<Suspect> judge_of(Finding const& finding) {
    auto const& read = finding.evidence.read;
    if (!read) return std::nullopt;
    auto place = first_place(read->stack, [&](CodePlace const& each) {
        return !serves(finding, *read, each) && each.function != "walkaddr";
    });
    return place ? std::optional(Suspect{std::move(*place), Suspect::Why::read}) : std::nullopt;
}

// Where the turn went to another process: what came next there came too late.
std::optional<Suspect> place_of_turn(Finding const& finding) {
    bool const of_frames = is_about_frames(finding.signature.invariant) ||
                           (has_died(finding) && is_of_frames(finding, readable(*finding.evidence.trace.last)));
    for (Deed const& deed : finding.evidence.played.deeds) {
        if (!deed.stop) continue;
        auto place = first_place(deed.stop->places, [&](CodePlace const& each) {
            return !is_part(each.function) && (of_frames || !is_of_frames(finding, each));
        });
        if (place) return Suspect{std::move(*place), Suspect::Why::stopped};
    }
    return std::nullopt;
}

// Who asked for what the kernel died in.
std::optional<Suspect> caller_of_death(Finding const& finding) {
    if (!has_died(finding)) return std::nullopt;
    auto place = first_place(finding.evidence.died_by, [&](CodePlace const& each) {
        return !is_part(each.function) && !is_in(kMapping, each) && !is_in(kFrames, each) &&
               each.function != readable(*finding.evidence.trace.last).function;
    });
    return place ? std::optional(Suspect{std::move(*place), Suspect::Why::asked}) : std::nullopt;
}

// The variants are near neighbours of the shrunk program (checker/session/blame.h), and it is one of those that fail.
std::string how_often_it_ran(Spectrum const& spectrum, CodePlace const& place) {
    auto const line =
        std::ranges::find_if(spectrum.lines, [&](Spectrum::Line const& each) { return of_line(each.place) == place; });
    if (line == spectrum.lines.end()) return {};
    auto const share = [](std::uint32_t count, std::uint32_t all) {
        return count == 0     ? fmt::format("none of {}", all)
               : count == all ? fmt::format("all {}", all)
                              : fmt::format("{} of {}", count, all);
    };
    return fmt::format(
        "ran in {} that pass",
        spectrum.failing == 1
            ? fmt::format("it, and in {} variants of the program", share(line->passing, spectrum.passing))
            : fmt::format("{} variants of the program that fail the same way, and in {}",
                          share(line->failing, spectrum.failing), share(line->passing, spectrum.passing)));
}

// What nearly all programs run that pass tells nobody where to look.
bool says_nothing(Spectrum const& spectrum, CodePlace const& place) {
    auto const line =
        std::ranges::find_if(spectrum.lines, [&](Spectrum::Line const& each) { return of_line(each.place) == place; });
    return line != spectrum.lines.end() && line->passing * 20 >= spectrum.passing * 19;
}

// Where a process comes to that is killed and should not be: that it comes there is what is wrong.
bool is_end_of_killed(Finding const& finding, std::string_view function) {
    constexpr std::array<std::string_view, 8> kEnd{"exit",        "kexit",    "exit_process", "setkilled",
                                                   "mark_killed", "kill_for", "reparent",     "sched"};
    auto const* answer = answer_of(finding);
    return answer != nullptr &&
           (answer->mistake == spec::Mistake::killed_though_legal || answer->mistake == spec::Mistake::init_killed) &&
           std::ranges::find(kEnd, function) != kEnd.end();
}

// Of each function the most suspicious line; those that are for what fails count twice.
std::vector<Suspect> suspicious_lines(Finding const& finding, std::vector<Suspect> const& usual) {
    Spectrum const& spectrum = finding.evidence.spectrum;
    struct Ranked {
        double score = 0;
        Suspect suspect;
    };
    std::vector<Ranked> ranked;
    for (Spectrum::Line const& line : spectrum.lines) {
        CodePlace place = of_line(line.place);
        auto const same = [&](CodePlace const& other) {
            return other.function == place.function && other.file == place.file;
        };
        bool const known =
            std::any_of(ranked.begin(), ranked.end(), [&](Ranked const& each) { return same(each.suspect.place); });
        if (known || is_part(place.function) || is_end_of_killed(finding, place.function)) continue;
        bool const is_usual =
            std::any_of(usual.begin(), usual.end(), [&](Suspect const& each) { return same(each.place); });
        double const weight = is_usual ? 2 : is_in(kMapping, place) || is_in(kFrames, place) ? 0.5 : 1;
        bool const alone = line.failing == spectrum.failing && line.passing == 0;
        ranked.push_back({weight * suspiciousness(spectrum, line),
                          {std::move(place), alone ? Suspect::Why::only_failing : Suspect::Why::more_failing}});
    }
    // Of equals, in the order of the usual ones.
    auto const number = [&](Suspect const& suspect) {
        auto const at = std::find_if(usual.begin(), usual.end(), [&](Suspect const& each) {
            return each.place.function == suspect.place.function;
        });
        return at - usual.begin();
    };
    std::stable_sort(ranked.begin(), ranked.end(), [&](Ranked const& a, Ranked const& b) {
        return std::pair(-a.score, number(a.suspect)) < std::pair(-b.score, number(b.suspect));
    });
    std::vector<Suspect> suspects;
    suspects.reserve(ranked.size());
    for (Ranked& each : ranked) suspects.push_back(std::move(each.suspect));
    return suspects;
}

}  // namespace

Suspects suspects_in(Finding const& finding) {
    Suspects suspects = usual_suspects(finding);
    constexpr std::size_t kMost = 3;
    // Where it died stays where to begin.
    std::size_t first = 0;
    if (has_died(finding) && !suspects.at.empty()) {
        Suspect& died = suspects.at.front();
        bool const serves_all = is_part(died.place.function) || is_in(kMapping, died.place) ||
                                is_in(kFrames, died.place) || is_of_allocator(finding, died.place.function);
        died.why = serves_all ? Suspect::Why::died_in_helper : Suspect::Why::died;
        first = serves_all ? 1 : 0;
    }
    auto const turn = place_of_turn(finding), judge = judge_of(finding), caller = caller_of_death(finding);
    auto const writers = writers_of(finding);
    if (!turn && writers.empty() && !judge && !caller && finding.evidence.spectrum.lines.empty()) {
        suspects.at.resize(std::min(suspects.at.size(), first + kMost));
        return suspects;
    }
    std::vector<Suspect> const usual = std::exchange(suspects.at, {});
    if (has_died(finding) && !usual.empty()) suspects.at.push_back(usual.front());
    auto const add = [&](Suspect suspect) {
        auto const same = [&](Suspect const& each) { return each.place.function == suspect.place.function; };
        if (std::any_of(suspects.at.begin(), suspects.at.end(), same) || suspects.at.size() == first + kMost) return;
        suspects.at.push_back(std::move(suspect));
    };
    // Though it be in the same function.
    auto const is_there = [&](Suspect const& each) {
        return each.place.line == turn->place.line && each.place.file == turn->place.file;
    };
    if (turn && std::ranges::none_of(suspects.at, is_there)) suspects.at.push_back(*turn);
    // What was right until this step was not written wrongly before: rather, this step ought to have changed it.
    unsigned const overlap = finding.program.steps.back().faults.meanwhile ? 1 : 0;
    bool const in_this_step =
        !writers.empty() && finding.evidence.written->at.value + overlap >= finding.divergence.at.value;
    if (in_this_step) add(writers.front());
    if (judge) add(*judge);
    if (caller) add(*caller);
    std::vector<Suspect> lines = suspicious_lines(finding, usual);
    std::erase_if(lines, [&](Suspect const& each) { return says_nothing(finding.evidence.spectrum, each.place); });
    if (lines.empty() && suspects.at.size() == first && !usual.empty()) add(usual.front());
    for (Suspect& each : lines) {
        add(std::move(each));
        if (suspects.at.size() == first + kMost - 1) std::ranges::for_each(writers, add);
    }
    std::ranges::for_each(writers, add);
    for (Suspect const& each : usual) add(each);
    return suspects;
}

std::optional<CodePlace> place_to_mark(Finding const& finding) {
    std::optional<CodePlace> helper;
    for (Suspect const& suspect : suspects_in(finding).at) {
        if (suspect.place.line == 0) continue;
        if (suspect.why != Suspect::Why::died_in_helper) return suspect.place;
        helper = suspect.place;
    }
    return helper;
}

namespace {

std::string how_it_was_changed(LastAccess const& written) {
    using Of = LastAccess::Of;
    std::string const whose = written.whose ? name_of(*written.whose) + "'s" : "the";
    auto const what = [&]() -> std::string {
        switch (written.of) {
            case Of::entry:
                return "last changed " + whose + " PTE";
            case Of::count:
                return "last changed the frame's count";
            case Of::byte:
                return "last changed the byte";
            case Of::program_break:
                return "last moved " + whose + " break";
            case Of::entry_of_lost:
                return "took the frame that is lost out of " + whose + " page table";
            case Of::table_of_lost:
                return "gave back " + whose + " page table, but not a frame of it";
            case Of::count_of_lost:
                return "last changed the count of the frame that is lost";
            case Of::content_of_lost:
                return "last filled the frame that is lost";
        }
        return {};
    }();
    return fmt::format("{}, in step {}", what, written.at.value + 1);
}

}  // namespace

std::string why_suspected(Finding const& finding, Suspect const& suspect) {
    switch (suspect.why) {
        case Suspect::Why::wrote:
            return how_it_was_changed(*finding.evidence.written);
        case Suspect::Why::changed:
            return "changed the count for it";
        case Suspect::Why::raised:
            return fmt::format("last raised the count of the frame that is lost, in step {}",
                               finding.evidence.raised->at.value + 1);
        case Suspect::Why::called:
            return "the call that led there";
        case Suspect::Why::read: {
            LastAccess const& read = *finding.evidence.read;
            return fmt::format("the first to look at {} PTE, in this step",
                               read.whose ? name_of(*read.whose) + "'s" : "the");
        }
        case Suspect::Why::died:
            return "the kernel died here";
        case Suspect::Why::died_in_helper:
            break;
        case Suspect::Why::stopped:
            return "here another process got its turn";
        case Suspect::Why::only_failing:
        case Suspect::Why::more_failing:
            return how_often_it_ran(finding.evidence.spectrum, suspect.place);
        case Suspect::Why::asked:
            return "on the way to where the kernel died";
        case Suspect::Why::by_its_part:
            break;
    }
    return {};
}

std::string source_text(Finding const& finding, CodePlace const& place) {
    auto const& source = finding.evidence.source;
    auto const at = std::find_if(source.begin(), source.end(), [&](SourceText const& each) {
        return each.file == place.file && each.line == place.line;
    });
    return at == source.end() ? std::string{} : one_line(at->text);
}

}  // namespace vmcheck::report
