#include "checker/session/last_access.h"

#include "checker/run/runner.h"
#include "spec/step_kinds.h"
#include "spec/walk.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace vmcheck::session {

namespace {

using Of = LastAccess::Of;

struct Watched {
    Of of;
    Word word;
    std::optional<spec::ProcId> whose{};
    Vpn page{};  // of an entry
};

// A page that a process has mapped.
struct Mapped {
    spec::ProcId process;
    FrameNo root;
    Vpn page;
    std::optional<Word> entry;
    bool writable = false;
};

// Who uses which frame, at a moment.
struct Uses {
    std::map<FrameNo, std::vector<Mapped>> pages;
    std::map<FrameNo, std::pair<spec::ProcId, FrameNo>> tables;  // with the root

    static Uses of(Execution& execution) {
        Uses uses;
        for (spec::ObservedProcess const& process : execution.observe().processes) {
            if (process.table_frames.empty()) continue;
            FrameNo const root = process.table_frames.front();
            for (FrameNo frame : process.table_frames) uses.tables.try_emplace(frame, process.id, root);
            for (spec::ObservedPage const& page : process.pages)
                if (page.in_ram)
                    uses.pages[page.frame].push_back({process.id, root, page.page, execution.entry_of(root, page.page),
                                                      page.rights.user && page.rights.write});
        }
        return uses;
    }
    std::optional<FrameNo> frame_of(spec::ProcId process, Vpn page) const {
        for (auto const& [frame, mapped] : pages)
            for (Mapped const& each : mapped)
                if (each.process == process && each.page == page) return frame;
        return std::nullopt;
    }
    std::optional<FrameNo> root_of(spec::ProcId process) const {
        for (auto const& [frame, table] : tables)
            if (table.first == process) return table.second;
        return std::nullopt;
    }
    bool maps(FrameNo frame, Mapped const& by) const {
        auto const at = pages.find(frame);
        return at != pages.end() && std::ranges::any_of(at->second, [&](Mapped const& each) {
                   return each.root == by.root && each.page == by.page;
               });
    }
};

// All frames that are free or used by a process.
std::set<FrameNo> accounted(Execution& execution, Uses const& uses) {
    std::vector<FrameNo> const free = execution.free_frames();
    std::set<FrameNo> frames(free.begin(), free.end());
    for (auto const& [frame, mapped] : uses.pages) frames.insert(frame);
    for (auto const& [frame, table] : uses.tables) frames.insert(frame);
    return frames;
}

// The step let somebody through whom it had to refuse, or neither let him through nor refused him: it looked at the
// entry, and judged wrongly.
bool is_judged_wrongly(spec::Violation const& violation) {
    using spec::Mistake;
    auto const* answer = std::get_if<spec::WrongAnswer>(&violation.facts);
    if (answer == nullptr) return false;
    if (auto const* stuck = std::get_if<spec::Stuck>(&answer->seen.what))
        return stuck->why == spec::Stuck::Why::same_trap;
    constexpr std::array kLetThrough{Mistake::copyout_accepted,   Mistake::copyin_accepted,
                                     Mistake::counted_unreadable, Mistake::counted_unwritable,
                                     Mistake::open_took_bad_path, Mistake::exec_took_bad_arguments};
    return std::ranges::find(kLetThrough, answer->mistake) != kLetThrough.end();
}

// Where the words lie that a violation is about, by the machine after the failing step; before it, where its outcome is
// what is wrong.
class Words final : public run::Watcher {
  public:
    Words(run::Divergence const& divergence, spec::ProcId process, std::optional<VirtAddr> address, bool overlaps)
        : violation_(divergence.violations.front()),
          at_(divergence.at),
          process_(process),
          address_(address),
          overlaps_(overlaps) {}

    void before(spec::StepIndex at, Execution& execution) override {
        if (at.value == 0 && is<spec::WrongTotal>()) at_start_ = accounted(execution, Uses::of(execution));
        if (at != at_) return;
        before_ = Uses::of(execution);
        if (spec::is_about_outcome(violation_)) find(execution, before_);
    }
    void after(spec::StepIndex at, Execution& execution) override {
        if (at == at_ && !spec::is_about_outcome(violation_)) find(execution, Uses::of(execution));
    }

    std::vector<Watched> found;

