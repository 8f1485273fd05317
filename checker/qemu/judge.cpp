#include "checker/qemu/judge.h"

#include "checker/report/escape.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>

namespace vmcheck::qemu {

namespace {

using End = base::RunResult::End;
// What guest/init.c prints.
constexpr std::string_view kInitRuns = "vmcheck: init runs";
constexpr std::string_view kEnded = "vmcheck: repro ended with status ";
constexpr std::string_view kNoExec = "vmcheck: no exec";
constexpr std::string_view kNoFork = "vmcheck: no fork";
constexpr std::string_view kFail = "FAIL: ";
constexpr std::string_view kPass = "PASS\n";
constexpr std::string_view kCannot = "cannot be shown: ";  // printed by a repro.c
constexpr std::string_view kPanic = "panic: ";

// The rest of the first line with these words, wherever in the line: two writers may have mixed theirs. Nothing where
// there is none, or the line is not over yet.
std::optional<std::string> after(std::string_view console, std::string_view words) {
    std::size_t const at = console.find(words);
    if (at == std::string_view::npos) return std::nullopt;
    std::size_t const end = console.find('\n', at);
    if (end == std::string_view::npos) return std::nullopt;
    std::size_t const start = at + words.size();
    return report::printable(console.substr(start, end - start));
}

bool has(std::string_view console, std::string_view words) {
    return console.find(words) != std::string_view::npos;
}

std::string last_words(std::string_view console) {
    constexpr std::size_t kMost = 200;
    if (console.empty()) return "it printed nothing";
    if (console.size() > kMost) console.remove_prefix(console.size() - kMost);
    std::string text = report::printable(console);
    std::replace(text.begin(), text.end(), '\n', ' ');
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return fmt::format("the last that it printed: \"{}\"", text);
}

QemuVerdict confirmed(std::string how) {
    return {QemuVerdict::State::confirmed, std::move(how)};
}
// Why the machine stopped before it started the program; nothing where it did start it.
std::optional<QemuVerdict> never_started(base::RunResult const& run, std::chrono::seconds limit) {
    std::string_view const console = run.output;
    if (run.end == End::stopped) return not_tried("interrupted");
    bool const qemu_ended = run.end == End::exited || run.end == End::signalled;
    if (qemu_ended) return not_tried(fmt::format("QEMU ended by itself; {}", last_words(console)));
    if (!has(console, kInitRuns)) {
        if (auto const panic = after(console, kPanic))
            return not_tried(fmt::format("on QEMU the kernel panics before it runs any program: {}", *panic));
        return not_tried(fmt::format("on QEMU the kernel does not come to run a program within {} s; {}", limit.count(),
                                     last_words(console)));
    }
    if (has(console, kNoFork)) return not_tried("on QEMU the kernel's first fork fails");
    if (has(console, kNoExec)) return not_tried("on QEMU the kernel cannot exec the program");
    return std::nullopt;
}

}  // namespace

QemuVerdict not_tried(std::string why) {
    return {QemuVerdict::State::not_tried, std::move(why)};
}

bool is_decided(std::string_view console) {
    return after(console, kPanic) || after(console, kFail) || after(console, kEnded) || after(console, kNoExec) ||
           after(console, kNoFork);
}

QemuVerdict judge(base::RunResult const& run, std::chrono::seconds limit) {
    std::string_view const console = run.output;
    if (auto const why = never_started(run, limit)) return *why;
    if (auto const what = after(console, kFail)) return confirmed(fmt::format("prints \"FAIL: {}\"", *what));
    if (auto const what = after(console, kPanic)) return confirmed(fmt::format("the kernel panics: {}", *what));
    if (auto const why = after(console, kCannot)) return not_tried(fmt::format("on this kernel {}", *why));
    bool const passes = has(console, kPass);
    if (auto const status = after(console, kEnded)) {
        if (passes) return {QemuVerdict::State::not_confirmed, "prints PASS"};
        return confirmed(fmt::format("ends with status {}, without the PASS of a correct kernel", *status));
    }
    if (run.end == End::too_much_output)
        return confirmed(fmt::format("the kernel prints without end; {}", last_words(console)));
    return confirmed(
        fmt::format("{} within {} s (hang)", passes ? "prints PASS, but does not end" : "no answer", limit.count()));
}

bool is_told_by_script(std::string_view output) {
    return after(output, kFail) || after(output, kCannot) || has(output, kPass);
}

QemuVerdict judge_script(base::RunResult const& run) {
    std::string_view const output = run.output;
    if (run.end == End::stopped) return not_tried("interrupted");
    if (auto const what = after(output, kFail))
        return confirmed(fmt::format("GDB's script prints \"FAIL: {}\"", *what));
    if (auto const why = after(output, kCannot)) return not_tried(fmt::format("in GDB, {}", *why));
    if (has(output, kPass)) return {QemuVerdict::State::not_confirmed, "GDB's script prints PASS"};
    return not_tried(fmt::format("GDB's script comes to no end; {}", last_words(output)));
}

}  // namespace vmcheck::qemu
