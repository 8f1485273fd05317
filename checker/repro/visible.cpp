#include "checker/repro/visible.h"

#include "checker/report/expect.h"
#include "checker/report/step_words.h"
#include "spec/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <variant>

namespace vmcheck::repro {

namespace {

using namespace report;  // the words
using Words = tl::expected<void, std::string>;
using spec::Anchor;

// Memory that is all zero when a program starts, in vmcheck's image and in any other.
bool starts_as_zero(spec::Address const& at) {
    return (at.anchor == Anchor::heap && at.offset >= 0) || at.anchor == Anchor::bss;
}

bool is_writable_memory(Anchor anchor) {
    return anchor == Anchor::heap || anchor == Anchor::bss || anchor == Anchor::data || anchor == Anchor::stack;
}

PageRow const* row_of(Finding const& finding, spec::ProcId id) {
    if (!finding.evidence.pages) return nullptr;
    auto const& rows = finding.evidence.pages->after;
    auto const found = std::ranges::find_if(rows, [&](PageRow const& row) { return row.process == id && row.mapped; });
    return found == rows.end() ? nullptr : &*found;
}

// Whether the kernel copies into memory what is not the same everywhere: files, descriptors, inode numbers.
bool copies_in(Finding const& finding) {
    return std::ranges::any_of(finding.program.steps, [](spec::Step const& step) {
        // An exit status, which wait copies, is the program's own.
        return spec::way_of(step.action) == spec::Way::copyout && !std::holds_alternative<spec::Wait>(step.action);
    });
}

bool reads_a_pipe(Finding const& finding) {
    return std::ranges::any_of(finding.program.steps, [](spec::Step const& step) {
        return std::holds_alternative<spec::PipeRead>(step.action);
    });
}

// The process that the violation is about, and the place.
class Scene {
  public:
    Scene(Finding const& finding, std::function<Turn()> const& last, Plan& plan)
        : finding_(finding),
          violation_(&finding.divergence.violations.front()),
          place_(finding.evidence.place),
          last_(last),
          plan_(plan) {}

    Words contents() {
        if (!located()) return cannot("it is about no place that a program can read");
        spec::Step const& step = finding_.program.steps.back();
        if (step.actor == who() && (writes_memory(step.action) || own_byte())) {
            if (auto const reading = own_condition()) {
                plan_.turns.push_back(last_());
                add(who(), code({Function::expect}, "expect({}, \"{} must read {} at {}\");", reading->condition,
                                name_of(who()), reading->what, place_words()));
                return complain(fmt::format("{} must still be able to read {}", name_of(who()), place_words()));
            }
            // What it did not write must be as it was, unless reading it beforehand were its first touch; or what
            // somebody else has, whom it has changed as well.
            bool const untouched = writes_memory(step.action) && place().anchor != Anchor::heap && !copied_at();
            if (!untouched && !turn_to_another())
                return cannot("the bytes that must be there are those of vmcheck's own image");
        }
        // Someone else's deed must leave the byte as it is. A child that is only just made has it from its parent.
        auto const* fork = std::get_if<spec::Fork>(&step.action);
        bool const new_child = fork && fork->child == who();
        add(new_child ? step.actor : who(), keep());
        plan_.turns.push_back(last_());
        add(who(), same_as_kept(who()));
        return complain(
            fmt::format("{} must not change or take away {}'s {}", in_words(step), name_of(who()), place_words()));
    }

    Words rights() {
        auto const* const wrong = std::get_if<spec::WrongRights>(&violation_->facts);
        PageRow const* const row = wrong && located() ? row_of(finding_, who()) : nullptr;
        if (row == nullptr) return cannot("it is about no page that a program can reach");
        plan_.turns.push_back(last_());
        spec::Rights const seen = row->page.rights;
        spec::Rights const wanted = wrong->expected.value_or(spec::Rights{});
        if (!wanted.user) return must_be_killed(statement(spec::Load{place(), 1}), "load from");
        if (seen.write && !wanted.write) return must_be_killed(statement(spec::Store{place(), 1, 1}), "store to");
        if (seen.execute && !wanted.execute) {
            if (!is_writable_memory(place().anchor)) return cannot("in xv6's programs constants may be executed");
            // 0x8082 is the instruction `ret`.
            Code const jump = statement(spec::Fetch{place()});
            return must_be_killed(joined({statement(spec::Store{place(), 2, 0x8082}), jump}, " "), "jump to");
        }
        if (!seen.execute && wanted.execute) {
            if (place().anchor != Anchor::text) return cannot("nothing but text is executed in a program");
            return must_survive({"text();", {Anchor::text}}, "call of");
        }
        return must_survive(statement(spec::Load{place(), 1}), "load from");
    }

