#include "checker/debug/stub.h"

#include "checker/debug/packet.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vmcheck::debug {

using board::HartIndex;
using board::Register;

namespace {

constexpr char const* kError = "E01";

// Of breakpoints and watchpoints each; and how long a watched thing may be.
constexpr std::size_t kPointsMax = 256;
constexpr std::uint64_t kWatchedBytesMax = 4096;

// By GDB's names (GDB manual, "RISC-V Features"); general registers and the pc come first, as numbered there.
constexpr std::array<char const*, 32> kGeneral{"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "fp", "s1", "a0",
                                               "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
                                               "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr std::size_t kPc = kGeneral.size();
// An ABI with floating-point registers wants them described; their values are not told.
constexpr std::size_t kFirstFloating = kPc + 1, kFirstFloatingCsr = kFirstFloating + 32,
                      kFirstCsr = kFirstFloatingCsr + 3;
struct NamedRegister {
    char const* name;
    Register number;
};
constexpr std::array<NamedRegister, 19> kCsrs{{{"satp", Register::satp},
                                               {"sstatus", Register::sstatus},
                                               {"sepc", Register::sepc},
                                               {"scause", Register::scause},
                                               {"stval", Register::stval},
                                               {"stvec", Register::stvec},
                                               {"sscratch", Register::sscratch},
                                               {"sie", Register::sie},
                                               {"sip", Register::sip},
                                               {"mstatus", Register::mstatus},
                                               {"mepc", Register::mepc},
                                               {"mcause", Register::mcause},
                                               {"mtval", Register::mtval},
                                               {"mtvec", Register::mtvec},
                                               {"mscratch", Register::mscratch},
                                               {"mie", Register::mie},
                                               {"mip", Register::mip},
                                               {"medeleg", Register::medeleg},
                                               {"mideleg", Register::mideleg}}};
// In a feature of its own: which mode the hart is in.
constexpr std::size_t kPrivilege = kFirstCsr + kCsrs.size(), kRegisters = kPrivilege + 1;

std::string described(std::string_view name, unsigned bits, std::string_view type) {
    return fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"{}\"/>\n", name, bits, type);
}

// "0,ff" of a document: its part, marked as the last or not.
std::string part_of(std::string_view document, std::string_view arguments) {
    Fields fields(arguments);
    auto const from = fields.number();
    auto const bytes = fields.skip(",") ? fields.number() : std::nullopt;
    if (!from || !bytes) return kError;
    if (*from >= document.size()) return "l";
    std::string_view const part = document.substr(*from, std::min<std::uint64_t>(*bytes, kPacketBytesMax / 2));
    return (*from + part.size() == document.size() ? "l" : "m") + std::string(part);
}

}  // namespace

std::string target_description() {
    std::string text =
        "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
        "<architecture>riscv:rv64</architecture>\n<feature name=\"org.gnu.gdb.riscv.cpu\">\n";
    for (char const* name : kGeneral) text += described(name, 64, "int");
    text += described("pc", 64, "code_ptr") + "</feature>\n<feature name=\"org.gnu.gdb.riscv.fpu\">\n";
    for (unsigned i = 0; i < 32; ++i) text += described(fmt::format("f{}", i), 64, "ieee_double");
    for (char const* name : {"fflags", "frm", "fcsr"}) text += described(name, 32, "int");
    text += "</feature>\n<feature name=\"org.gnu.gdb.riscv.csr\">\n";
    for (NamedRegister const& csr : kCsrs) text += described(csr.name, 64, "int");
    text += "</feature>\n<feature name=\"org.gnu.gdb.riscv.virtual\">\n" + described("priv", 64, "int");
    return text + "</feature>\n</target>\n";
}

Stub::Stub(Timeline& timeline, board::Board& board, Client client)
    : timeline_(timeline), board_(board), client_(std::move(client)), looked_at_(timeline.hart()) {}

// An empty answer: it is not understood (GDB then asks for something else).
Stub::Answer Stub::answer(std::string_view packet) {
    using Then = Answer::Then;
    if (packet.empty()) return {};
    std::string_view const rest = packet.substr(1);
    switch (packet.front()) {
        case '?':
            return {stop_reply("05", "")};
        case 'g':
            return {read_registers()};
        case 'p':
            return {read_register(rest)};
        case 'm':
            return {read_memory(rest)};
        case 'G':
        case 'P':
        case 'M':
        case 'X':
            return {kError};
        case 'H':
            return {select_thread(rest)};
        case 'T':
            return {hart_of(rest) ? "OK" : kError};
        case 'Z':
        case 'z':
            return {set_point(packet)};
        case 'c':
        case 's':
            // Elsewhere than where it stands is not where the run went.
            if (!rest.empty()) return {kError};
            return {packet.front() == 'c' ? move({}, Towards::end) : step(moved(), Towards::end)};
        case 'b':
            if (rest == "c") return {move({}, Towards::beginning)};
            if (rest == "s") return {step(moved(), Towards::beginning)};
            return {};
        case 'v':
            if (packet == "vCont?") return {"vCont;c;C;s;S;r"};
            if (packet.starts_with("vCont;")) return {go_on(packet.substr(6))};
            if (packet.starts_with("vKill")) return {"OK", Then::ends};
            return {};
        case 'D':
            return {"OK", Then::leaves};
        case 'k':
            return {"", Then::ends};
        case 'q':
            return {query(packet)};
        case 'Q':
            if (packet == "QStartNoAckMode") return {"OK", Then::without_acks};
            return {};
        default:
            return {};
    }
}

