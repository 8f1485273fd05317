#include "checker/debug/recorded_program.h"

#include "checker/report/debug_words.h"
#include "checker/run/runner.h"
#include "spec/text.h"
#include "spec/walk.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace vmcheck::debug {

using board::Request;

namespace {

// Is there when each step begins, and begins to record at the first.
class Notes final : public run::Watcher {
  public:
    explicit Notes(KernelMachine& machine) : machine_(machine) {}
    ~Notes() {
        if (start) machine_.now().board().record(nullptr);
    }
    Notes(Notes const&) = delete;
    Notes& operator=(Notes const&) = delete;

    void before(spec::StepIndex, Execution&) override {
        board::Board& board = machine_.now().board();
        if (!start) {
            if (auto watched = board.watch_instructions(nullptr); !watched) failure = watched.error().message;
            start = board.save();
            board.record(&recording);
        }
        steps.emplace_back(stepper->world(), machine_.now().agents());
    }
    void after(spec::StepIndex, Execution&) override {}

    run::Stepper const* stepper = nullptr;
    std::vector<std::pair<spec::World, AgentState>> steps;
    std::optional<board::Checkpoint> start;
    board::Recording recording;
    std::optional<std::string> failure;

  private:
    KernelMachine& machine_;
};

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                     : std::nullopt;
}

// As in a program: "heap+8", "0x4000".
std::optional<spec::Address> address_in(std::string_view text) {
    auto const program = spec::parse(fmt::format("vmcheck 1\nprofile cow\np0 load {} 1\n", text));
    if (!program || program->steps.size() != 1) return std::nullopt;
    auto const* load = std::get_if<spec::Load>(&program->steps.front().action);
    return load != nullptr ? std::optional(load->at) : std::nullopt;
}

// Sv39: three levels of 512 entries (privileged spec, "Sv39"). Nothing: there is no table of the last level.
std::optional<PhysAddr> pte_of(board::Board const& board, FrameNo root, Vpn page) {
    PhysAddr table = start_of(root);
    for (unsigned level = 2;; --level) {
        PhysAddr const at = table + 8 * ((page.value >> (9 * level)) % 512);
        if (level == 0) return at;
        std::uint64_t const entry = board.read_u64(at).value_or(0);
        if ((entry & 1) == 0) return std::nullopt;
        table = start_of(FrameNo{(entry >> 10) & ((std::uint64_t{1} << 44) - 1)});
    }
}

std::vector<report::PageLine> page_lines(board::Board const& board, spec::Observation const& seen, Vpn page) {
    std::vector<report::PageLine> lines;
    for (spec::ObservedProcess const& process : seen.processes) {
        PageRow row{.process = process.id, .zombie = process.zombie};
        auto const at = std::ranges::find(process.pages, page, &spec::ObservedPage::page);
        if (at != process.pages.end()) {
            row.mapped = true;
            row.page = *at;
            for (spec::ObservedProcess const& each : seen.processes)
                row.references += static_cast<std::uint64_t>(std::ranges::count_if(
                    each.pages, [&](auto const& other) { return other.rights.user && other.frame == at->frame; }));
            if (at->in_ram) {
                row.count = seen.memory->reference_count(at->frame);
                row.on_free_list = seen.memory->on_free_list(at->frame);
            }
        }
        bool const has_table = !process.table_frames.empty();
        lines.push_back({row, has_table ? pte_of(board, process.table_frames.front(), page) : std::nullopt});
    }
    return lines;
}

}  // namespace

tl::expected<std::unique_ptr<RecordedProgram>, BootError> RecordedProgram::make(KernelTarget const& target,
                                                                                spec::Program const& program,
                                                                                std::string_view name) {
    auto machine = target.start_machine();
    if (!machine) return tl::unexpected(machine.error());
    std::unique_ptr<RecordedProgram> recorded{new RecordedProgram};
    recorded->setting_ = target.setting();
    recorded->machine_ = std::move(*machine);
    if (auto ran = recorded->run(program); !ran)
        return tl::unexpected(
            BootError{fmt::format("{} cannot be gone through: {}", name, ran.error().message), ran.error().kind});
    return recorded;
}

tl::expected<void, BootError> RecordedProgram::run(spec::Program const& program) {
    run::FirstLook const look = run::first_look(*machine_, setting_);
    Notes notes(*machine_);
    run::RunOptions const options{.go_on = true, .records = true, .watcher = &notes};
    run::Counts uncounted;
    run::Stepper stepper(*machine_, look.reference, options, uncounted);
    notes.stepper = &stepper;
    stepper.begin(program);
    run::take_steps(stepper, program.steps);
    own_steps_ = stepper.so_far().program.steps.size();
    // A failure is what one came for; a program without one is run to its very end.
    if (stepper.so_far().passed.empty()) run::close(stepper);
    spec::World const model = stepper.world();
    run_ = stepper.take();
    auto const no_run = [](std::string why, BootError::Kind kind) {
        return tl::unexpected(BootError{std::move(why), kind});
    };
    if (run_.cannot_start) return no_run(*run_.cannot_start, BootError::Kind::kernel);
    if (!notes.start) return no_run("It has no step that can be asked.", BootError::Kind::kernel);
    if (auto failure = machine_->engine_failure()) return no_run(std::move(*failure), BootError::Kind::machine);
    if (notes.failure) return no_run(std::move(*notes.failure), BootError::Kind::machine);
    machine_->now().board().record(nullptr);
    if (run_.divergence)
        failure_ = run_.divergence;
    else if (!run_.passed.empty())
        failure_ = run_.passed.back();
    AgentState agents = machine_->now().agents();
    auto timeline = Timeline::make(board(), *notes.start, std::move(notes.recording), {});
    if (!timeline) return no_run(std::move(timeline.error()), BootError::Kind::machine);
    timeline_ = std::move(*timeline);
    end_ = Start{timeline_->end(), model, std::move(agents)};
    // A step begins with its first order; the process that it is for was brought to the hart before that. One that the
    // machine did not come to begins at the end.
    auto const& marks = timeline_->marks();
    auto at = marks.begin();
    for (auto& [world, known] : notes.steps) {
        at = std::find_if(at, marks.end(), [](auto const& mark) { return mark.kind == Request::Kind::step; });
        auto const order =
            std::find_if(at, marks.end(), [](auto const& mark) { return mark.kind == Request::Kind::order; });
        starts_.push_back({order == marks.end() ? timeline_->end() : order->at, std::move(world), std::move(known)});
        if (at != marks.end()) ++at;
    }
    go_to_kernel_in(step_of_interest());
    return {};
}

