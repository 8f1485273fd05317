#include "impl/control/autopsy.h"

#include <fmt/core.h>

#include <utility>

namespace vmcheck {

using board::Register;

namespace {

// What the kernel did when it took exception `cause` (privileged spec, table of scause values).
std::string deed_of(std::uint64_t cause) {
    switch (cause) {
        case 12:
            return "a jump to";
        case 13:
            return "a load from";
        case 15:
            return "a store to";
        default:
            return fmt::format("exception {} with stval", cause);
    }
}

}  // namespace

spec::Stuck Autopsy::stuck(spec::Stuck::Why why) {
    VirtAddr const pc{board_.read(Register::pc)};
    spec::Stuck stuck{.why = why, .where = where_(pc)};
    died_at_ = pc;
    if (auto fault = board_.last_kernel_fault()) {
        died_at_ = fault->pc;
        stuck.exception = spec::Exception{fault->cause, VirtAddr{fault->value}, where_(fault->pc)};
    }
    return stuck;
}

spec::Stuck Autopsy::stuck(Circle const& circle) {
    if (circle.why == spec::Stuck::Why::same_trap)
        // The kernel comes through it unharmed: it died nowhere.
        return {.why = circle.why,
                .exception = spec::Exception{circle.cause, VirtAddr{circle.value}},
                .others_run = circle.others_run};
    spec::Stuck found = stuck(circle.why);
    found.others_run = circle.others_run;
    return found;
}

spec::Unfinished Autopsy::unfinished() const {
    return {where_(VirtAddr{board_.read(Register::pc)})};
}

spec::Panicked Autopsy::panicked(board::Parcels since) {
    died_at_ = VirtAddr{board_.read(Register::ra) - 1};
    spec::Panicked panicked{read_string(VirtAddr{board_.read(Register::a0)})};
    Frame innermost{VirtAddr{board_.read(Register::sp)}, VirtAddr{board_.read(Register::s0)}};
    // A panic that follows an exception of the kernel's own is explained by that: "kerneltrap" says nothing.
    if (auto fault = board_.last_kernel_fault(); fault && fault->at >= since) {
        died_at_ = fault->pc;
        panicked.cause = fmt::format("{} {:#x} in {}", deed_of(fault->cause), fault->value, where_(fault->pc));
        bool const jumped = fault->pc.value == fault->value;
        innermost = {fault->stack, fault->frame, fault->return_address, jumped};
    }
    panicked.stack = callers(innermost);
    panicked.stack.insert(panicked.stack.begin(), *died_at_);
    return panicked;
}

std::vector<VirtAddr> Autopsy::callers(Frame const& innermost) const {
    std::uint64_t const satp = board_.read(Register::satp);
    return vmcheck::callers(innermost, [&](VirtAddr at) -> std::optional<std::uint64_t> {
        auto const place = board_.translate(satp, at, board::Access::load, board::Privilege::supervisor);
        return place ? board_.read_u64(place->address) : std::nullopt;
    });
}

std::optional<spec::Panicked> Autopsy::panic_on_console() const {
    auto message = last_panic_printed(board_.console());
    if (!message) return std::nullopt;
    return spec::Panicked{std::move(*message)};
}

std::string Autopsy::read_string(VirtAddr at) const {
    constexpr std::size_t kLongest = 80;
    std::string text;
    while (text.size() < kLongest) {
        auto const place = board_.translate(board_.read(Register::satp), at + text.size(), board::Access::load,
                                            board::Privilege::supervisor);
        auto const byte = place ? board_.read_u8(place->address) : std::nullopt;
        if (!byte || *byte == 0) break;
        text += *byte >= 0x20 && *byte < 0x7f ? static_cast<char>(*byte) : *byte == '\n' ? '\n' : '?';
    }
    // Some kernels end the message with a line end of its own.
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

std::optional<std::string> panic_in(std::string_view console) {
    constexpr std::string_view kPanic = "panic: ";
    std::size_t const at = console.find(kPanic);
    std::size_t const end = console.find('\n', at);
    if (at == std::string_view::npos || end == std::string_view::npos) return std::nullopt;
    std::string text(console.substr(at + kPanic.size(), end - at - kPanic.size()));
    while (text.ends_with('\r')) text.pop_back();
    for (char& c : text)
        if (c < 0x20 || c == 0x7f) c = '?';
    return text;
}

std::optional<std::string> last_panic_printed(std::string_view console) {
    constexpr std::string_view kPanic = "panic: ";
    if (!console.ends_with('\n')) return std::nullopt;  // the message may still be on its way
    while (console.ends_with('\n') || console.ends_with('\r')) console.remove_suffix(1);
    std::size_t const line = console.rfind('\n');
    if (line != std::string_view::npos) console.remove_prefix(line + 1);
    if (!console.starts_with(kPanic)) return std::nullopt;
    return std::string(console.substr(kPanic.size()));
}

// Frames lie one above the other on a stack of a page or two. Below the frame pointer lie the return address and the
// frame pointer of the caller's caller; a function that calls no other keeps the latter alone, there.
std::vector<VirtAddr> callers(Frame const& innermost, WordAt const& word_at) {
    constexpr std::size_t kMost = 6;
    constexpr std::uint64_t kStackBytes = 16 * kPageBytes;
    constexpr std::uint64_t kWord = 8;
    auto const is_frame = [&](VirtAddr frame, VirtAddr below) {
        return frame >= below + 2 * kWord && frame.value - below.value <= kStackBytes && frame.value % (2 * kWord) == 0;
    };
    std::vector<VirtAddr> callers;
    auto const add = [&](std::uint64_t return_address) { callers.push_back(VirtAddr{return_address - 1}); };
    VirtAddr below = innermost.stack, frame = innermost.pointer;
    if (innermost.return_address && innermost.is_callers)
        add(innermost.return_address->value);
    else if (innermost.return_address && is_frame(frame, below))
        if (auto const kept = word_at(frame - kWord); kept && is_frame(VirtAddr{*kept}, frame)) {
            add(innermost.return_address->value);
            below = std::exchange(frame, VirtAddr{*kept});
        }
    while (callers.size() < kMost && is_frame(frame, below)) {
        auto const to = word_at(frame - kWord), next = word_at(frame - 2 * kWord);
        if (!to || !next || *to == 0) break;
        add(*to);
        below = std::exchange(frame, VirtAddr{*next});
    }
    return callers;
}

std::set<std::string> ran_only_within(std::string const& function, std::vector<std::string> const& way) {
    std::set<std::string> within, elsewhere;
    std::string caller;
    for (std::size_t i = 0; i < way.size(); ++i) {
        if (way[i] == caller) caller.clear();
        (caller.empty() ? elsewhere : within).insert(way[i]);
        if (caller.empty() && way[i] == function && i > 0) caller = way[i - 1];
    }
    std::erase_if(within, [&](std::string const& each) { return elsewhere.contains(each); });
    return within;
}

}  // namespace vmcheck