  private:
    template <class Facts>
    bool is() const {
        return std::holds_alternative<Facts>(violation_.facts);
    }
    void add(Of of, std::optional<Word> const& word, std::optional<spec::ProcId> whose = {}, Vpn page = {}) {
        if (word) found.push_back({of, *word, whose, page});
    }
    void add_counts(Execution& execution, Of of, FrameNo frame) {
        for (Word const& word : execution.counts_of(frame)) add(of, word);
    }

    void find(Execution& execution, Uses const& uses) {
        if (is<spec::WrongTotal>()) return find_lost(execution, uses);
        if (is<spec::WrongBreak>()) {
            if (auto const root = uses.root_of(process_)) add(Of::program_break, execution.break_of(*root), process_);
            return;
        }
        if (!address_) return;
        auto const frame = uses.frame_of(process_, address_->page());
        if (is<spec::WrongCount>() || is<spec::FreeInUse>()) {
            if (frame) find_count(execution, uses, *frame);
            return;
        }
        if (frame && (is<spec::WritableShared>() || is<spec::WrongByte>()))
            for (Mapped const& each : uses.pages.at(*frame))
                if (each.process != process_ && (each.writable || is<spec::WritableShared>()))
                    add(Of::entry, each.entry, each.process, each.page);
        // Whoever else may write to its frame has done so.
        if (is<spec::WrongByte>() && !found.empty()) return;
        if (auto const root = uses.root_of(process_))
            add(Of::entry, execution.entry_of(*root, address_->page()), process_, address_->page());
        if (frame && is<spec::WrongByte>()) add(Of::byte, Word{start_of(*frame) + address_->offset(), 1});
    }

    // Counted, and no entry any more: by whose entry that went.
    void find_count(Execution& execution, Uses const& uses, FrameNo frame) {
        auto const* wrong = std::get_if<spec::WrongCount>(&violation_.facts);
        if (wrong != nullptr && wrong->seen > wrong->expected)
            if (auto const at = before_.pages.find(frame); at != before_.pages.end())
                for (Mapped const& each : at->second)
                    if (!uses.maps(frame, each) && uses.root_of(each.process) == each.root)
                        add(Of::entry, each.entry, each.process, each.page);
        if (found.empty()) add_counts(execution, Of::count, frame);
    }

    // A frame that was free or in use at the start and is neither now; the more telling first.
    void find_lost(Execution& execution, Uses const& uses) {
        std::set<FrameNo> const now = accounted(execution, uses);
        std::vector<FrameNo> lost;
        std::ranges::set_difference(at_start_, now, std::back_inserter(lost));
        auto const is_used_by = [](auto const& users) { return [&](FrameNo frame) { return users.contains(frame); }; };
        // Of two at a time, their counts tell who came between.
        if (overlaps_ && !lost.empty()) {
            add_counts(execution, Of::count_of_lost, lost.front());
            if (!found.empty()) return;
        }
        if (auto const at = std::ranges::find_if(lost, is_used_by(before_.pages)); at != lost.end()) {
            Mapped const& was = before_.pages.at(*at).front();
            add(Of::entry_of_lost, was.entry, was.process);
            add_counts(execution, Of::count_of_lost, *at);
            if (uses.root_of(was.process) != was.root)
                add(Of::table_of_lost, Word{start_of(was.root), sizeof(std::uint64_t)}, was.process);
        } else if (auto const part = std::ranges::find_if(lost, is_used_by(before_.tables)); part != lost.end()) {
            auto const& [process, root] = before_.tables.at(*part);
            add(Of::table_of_lost, Word{start_of(root), sizeof(std::uint64_t)}, process);
        } else if (!lost.empty()) {
            add_counts(execution, Of::count_of_lost, lost.front());
            // Its end: what is kept in frames lies at their beginning, and fills reach it.
            constexpr std::uint64_t kLastWord = kPageBytes - sizeof(std::uint64_t);
            if (found.empty())
                add(Of::content_of_lost, Word{start_of(lost.front()) + kLastWord, sizeof(std::uint64_t)});
        }
    }

    spec::Violation const& violation_;
    spec::StepIndex at_;
    spec::ProcId process_;
    std::optional<VirtAddr> address_;
    bool overlaps_;  // the failing step is one of two at a time
    std::set<FrameNo> at_start_;
    Uses before_;
};

// Who writes to them, up to the step at which it is too late, and who reads them in the failing one.
class Accesses final : public run::Watcher {
  public:
    Accesses(std::vector<Watched> words, spec::StepIndex failing, bool outcome)
        : words_(std::move(words)), failing_(failing), steps_(failing.value + (outcome ? 0 : 1)) {}