std::size_t RecordedProgram::step_of_interest() const {
    std::size_t const last = std::max<std::size_t>(own_steps_, 1) - 1;
    return std::min(failure_ ? failure_->at.value : last, steps() - 1);
}

std::optional<std::size_t> RecordedProgram::present_step() const {
    std::optional<std::size_t> present;
    for (std::size_t i = 0; i < steps(); ++i)
        if (starts_[i].at <= timeline_->now()) present = i;
    return present;
}

spec::World const& RecordedProgram::model_before(std::size_t step) const {
    return step < steps() ? starts_[step].model : end_->model;
}

void RecordedProgram::go_to_kernel_in(std::size_t step) {
    Position const begin = start_of(step);
    Position const end = step + 1 < steps() ? std::max(begin, start_of(step + 1)) : timeline_->end();
    timeline_->go_to(begin);
    auto const never = [] { return false; };
    VirtAddr const ram{board().ram_start().value}, behind{board().ram_end().value};
    constexpr VirtAddr kTop{std::numeric_limits<std::uint64_t>::max()};
    // The user program lies below the kernel, the trampoline above it.
    for (int hops = 0; hops < 8 && timeline_->now() < end; ++hops) {
        board::HartIndex const hart = timeline_->hart();
        VirtAddr const pc{board().read(hart, board::Register::pc)};
        if (pc >= ram && pc < behind) return;
        bool const in_user = pc < ram;
        timeline_->forward({.steps = hart, .from = in_user ? VirtAddr{0} : behind, .to = in_user ? ram : kTop}, never);
    }
    timeline_->go_to(begin);
}

// ---- monitor

std::string RecordedProgram::monitor(std::string_view words) {
    std::string_view const blanks = " \t";
    words.remove_prefix(std::min(words.find_first_not_of(blanks), words.size()));
    std::string_view const command = words.substr(0, words.find_first_of(blanks));
    std::string_view argument = words.substr(command.size());
    argument.remove_prefix(std::min(argument.find_first_not_of(blanks), argument.size()));
    argument = argument.substr(0, argument.find_last_not_of(blanks) + 1);
    if (command == "step") return go_to_step(argument);
    if (command == "go") return go(argument);
    if (command == "where") return where();
    if (command == "pages") return pages(argument);
    if (command == "why") return report::why_words(failure());
    if (command == "model")
        return report::model_words(records(), own_steps_, present_step(), model_before(present_step().value_or(0)));
    return report::monitor_help();
}

std::string RecordedProgram::where() {
    auto const step = present_step();
    std::string in = "before the first step";
    if (step && *step < records().size())
        in = fmt::format("in step {} of {}: {}", *step + 1, steps(), spec::print(records()[*step].step));
    board::HartIndex const hart = timeline_->hart();
    VirtAddr const pc{board().read(hart, board::Register::pc)};
    CodePlace const place = machine_->now().place_at(pc);
    return fmt::format("instruction {} of {}, {}; hart {} at {:#x}{}\n", timeline_->now().value, timeline_->end().value,
                       in, hart.value, pc.value,
                       place.line == 0 ? "" : fmt::format(" ({} {}:{})", place.function, place.file, place.line));
}

std::string RecordedProgram::go(std::string_view number) {
    auto const to = number_in(number);
    if (!to || *to > timeline_->end().value)
        return fmt::format("go N: to before instruction N, from 0 to {}\n", timeline_->end().value);
    timeline_->go_to(Position{*to});
    return where() + report::kGdbDoesNotKnow;
}

std::string RecordedProgram::go_to_step(std::string_view number) {
    auto const step = number_in(number);
    if (!step || *step == 0 || *step > steps())
        return fmt::format("step N: to where step N begins, from 1 to {}\n", steps());
    go_to_kernel_in(*step - 1);
    return where() + report::kGdbDoesNotKnow;
}

std::string RecordedProgram::pages(std::string_view text) {
    auto const step = present_step();
    bool const at_end = timeline_->now() == timeline_->end();
    Start const& now = at_end ? *end_ : starts_[step.value_or(0)];
    spec::World const& model = now.model;
    std::optional<VirtAddr> address;
    if (text.empty()) {
        if (failure_ != std::nullopt) address = failure_->violations.front().address;
    } else if (auto const asked = address_in(text)) {
        spec::ProcId const actor = step && *step < records().size() ? records()[*step].step.actor : spec::kInit;
        spec::Process const* const process = model.find(actor);
        bool const runs = process != nullptr && process->life == spec::Life::running;
        address = model.resolve(runs ? actor : spec::kInit, *asked);
    }
    if (!address) return "pages ADDRESS: of user memory, as in a program: heap+8, or 0x4000\n";
    spec::Observation const seen = machine_->now().observe(now.agents);
    return report::pages_words(address->page(), page_lines(board(), seen, address->page()), model,
                               at_end ? std::nullopt : step);
}

}  // namespace vmcheck::debug