    Words isolation() {
        auto const reader = sharer();
        if (!reader) return cannot("no other living process sees the page at the same address");
        if (!is_writable_memory(place().anchor)) return cannot("a program cannot store to that page");
        plan_.turns.push_back(last_());
        add(*reader, keep());
        add(who(), code({Access{true, 1}}, "store1({}, {} + 1);", repro_pointer(place(), 1), loaded()));
        add(*reader, same_as_kept(*reader));
        return complain(
            fmt::format("{}'s store to {} must not be seen by {}", name_of(who()), place_words(), name_of(*reader)));
    }

    // The count is too low: one of the sharers ends, its frames are given out again, and the other's bytes are gone.
    Words early_free() {
        auto const other = sharer();
        if (!other) return cannot("no second process maps the frame at the same address");
        // p0 cannot be the one that ends.
        auto const [stays, goes] = *other == spec::kInit ? std::pair(*other, who()) : std::pair(who(), *other);
        auto const parent = parent_of(goes);
        if (!parent) return cannot("it is not known who waits for the process that must end");
        plan_.turns.push_back(last_());
        add(stays, keep());
        plan_.turns.push_back({.actor = goes, .code = {"exit(0);"}, .ends = true});
        add(*parent, {"wait(0);"});
        add(stays, code({Function::grab}, "grab(); {}", same_as_kept(stays)));
        return complain(
            fmt::format("{}'s {} must still be there when {} has ended", name_of(stays), place_words(), name_of(goes)));
    }

    // The frame is free already, and in use: whoever asks for memory gets it.
    Words used_after_free() {
        if (!located()) return cannot("it is about no page that a program can read");
        plan_.turns.push_back(last_());
        add(who(), keep());
        add(who(), code({Function::grab}, "grab(); {}", same_as_kept(who())));
        return complain(
            fmt::format("{}'s {} must not be given out again while it is in use", name_of(who()), place_words()));
    }

    // The next sbrk tells where it is.
    Words wrong_break() {
        plan_.turns.push_back(last_());
        auto const& wrong = std::get<spec::WrongBreak>(violation_->facts);
        Code const condition = repro_condition({spec::Exactly{wrong.expected.value}}, finding_.evidence.heap_start);
        if (condition.text.empty()) return cannot("the break is not relative to the program's own");
        std::string const complaint = fmt::format("{}'s break must be where sbrk has moved it", name_of(who()));
        add(who(), code({Function::expect}, "long r = (long)sbrk(0); expect({}, \"{}\");", condition, complaint));
        return complain(complaint);
    }

    // Its parent waits for it, and must find it.
    Words lost_child() {
        auto const parent = violation_->process ? parent_of(*violation_->process) : std::nullopt;
        if (!parent) return cannot("it is not known whose child is lost");
        plan_.turns.push_back(last_());
        std::string const complaint = fmt::format("{} must be waited for", name_of(who()));
        add(*parent, code({Function::expect}, "expect(wait(0) > 0, \"{}\");", complaint));
        return complain(complaint);
    }