    void before(spec::StepIndex at, Execution& execution) override {
        if (at.value != 0) return;
        for (Watched const& each : words_) execution.watch(each.word);
        uses_ = Uses::of(execution);
    }
    void after(spec::StepIndex at, Execution& execution) override {
        std::vector<WordAccesses> const seen = execution.take_accesses();
        Uses const before = std::exchange(uses_, Uses::of(execution));
        for (std::size_t i = 0; i < seen.size(); ++i) {
            Watched const& word = words_[i];
            if (word.of == Of::count_of_lost && seen[i].last_rise)
                last.rise = access(execution, *seen[i].last_rise, word, at);
            if (seen[i].first_read && at == failing_) last.read = access(execution, *seen[i].first_read, word, at);
            auto const& write = word.of == Of::entry_of_lost ? seen[i].first_write : seen[i].last_write;
            if (!write || at.value >= steps_ || !counts(word, at, before)) continue;
            // Where the entry is known by which a lost frame went, the rest is not asked for.
            if (last.write && last.write->of == Of::entry_of_lost && word.of != Of::entry_of_lost) continue;
            if (write->when < latest_ && word.of != Of::entry_of_lost) continue;
            latest_ = write->when;
            last.write = access(execution, *write, word, at);
        }
    }

    LastAccesses last;

  private:
    bool counts(Watched const& word, spec::StepIndex at, Uses const& before) const {
        switch (word.of) {
            case Of::entry: {
                // A table that is made is filled: that changes no entry of it.
                auto const is_mapped = [&](Uses const& uses) {
                    return uses.frame_of(*word.whose, word.page).has_value();
                };
                return is_mapped(before) || is_mapped(uses_);
            }
            case Of::entry_of_lost:
            case Of::table_of_lost:
                return at == failing_;
            default:
                return true;
        }
    }
    static LastAccess access(Execution& execution, Access const& seen, Watched const& word, spec::StepIndex at) {
        LastAccess access{word.of, at, {}, word.whose};
        for (VirtAddr code : seen.stack)
            for (CodePlace& place : execution.places_of(code)) access.stack.push_back(std::move(place));
        return access;
    }

    std::vector<Watched> words_;
    spec::StepIndex failing_;
    std::uint32_t steps_;
    Uses uses_;
    std::uint64_t latest_ = 0;
};

std::optional<VirtAddr> address_of(spec::Program const& program, run::Divergence const& divergence,
                                   run::Reference const& reference) {
    if (auto const& address = divergence.violations.front().address) return address;
    spec::Step const& step = program.steps.at(divergence.at.value);
    auto const use = spec::address_of(step.action);
    if (!use) return std::nullopt;
    auto const before = spec::walk(spec::World::initial(spec::setting_for(reference.setting, program)),
                                   std::span(program.steps).first(divergence.at.value), [](auto&&...) { return true; });
    if (before.world.find(step.actor) == nullptr) return std::nullopt;
    return before.world.resolve(step.actor, use->at);
}

}  // namespace

LastAccesses last_accesses(Execution& execution, run::Reference const& reference, spec::Program const& program,
                           run::Divergence const& divergence) {
    spec::Violation const& violation = divergence.violations.front();
    bool const outcome = spec::is_about_outcome(violation), judged = is_judged_wrongly(violation);
    // A step that does not end, or kills the kernel, seldom does so for what an entry says.
    if (outcome && violation.invariant != spec::Invariant::results && !judged) return {};
    auto const run = [&](run::Watcher& watcher) {
        run::Counts uncounted;
        run::run_program(execution, reference, program, {.close = false, .go_on = true, .watcher = &watcher},
                         uncounted);
    };
    Words words(divergence, violation.process.value_or(program.steps.at(divergence.at.value).actor),
                address_of(program, divergence, reference), program.steps.back().faults.meanwhile);
    run(words);
    if (words.found.empty()) return {};
    Accesses accesses(words.found, divergence.at, outcome);
    run(accesses);
    if (!judged) accesses.last.read.reset();
    return std::move(accesses.last);
}

}  // namespace vmcheck::session