std::string Stub::query(std::string_view packet) {
    Fields fields(packet);
    if (fields.skip("qSupported"))
        return fmt::format(
            "PacketSize={:x};QStartNoAckMode+;ReverseStep+;ReverseContinue+;qXfer:features:read+;vContSupported+",
            kPacketBytesMax);
    if (fields.skip("qXfer:features:read:target.xml:")) return part_of(target_description(), fields.rest());
    if (fields.skip("qXfer:features:read:")) return "E00";
    if (fields.skip("qRcmd,")) {
        auto const words = from_hex(fields.rest());
        if (!words) return kError;
        std::string text = client_.monitor(*words);
        looked_at_ = timeline_.hart();
        text.resize(std::min(text.size(), kPacketBytesMax / 2 - 1));
        // GDB takes no text at all for a failure.
        return text.empty() ? "OK" : to_hex(text);
    }
    if (packet == "qfThreadInfo") return threads();
    if (packet == "qsThreadInfo") return "l";
    if (packet == "qC") return fmt::format("QC{:x}", timeline_.hart().value + 1);
    // It was there before the client came, and stays when it goes.
    if (packet.starts_with("qAttached")) return "1";
    if (fields.skip("qThreadExtraInfo,")) {
        auto const hart = hart_of(fields.rest());
        if (!hart) return kError;
        constexpr std::array<char const*, 4> kModes{"user", "supervisor", "?", "machine"};
        return to_hex(
            fmt::format("hart {}, {} mode", hart->value, kModes[board_.read(*hart, Register::privilege) % 4]));
    }
    if (packet.starts_with("qSymbol")) return "OK";
    return "";
}

// ---- registers, memory

std::string Stub::value_of(std::size_t number) const {
    if (number < kPc) return to_hex_word(board_.read(looked_at_, static_cast<Register>(number)));
    if (number == kPc) return to_hex_word(board_.read(looked_at_, Register::pc));
    if (number < kFirstFloatingCsr) return std::string(16, 'x');
    if (number < kFirstCsr) return std::string(8, 'x');
    if (number < kPrivilege) return to_hex_word(board_.read(looked_at_, kCsrs[number - kFirstCsr].number));
    return to_hex_word(board_.read(looked_at_, Register::privilege));
}

std::string Stub::read_registers() {
    std::string all;
    for (std::size_t number = 0; number < kRegisters; ++number) all += value_of(number);
    return all;
}

std::string Stub::read_register(std::string_view arguments) {
    auto const number = Fields(arguments).number();
    return number && *number < kRegisters ? value_of(*number) : kError;
}

// Nothing: no RAM is there.
std::optional<PhysAddr> Stub::where(VirtAddr address) const {
    std::uint64_t const satp = board_.read(looked_at_, Register::satp);
    for (board::Privilege const privilege : {board::Privilege::supervisor, board::Privilege::user})
        for (board::Access const access : {board::Access::load, board::Access::fetch})
            if (auto const leaf = board_.translate(satp, address, access, privilege))
                return board_.read_u8(leaf->address) ? std::optional(leaf->address) : std::nullopt;
    PhysAddr const itself{address.value};
    return board_.read_u8(itself) ? std::optional(itself) : std::nullopt;
}

// As much as there is; an error where the first byte is not.
std::string Stub::read_memory(std::string_view arguments) {
    Fields fields(arguments);
    auto const from = fields.number();
    auto const bytes = fields.skip(",") ? fields.number() : std::nullopt;
    if (!from || !bytes) return kError;
    std::string text;
    std::uint64_t const count = std::min<std::uint64_t>(*bytes, kPacketBytesMax / 2);
    std::optional<PhysAddr> at;
    for (std::uint64_t i = 0; i < count; ++i) {
        VirtAddr const address{*from + i};
        at = at && address.offset() != 0 ? std::optional(*at + 1) : where(address);
        if (!at) break;
        std::byte const byte{*board_.read_u8(*at)};
        text += to_hex(std::span{&byte, 1});
    }
    return text.empty() && count > 0 ? kError : text;
}

// ---- threads

std::optional<HartIndex> Stub::hart_of(std::string_view thread) const {
    auto const number = Fields(thread).number();
    if (!number || *number == 0 || *number > board_.harts()) return std::nullopt;
    return HartIndex{*number - 1};
}

std::string Stub::threads() const {
    std::string text = "m1";
    for (unsigned i = 2; i <= board_.harts(); ++i) text += fmt::format(",{:x}", i);
    return text;
}

