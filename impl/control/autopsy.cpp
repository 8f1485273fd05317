#include "impl/control/autopsy.h"

#include <fmt/format.h>

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
    // A panic that follows an exception of the kernel's own is explained by that: "kerneltrap" says nothing.
    panicked.stack = callers();
    if (auto fault = board_.last_kernel_fault(); fault && fault->at >= since) {
        died_at_ = fault->pc;
        panicked.cause = fmt::format("{} {:#x} in {}", deed_of(fault->cause), fault->value, where_(fault->pc));
    }
    panicked.stack.insert(panicked.stack.begin(), *died_at_);
    return panicked;
}

// By the frame pointer, which xv6 is compiled to keep (CFLAGS in its Makefile); at the entry of panic it is the
// caller's. Below it lie the return address and the frame pointer of the caller's caller (RISC-V ELF psABI, "Frame
// Pointer Convention"). Frames lie one above the other on a stack of a page or two.
std::vector<VirtAddr> Autopsy::callers() const {
    constexpr std::size_t kMost = 6;
    constexpr std::uint64_t kStackBytes = 16 * kPageBytes;
    auto const word_at = [&](std::uint64_t at) -> std::optional<std::uint64_t> {
        auto const place = board_.translate(board_.read(Register::satp), VirtAddr{at}, board::Access::load,
                                            board::Privilege::supervisor);
        return place ? board_.read_u64(place->address) : std::nullopt;
    };
    std::vector<VirtAddr> callers;
    std::uint64_t below = board_.read(Register::sp);
    std::uint64_t frame = board_.read(Register::s0);
    while (callers.size() < kMost && frame >= below + 16 && frame - below <= kStackBytes && frame % 16 == 0) {
        auto const to = word_at(frame - 8), next = word_at(frame - 16);
        if (!to || !next || *to == 0) break;
        callers.push_back(VirtAddr{*to - 1});
        below = frame;
        frame = *next;
    }
    return callers;
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
