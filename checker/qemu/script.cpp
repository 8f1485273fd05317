#include "checker/qemu/script.h"

#include "checker/qemu/guest_files.h"
#include "checker/qemu/machine.h"
#include "checker/report/escape.h"
#include "checker/report/expect.h"
#include "checker/report/step_words.h"
#include "checker/report/story.h"
#include "checker/report/violation_words.h"
#include "impl/abi/agent_abi.h"
#include "impl/agent/agent.h"
#include "impl/elf/kernel_image.h"
#include "spec/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

namespace vmcheck::qemu {

namespace {

using namespace report;  // the words

// Behind these many words a value is one that a number says less well.
constexpr std::uint64_t kNumberMax = 4096;

constexpr std::uint64_t kKernelMin = 0x8000'0000;
// Of many that are alike.
constexpr std::size_t kChecksMax = 3;

std::string number(std::uint64_t value) {
    return value <= kNumberMax ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

std::string in_quotes(std::string_view text) {
    return fmt::format("\"{}\"", escape_c_string(one_line(text)));
}

// What may become of an order, as the player has it.
struct Allowed {
    std::string operator()(spec::Exactly const& result) const { return number(result.value); }
    std::string operator()(spec::AtMost const& result) const { return fmt::format("range({})", result.most + 1); }
    std::string operator()(spec::NewChild const&) const { return "range(1, 1 << 31)"; }
    std::string operator()(spec::PidOf const& result) const { return fmt::format("m.pid({})", result.child.value); }
    std::string operator()(spec::SomeDescriptor const&) const { return "range(1 << 31)"; }
    std::string operator()(spec::GoesOn const&) const { return "range(1 << 64)"; }
    std::string operator()(spec::EndsOther const&) const { return "0"; }
    std::string operator()(spec::Ends const&) const { return "GONE"; }
    std::string operator()(spec::Restarts const&) const { return "FRESH_IMAGE"; }
};

std::string name(spec::ProcId id) {
    return fmt::format("{}", id.value);
}

class Script {
  public:
    Script(Finding const& finding, Anatomy const& anatomy, Machine const& machine, elf::KernelImage const& image)
        : finding_(finding), anatomy_(anatomy), machine_(machine), image_(image), steps_(finding.program.steps) {}

    tl::expected<std::string, std::string> write() {
        play();
        if (!check()) return tl::unexpected(std::string("nothing outside the kernel shows what is wrong"));
        return head() + "python\ndef play():\n" + text_ + "proof(play)\nend\n";
    }

  private:
    void line(std::string const& code) { text_ += "    " + code + "\n"; }

    std::string head() const {
        std::string text = fmt::format("# {} at {}, found by vmcheck.\n# {}\n", title_of(finding_.signature.invariant),
                                       spec::kind_name(finding_.signature.kind), one_line(story_of(finding_)));
        return text +
               "# Prints PASS on a correct kernel, else FAIL and why:\n"
               "#     gdb-multiarch -nx -batch KERNEL -x vmcheck.py -x THIS_FILE\n"
               "# To look around somewhere, write stop() there, and leave out -batch.\n";
    }

    // By the nearest symbol: where it is in the kernel that is mended, too.
    std::string in_kernel(VirtAddr address) const {
        auto const symbols = image_.symbols();
        auto next = std::ranges::upper_bound(symbols, address, {}, &elf::Symbol::address);
        if (next == symbols.begin()) return fmt::format("{:#x}", address.value);
        elf::Symbol const& symbol = *std::prev(next);
        std::uint64_t const offset = address.value - symbol.address.value;
        return fmt::format("kernel({}{})", in_quotes(symbol.name), offset == 0 ? "" : fmt::format(", {}", offset));
    }
    std::string in_kernel(std::optional<VirtAddr> const& address) const {
        return address ? in_kernel(*address) : "None";
    }

    std::size_t step_of(std::size_t deed) const {
        auto const& begins = finding_.evidence.played.begins;
        std::size_t const last =
            static_cast<std::size_t>(std::upper_bound(begins.begin(), begins.end(), deed) - begins.begin()) - 1;
        // Of two that overlap both begin there.
        bool const is_pair = last > 0 && begins[last] == begins[last - 1];
        return is_pair && deeds()[deed].actor == steps_[last - 1].actor ? last - 1 : last;
    }
    std::vector<Deed> const& deeds() const { return finding_.evidence.played.deeds; }

    std::string arguments(std::size_t at) const {
        Deed const& deed = deeds()[at];
        std::string text =
            name(deed.actor) + ", " + (deed.kind == VMCHECK_ORDER_SYSCALL ? "SYSCALL" : number(deed.kind));
        auto const* kill = std::get_if<spec::Kill>(&steps_[step_of(at)].action);
        std::vector<std::string> values{number(deed.call)};
        for (std::uint64_t value : deed.arguments) values.push_back(number(value));
        if (kill != nullptr) values[1] = fmt::format("m.pid({})", kill->target.value);
        while (!values.empty() && values.back() == "0") values.pop_back();
        if (!values.empty()) text += fmt::format(", {}", fmt::join(values, ", "));
        if (deed.oom) text += fmt::format(", oom={}", *deed.oom);
        if (deed.child) text += fmt::format(", child={}", deed.child->value);
        if (deed.restarts) text += ", restarts=True";
        return text;
    }

    // The system calls with which p0 prepares (boot.cpp), and the steps' orders.
    void play() {
        std::vector<std::string> qemu = command_line("qemu-system-riscv64", machine_, "{disk}");
        std::replace(qemu.begin(), qemu.end(), machine_.kernel.string(), std::string("{kernel}"));
        std::replace(qemu.begin(), qemu.end(), std::string("stdio"), std::string("null"));
        line(fmt::format("qemu = \"{} -snapshot -S -gdb stdio\"", fmt::join(qemu, " ")));
        line(fmt::format("m = Machine(qemu, ask={:#x}, sleep={}, panic={}, allocate={}, free_lists=[{}], ram={:#x})",
                         agent::ask().value, anatomy_.sleep, in_kernel(anatomy_.panic), in_kernel(anatomy_.allocate),
                         free_lists(), machine_.ram_bytes));
        line("# /init prepares: a pipe, the file, and a fresh image.");
        line(fmt::format("m.order(0, SYSCALL, {}, {:#x})", anatomy_.pipe, agent::kVictimBss.value));
        line(fmt::format("m.order(0, SYSCALL, {}, {:#x})", anatomy_.open, agent::kPathData.value));
        line(fmt::format("m.order(0, SYSCALL, {}, {:#x}, {:#x}, restarts=True)", anatomy_.exec,
                         agent::path_of(spec::Executable::init).value, agent::kNoArguments.value));
        if (panics()) line("m.panics = True");
        if (finding_.program.memory) line(fmt::format("m.leave_free({})", *finding_.program.memory));
        if (finding_.evidence.played.free_frames_lost()) line("free = len(m.free())");
        for (std::size_t at = 0; at < deeds().size();) at = turn(at);
    }

    // The agent's code lies below.
    static bool is_kernels(VirtAddr at) { return at.value >= kKernelMin; }

    bool panics() const {
        return std::ranges::any_of(finding_.divergence.violations, [](spec::Violation const& violation) {
            auto const* wrong = std::get_if<spec::WrongAnswer>(&violation.facts);
            return wrong && std::holds_alternative<spec::Panicked>(wrong->seen.what);
        });
    }

    std::string free_lists() const {
        std::vector<std::string> heads;
        for (PhysAddr head : anatomy_.free_lists) heads.push_back(in_kernel(VirtAddr{head.value}));
        return fmt::format("{}", fmt::join(heads, ", "));
    }

    void announce(std::size_t at) {
        std::size_t const step = step_of(at);
        if (!announced_.insert(step).second) return;
        line(fmt::format("print({})", in_quotes(fmt::format("step {}: {}", step + 1, spec::print(steps_[step])))));
    }

    // The order whose result is the step's.
    void answer(std::size_t at, std::string const& code) {
        std::size_t const step = step_of(at);
        bool const opens = std::holds_alternative<spec::FileRead>(steps_[step].action);
        bool const first = ++orders_[step] == 1;
        bool const is_answer =
            first || (opens && orders_[step] == 2) || std::holds_alternative<spec::Touch>(steps_[step].action);
        line(is_answer ? fmt::format("answer_{} = {}", step + 1, code) : code);
    }

    // From the deed there; the next turn's.
    std::size_t turn(std::size_t at) {
        announce(at);
        std::size_t end = at + 1;
        while (end < deeds().size() && deeds()[end].meanwhile) ++end;
        if (end == at + 1) {
            answer(at, fmt::format("m.order({})", arguments(at)));
            return end;
        }
        Deed const& first = deeds()[at];
        if (steps_[step_of(at)].faults.switch_hart)
            line(fmt::format("m.side_by_side({}, {})", name(first.actor), name(deeds()[at + 1].actor)));
        begin(at);
        bool first_is_over = false;
        for (std::size_t i = at + 1; i < end; ++i) {
            announce(i);
            if (deeds()[i].stop && !first_is_over) {
                begin(i);
                answer(at, fmt::format("m.finish({})", name(first.actor)));
                first_is_over = true;
                answer(i, fmt::format("m.finish({})", name(deeds()[i].actor)));
            } else {
                answer(i, fmt::format("m.order({})", arguments(i)));
            }
        }
        if (!first_is_over) answer(at, fmt::format("m.finish({})", name(first.actor)));
        return end;
    }

    void begin(std::size_t at) {
        Deed const& deed = deeds()[at];
        std::string code = arguments(at);
        if (deed.stop) {
            CodePlace const& place = deed.stop->places.front();
            line(
                fmt::format("# p{} is stopped in {}{}, just before it goes on there: look at what it has read already.",
                            deed.actor.value, one_line(place.function),
                            place.file.empty() ? "" : fmt::format(" ({}:{})", one_line(place.file), place.line)));
            code += fmt::format(", at={}, passes={}",
                                is_kernels(deed.stop->at) ? in_kernel(deed.stop->at) : number(deed.stop->at.value),
                                deed.stop->passes);
            if (steps_[step_of(at)].faults.preempt) code += ", interrupt=True";
        }
        line(fmt::format("m.begin({})", code));
    }

    // ---- what is wrong

    // False where nothing can be looked at.
    bool check() {
        bool any = false;
        auto const& violations = finding_.divergence.violations;
        for (std::size_t i = 0; i < violations.size() && i < kChecksMax; ++i) {
            spec::Violation const& violation = violations[i];
            violation_ = &violation;
            any = std::visit([this](auto const& facts) { return looks_for(facts); }, violation.facts) || any;
        }
        return any;
    }

    // Of the page that it is about, as the player has it.
    std::string at_page() const {
        return fmt::format("{}, {:#x}", name(*violation_->process), violation_->address->value);
    }
    bool located() const { return violation_->process && violation_->address; }
    bool holds(std::string const& condition) {
        line(fmt::format("check({}, {})", condition, in_quotes(words_of(*violation_).story)));
        return true;
    }

    template <class Other>
    bool looks_for(Other const&) {
        return false;
    }
    bool looks_for(spec::WrongAnswer const& wrong) {
        std::size_t const last = steps_.size() - 1;
        std::size_t const step = steps_[last].actor != wrong.step.actor && last > 0 ? last - 1 : last;
        std::vector<std::string> allowed;
        for (spec::Result const& result : wrong.allowed) {
            allowed.push_back(std::visit(Allowed{}, result));
            if (auto const* ends = std::get_if<spec::EndsOther>(&result); ends && wrong.allowed.size() == 1)
                line(fmt::format("check(m.is_gone({}), {})", name(ends->target),
                                 in_quotes(words_of(*violation_).story)));
        }
        bool const must_end = std::ranges::find(wrong.allowed, spec::Result{spec::Ends{}}) != wrong.allowed.end();
        if (must_end && std::holds_alternative<spec::Blocked>(wrong.seen.what)) return is_collected(wrong.step.actor);
        if (allowed.empty()) return std::holds_alternative<spec::Panicked>(wrong.seen.what);
        if (!orders_.contains(step)) return gets_a_turn(wrong.step.actor);
        bool const returned = std::holds_alternative<spec::Returned>(wrong.seen.what) ||
                              std::holds_alternative<spec::Restarted>(wrong.seen.what);
        line(fmt::format("expect(answer_{}, [{}], {}{})", step + 1, fmt::join(allowed, ", "),
                         in_quotes(fmt::format("{} must give {}", in_words(steps_[step]),
                                               expected_words(wrong.allowed, wrong.step))),
                         returned ? ", returned=True" : ""));
        return true;
    }
    bool looks_for(spec::NeedlessKill const&) {
        return orders_.contains(steps_.size() - 1) && holds(fmt::format("answer_{} != GONE", steps_.size()));
    }
    bool looks_for(spec::WrongByte const& wrong) {
        return located() &&
               holds(fmt::format("m.byte({}) == {}", at_page(), std::to_integer<unsigned>(wrong.expected)));
    }
    bool looks_for(spec::PageLost const&) {
        return located() && holds(fmt::format("m.page({}) is not None", at_page()));
    }
    bool looks_for(spec::WrongRights const& wrong) {
        return located() && holds(fmt::format("m.rights({}) == {}", at_page(),
                                              in_quotes(wrong.expected ? spec::to_string(*wrong.expected) : "")));
    }
    bool looks_for(spec::WritableShared const&) {
        return located() &&
               holds(fmt::format("len(m.users({})) == 1 or 'W' not in m.rights({})", at_page(), at_page()));
    }
    bool looks_for(spec::UsyscallShared const&) {
        return located() && holds(fmt::format("len(m.users({})) == 1", at_page()));
    }
    bool looks_for(spec::WrongCount const& wrong) {
        if (!located() || !anatomy_.counts) return false;
        Anatomy::Counts const& counts = *anatomy_.counts;
        if (!std::exchange(knows_counts_, true))
            line(fmt::format(
                "m.counts = Counts(base={}, bytes={}, stride={}, signed={}, behind={}, first={:#x}, one={})",
                in_kernel(VirtAddr{counts.base.value}), counts.bytes, counts.stride,
                counts.is_signed ? "True" : "False", counts.behind_pointer ? fmt::format("{}", counts.offset) : "None",
                counts.first.value, counts.for_one));
        return holds(fmt::format("m.count({}) == {}", at_page(), wrong.expected));
    }
    bool looks_for(spec::FreeInUse const&) { return frames_are_in_use_once(); }
    bool looks_for(spec::TwoRoles const&) { return frames_are_in_use_once(); }
    bool looks_for(spec::TableBroken const&) { return frames_are_in_use_once(); }
    bool looks_for(spec::FreeListBroken const&) { return frames_are_in_use_once(); }
    bool frames_are_in_use_once() { return !anatomy_.free_lists.empty() && holds("m.is_sound()"); }
    bool looks_for(spec::WrongTotal const& wrong) {
        auto const used = finding_.evidence.played.free_frames_lost();
        if (!used || anatomy_.free_lists.empty()) return false;
        return holds(fmt::format("len(m.free()) {} free - {}", wrong.seen < wrong.expected ? ">=" : "==", *used));
    }
    bool looks_for(spec::MappedEarly const&) {
        return located() && holds(fmt::format("m.page({}) is None", at_page()));
    }
    bool looks_for(spec::NotMapped const&) {
        return located() && holds(fmt::format("m.page({}) is not None", at_page()));
    }
    bool looks_for(spec::Copied const&) { return located() && holds(fmt::format("len(m.users({})) > 1", at_page())); }
    bool looks_for(spec::ChildLost const&) { return violation_->process && is_collected(*violation_->process); }
    // Who got none on the board was given no order.
    bool gets_a_turn(spec::ProcId process) {
        line(fmt::format("m.bring({})", name(process)));
        return true;
    }
    // By its parent's wait: it has ended, and is not asleep.
    bool is_collected(spec::ProcId child) {
        for (spec::Step const& step : steps_) {
            auto const* fork = std::get_if<spec::Fork>(&step.action);
            if (fork == nullptr || fork->child != child) continue;
            return holds(fmt::format("m.collects({}, {}, {})", name(step.actor), name(child), anatomy_.wait));
        }
        return false;
    }
    bool looks_for(spec::WrongBreak const& wrong) {
        return violation_->process &&
               holds(fmt::format("m.order({}, SYSCALL, {}, 0, 1) == {:#x}", name(*violation_->process), anatomy_.sbrk,
                                 wrong.expected.value));
    }

    Finding const& finding_;
    Anatomy const& anatomy_;
    Machine const& machine_;
    elf::KernelImage const& image_;
    std::vector<spec::Step> const& steps_;
    bool knows_counts_ = false;
    spec::Violation const* violation_ = nullptr;
    std::set<std::size_t> announced_;
    std::map<std::size_t, unsigned> orders_;
    std::string text_;
};

}  // namespace

std::string_view player() {
    auto const files = guest_files();
    auto const found = std::ranges::find(files, kPlayer, &GuestFile::path);
    return found == files.end() ? std::string_view() : found->text;
}

std::vector<std::string> gdb_command(std::filesystem::path const& debugger, std::filesystem::path const& kernel,
                                     std::filesystem::path const& script) {
    return {debugger.string(), "-nx", "-batch", kernel.string(), "-x", (script.parent_path() / kPlayer).string(), "-x",
            script.string()};
}

tl::expected<std::string, std::string> gdb_script(Finding const& finding, Anatomy const& anatomy,
                                                  Machine const& machine) {
    if (!is_solid(finding)) return tl::unexpected(std::string("it did not come back on the freshly booted kernel"));
    if (!anatomy.disk || finding.evidence.played.deeds.empty())
        return tl::unexpected(std::string("no order was given to a process"));
    auto const image = elf::KernelImage::load(machine.kernel, elf::kDefaultRam);
    if (!image) return tl::unexpected(image.error().sentence());
    return Script(finding, anatomy, machine, *image).write();
}

}  // namespace vmcheck::qemu