// "g2", "c-1", "c0": any, or all.
std::string Stub::select_thread(std::string_view arguments) {
    if (arguments.empty()) return kError;
    std::string_view const thread = arguments.substr(1);
    bool const any = thread == "0" || thread == "-1";
    auto const hart = hart_of(thread);
    if (!hart && !any) return kError;
    if (arguments.front() == 'g') looked_at_ = hart.value_or(timeline_.hart());
    if (arguments.front() == 'c') moved_ = hart;
    return "OK";
}

// ---- breakpoints, watchpoints

std::string Stub::set_point(std::string_view packet) {
    Fields fields(packet.substr(1));
    auto const kind = fields.number();
    auto const at = fields.skip(",") ? fields.number() : std::nullopt;
    std::uint64_t const bytes = fields.skip(",") ? fields.number().value_or(0) : 0;
    if (!kind || !at) return kError;
    VirtAddr const address{*at};
    bool const sets = packet.front() == 'Z';
    if (*kind <= 1) {
        std::erase(breakpoints_, address);
        if (sets && breakpoints_.size() == kPointsMax) return kError;
        if (sets) breakpoints_.push_back(address);
        return "OK";
    }
    if (*kind > 4) return "";
    Watch watch{*kind == 2   ? Watch::Kind::change
                : *kind == 3 ? Watch::Kind::read
                             : Watch::Kind::access,
                address, PhysAddr{0}, bytes};
    std::erase_if(watches_, [&](Watch const& each) {
        return each.kind == watch.kind && each.address == address && each.bytes == watch.bytes;
    });
    if (!sets) return "OK";
    auto const first = where(address);
    if (bytes == 0 || bytes > kWatchedBytesMax || !first || watches_.size() == kPointsMax) return kError;
    // What goes over a page's end may lie anywhere.
    auto const last = where(address + (bytes - 1));
    if (!last || last->value - first->value != bytes - 1) return kError;
    watch.at = *first;
    watches_.push_back(watch);
    return "OK";
}

// ---- moving

// "s:1;c", "r80000000,80000010:2;c", "c": one thread is stepped while the others go on, or all go on.
std::string Stub::go_on(std::string_view actions) {
    Fields rest(actions);
    while (!rest.rest().empty()) {
        Fields action(rest.until(';'));
        bool const in_range = action.skip("r");
        if (!in_range && !action.skip("s") && !action.skip("S")) continue;
        std::uint64_t from = 0, to = 0;
        if (in_range) {
            auto const first = action.number();
            auto const end = action.skip(",") ? action.number() : std::nullopt;
            if (!first || !end) return kError;
            from = *first;
            to = *end;
        }
        (void)action.until(':');
        auto const hart = action.rest().empty() ? moved() : hart_of(action.rest());
        if (!hart) return kError;
        return step(*hart, Towards::end, VirtAddr{from}, VirtAddr{to});
    }
    return move({}, Towards::end);
}

std::string Stub::step(HartIndex hart, Towards towards, VirtAddr from, VirtAddr to) {
    // One whose turn it is not stands before an instruction that it has to be brought to first.
    if (towards == Towards::end && timeline_.hart() != hart) {
        Hit const brought = timeline_.forward({.steps = hart}, client_.interrupted);
        if (brought.why != Hit::Why::here) return stop_reply("05", "replaylog:end;");
    }
    return move({.steps = hart, .from = from, .to = to}, towards);
}

std::string Stub::move(Search search, Towards towards) {
    search.breakpoints = breakpoints_;
    search.watches = watches_;
    bool const forward = towards == Towards::end;
    // GDB takes a RISC-V hart to stop before the instruction that it watches for, and does one more step by itself to
    // see what became of it; backwards it does one more back.
    Hit const hit =
        forward ? timeline_.forward(search, client_.interrupted) : timeline_.backward(search, client_.interrupted);
    if (hit.why == Hit::Why::watch)
        timeline_.go_to(forward ? Position{timeline_.now().value - 1} : Position{timeline_.now().value + 1});
    looked_at_ = timeline_.hart();
    moved_.reset();
    switch (hit.why) {
        case Hit::Why::here:
            return stop_reply("05", "");
        case Hit::Why::watch: {
            Watch const& watch = watches_[hit.watch];
            char const* const kind = watch.kind == Watch::Kind::change ? "watch"
                                     : watch.kind == Watch::Kind::read ? "rwatch"
                                                                       : "awatch";
            return stop_reply("05", fmt::format("{}:{:x};", kind, watch.address.value));
        }
        case Hit::Why::end:
            return stop_reply("05", forward ? "replaylog:end;" : "replaylog:begin;");
        case Hit::Why::interrupted:
            break;
    }
    return stop_reply("02", "");
}

std::string Stub::stop_reply(std::string_view signal, std::string_view reason) const {
    return fmt::format("T{}thread:{:x};{}", signal, timeline_.hart().value + 1, reason);
}

}  // namespace vmcheck::debug