  private:
    bool located() const {
        return violation_->process && place_ && place_->anchor != Anchor::trapframe &&
               place_->anchor != Anchor::trampoline;
    }
    // Another living process that maps the same frame; nothing where there is none.
    std::optional<spec::ProcId> sharer() const {
        PageRow const* const own = located() ? row_of(finding_, who()) : nullptr;
        if (own == nullptr) return std::nullopt;
        for (PageRow const& row : finding_.evidence.pages->after)
            if (row.mapped && !row.zombie && row.process != who() && row.page.frame == own->page.frame)
                return row.process;
        return std::nullopt;
    }
    spec::ProcId who() const { return *violation_->process; }
    spec::Address const& place() const { return *place_; }
    // A load of the byte at the place.
    Code loaded() const { return repro_expression(spec::Load{place(), 1}); }
    std::string place_words() const { return spec::print(place()); }

    Code keep() const { return code({Variable::kept}, "kept = {};", loaded()); }
    Code same_as_kept(spec::ProcId reader) const {
        return code({Function::expect, Variable::kept}, "expect({} == kept, \"{}'s {} must be unchanged\");", loaded(),
                    name_of(reader), place_words());
    }
    void add(spec::ProcId actor, Code code) { plan_.turns.push_back({.actor = actor, .code = std::move(code)}); }
    Words complain(std::string text) {
        plan_.complaint = std::move(text);
        return {};
    }

    static Code statement(spec::Action const& action) { return code({}, "{};", repro_expression(action)); }
    Words must_be_killed(Code code, std::string_view deed) {
        plan_.turns.push_back({.actor = who(), .code = std::move(code), .ends = true, .exit_status = -1});
        return complain(fmt::format("{}'s {} {} must kill it", name_of(who()), deed, place_words()));
    }
    Words must_survive(Code code, std::string_view deed) {
        add(who(), std::move(code));
        return complain(fmt::format("{} must survive its {} {}", name_of(who()), deed, place_words()));
    }

    static bool writes_memory(spec::Action const& action) {
        auto const use = access_of(action);
        return (use && use->access == spec::Access::write) || spec::way_of(action) == spec::Way::sbrk;
    }

    std::optional<unsigned> expected_byte() const {
        auto const* wrong = std::get_if<spec::WrongByte>(&violation_->facts);
        return wrong ? std::optional(std::to_integer<unsigned>(wrong->expected)) : std::nullopt;
    }

    // The byte that must be there, where it is the same in every program.
    std::optional<unsigned> own_byte() const {
        auto const expected = expected_byte();
        if (!expected || !starts_as_zero(place())) return std::nullopt;
        unsigned const byte = *expected;
        if (byte != 0 && copies_in(finding_)) return std::nullopt;
        // A byte that is zero there is zero here: in vmcheck's file none is, and inode numbers, sizes and descriptors
        // are as small here. But what comes through a pipe was any memory's.
        if (byte == 0 && reads_a_pipe(finding_)) return std::nullopt;
        return byte;
    }

    // What a process must read at the place: as a condition in C, and in words.
    struct Reading {
        Code condition;
        std::string what;
    };
    Reading reads(Code const& value) const { return {code({}, "{} == {}", loaded(), value), value.text}; }

    // Where in the bytes that the last step copies the place is; nothing where it is elsewhere.
    std::optional<std::size_t> copied_at() const {
        auto const access = access_of(finding_.program.steps.back().action);
        if (!access || access->at.anchor != place().anchor) return std::nullopt;
        std::int64_t const offset = place().offset - access->at.offset;
        if (offset < 0 || static_cast<std::uint64_t>(offset) >= access->bytes) return std::nullopt;
        return static_cast<std::size_t>(offset);
    }

    // What the last step must have copied to the place, as a condition in C; nothing where that is not the same in
    // every program, or it may have failed.
    std::optional<Reading> copied_condition() const {
        auto const offset = copied_at();
        if (!offset || may_fail(finding_.records.back().expected)) return std::nullopt;
        spec::Action const& action = finding_.program.steps.back().action;
        // struct stat of xv6 (kernel/stat.h): the root device, the inode's number, T_FILE, one link, the file's size.
        constexpr int kUnknown = -1;
        constexpr std::array<int, spec::kStatBytes> kStat{1,    0,    0, 0, kUnknown, kUnknown, kUnknown, kUnknown,
                                                          2,    0,    1, 0, kUnknown, kUnknown, kUnknown, kUnknown,
                                                          0x70, 0x17, 0, 0, 0,        0,        0,        0};
        if (std::holds_alternative<spec::Fstat>(action) && kStat.at(*offset) != kUnknown)
            return reads(code({}, "{}", kStat.at(*offset)));
        // Descriptors follow those of the console.
        if (std::holds_alternative<spec::Pipe>(action))
            return *offset % 4 == 0 ? Reading{code({}, "{0} > 2 && {0} < 16", loaded()), "a descriptor"} : reads({"0"});
        // The file begins as the data does.
        if (std::holds_alternative<spec::FileRead>(action) && place().anchor != Anchor::data &&
            place().anchor != Anchor::rodata)
            return reads(code({Anchor::rodata}, "rodata[{}]", *offset % kPageBytes));
        if (std::holds_alternative<spec::Wait>(action) || std::holds_alternative<spec::Store>(action))
            if (auto const byte = expected_byte()) return reads(code({}, "{}", *byte));
        return std::nullopt;
    }

    // What the process must read at the place after its own step.
    std::optional<Reading> own_condition() {
        auto const byte = own_byte();
        if (!byte) return copied_condition();
        if (*byte == 0) leave_garbage(plan_);
        return reads(code({}, "{}", *byte));
    }

    // Goes on with what the step did to the memory of a process that did nothing; false where it did nothing to any.
    bool turn_to_another() {
        for (spec::Violation const& other : finding_.divergence.violations) {
            bool const fits = other.invariant == violation_->invariant && other.process && other.address &&
                              *other.process != finding_.program.steps.back().actor;
            if (!fits || !violation_->address || other.address->page() != violation_->address->page()) continue;
            place_->offset += static_cast<std::int64_t>(other.address->value - violation_->address->value);
            violation_ = &other;
            return true;
        }
        return false;
    }

    std::optional<spec::ProcId> parent_of(spec::ProcId child) const {
        for (spec::Step const& step : finding_.program.steps)
            if (auto const* fork = std::get_if<spec::Fork>(&step.action); fork && fork->child == child)
                return step.actor;
        return std::nullopt;
    }

    Finding const& finding_;
    spec::Violation const* violation_;
    std::optional<spec::Address> place_;
    std::function<Turn()> const& last_;
    Plan& plan_;
};

}  // namespace

void leave_garbage(Plan& plan) {
    Code const garbage{"if (fork() == 0) { grab(); exit(0); } wait(0);", {Function::grab}};
    plan.turns.insert(plan.turns.begin(), {.actor = spec::kInit, .code = garbage});
}

bool value_is_known(Finding const& finding) {
    spec::Step const& last = finding.program.steps.back();
    auto const* load = std::get_if<spec::Load>(&last.action);
    auto const* touch = std::get_if<spec::Touch>(&last.action);
    spec::Address const at = load ? load->at : touch ? touch->at : spec::Address{};
    if (starts_as_zero(at) && !copies_in(finding)) return true;
    // Or the bytes were stored by a step of just this place and size.
    return load != nullptr && std::ranges::any_of(finding.program.steps, [&](spec::Step const& step) {
               auto const* store = std::get_if<spec::Store>(&step.action);
               return store && store->at == load->at && store->size == load->size;
           });
}

Words make_visible(Finding const& finding, std::function<Turn()> const& last, Plan& plan) {
    Scene scene(finding, last, plan);
    switch (finding.signature.invariant) {
        case spec::Invariant::contents:
            return scene.contents();
        case spec::Invariant::rights:
            return scene.rights();
        case spec::Invariant::isolation:
            return scene.isolation();
        case spec::Invariant::counts:
            return scene.early_free();
        case spec::Invariant::dangling:
            return scene.used_after_free();
        case spec::Invariant::results:
            return std::holds_alternative<spec::WrongBreak>(finding.divergence.violations.front().facts)
                       ? scene.wrong_break()
                       : scene.lost_child();
        case spec::Invariant::laziness:
            return cannot("the values are right; only more memory is used than was promised");
        default:
            return cannot("a program cannot see it");
    }
}

}  // namespace vmcheck::repro
