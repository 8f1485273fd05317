#include "checker/session/free_arguments.h"

#include "checker/run/result.h"
#include "checker/run/runner.h"
#include "checker/shrink/candidates.h"
#include "spec/step_kinds.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace vmcheck::session {

namespace {

using Of = FreeArgument::Of;
using Values = std::vector<std::int64_t>;

// With up to four values each, 64 programs are run.
constexpr std::size_t kArgumentsMax = 16;
// Of one other value, little is known.
constexpr std::uint32_t kTriedMin = 2;
// A program that asks for more memory takes too long for what is learnt.
constexpr std::int64_t kBytesMax = std::int64_t{1} << 20;

// An argument of a step, and what the step is with other values of it.
struct Variation {
    FreeArgument argument;
    std::optional<std::int64_t> page{};  // of an address: where its page begins, in which all others are
    std::vector<std::pair<std::int64_t, spec::Action>> others{};
};

class Variations {
  public:
    std::vector<Variation> of(spec::Program const& program) {
        for (spec::Step const& step : program.steps) {
            std::visit(
                [this]<class Kind>(Kind const& kind) {
                    spec::for_each_field<Kind>([&](auto const& field) { vary(kind, field); });
                },
                step.action);
            ++at_.value;
        }
        return std::move(all_);
    }

  private:
    // `member`: of a step of that kind, a reference to the number.
    template <class Kind, class Member>
    void add(Kind const& kind, Of of, Member member, Values values) {
        std::vector<std::pair<std::int64_t, spec::Action>> others;
        std::ranges::sort(values);
        values.erase(std::unique(values.begin(), values.end()), values.end());
        for (std::int64_t value : values) {
            Kind other = kind;
            member(other) = static_cast<std::remove_reference_t<decltype(member(other))>>(value);
            if (other != kind) others.emplace_back(value, other);
        }
        Kind itself = kind;
        auto const value = static_cast<std::int64_t>(member(itself));
        all_.push_back({{at_, of, value, value}, {}, std::move(others)});
    }

    // Within its page, of which the place is known where the region begins with one. Not where it goes on into the next
    // page: that may be what it is about.
    template <class Kind, class Member>
    void add_address(Kind const& kind, Member member, std::uint64_t bytes) {
        spec::Address const& at = member(kind);
        auto const length = static_cast<std::int64_t>(bytes);
        if (at.anchor == spec::Anchor::brk || at.anchor == spec::Anchor::absolute || length > kPage) return;
        if (at.offset > std::numeric_limits<std::int64_t>::max() - kPage) return;
        std::int64_t const page = at.offset & -kPage, last = page + kPage - length;
        if (at.offset > last) return;
        Values values{page, last & -8};
        for (std::int64_t each : {page + 16, page + 0x7f8})
            if (each < last) values.push_back(each);
        add(
            kind, Of::address, [member](auto& other) -> std::int64_t& { return member(other).offset; }, values);
        all_.back().page = page;
    }

    template <class Kind>
    void vary(Kind const& kind, spec::Place<Kind> const& place) {
        add_address(
            kind, [place](auto& other) -> auto& { return other.*(place.member); }, place.bytes(kind));
    }
    template <class Kind>
    void vary(Kind const& kind, spec::OptionalPlace<Kind> const& place) {
        if (kind.*(place.member))
            add_address(
                kind, [place](auto& other) -> auto& { return *(other.*(place.member)); }, place.bytes(kind));
    }
    template <class Kind>
    void vary(Kind const& kind, spec::StoredValue<Kind> const& value) {
        std::uint64_t const most = std::numeric_limits<std::uint64_t>::max() >> (64U - 8U * kind.size);
        add(kind, Of::value, [value](Kind & other) -> auto& { return other.*(value.member); },
            {0, 1, 0x7f, static_cast<std::int64_t>(most)});
    }
    template <class Kind>
    void vary(Kind const& kind, spec::ByteCount<Kind> const& count) {
        // A pipe has room for 512.
        add(kind, Of::length, [count](Kind & other) -> auto& { return other.*(count.member); }, {1, 8, 100, 500});
    }
    template <class Kind>
    void vary(Kind const& kind, spec::BreakAmount<Kind> const& amount) {
        if (kind.*(amount.member) > 0)
            add(kind, Of::amount, [amount](Kind & other) -> auto& { return other.*(amount.member); },
                {1, kPage, 3 * kPage, 16 * kPage});
    }
    template <class Kind>
    void vary(Kind const& kind, spec::ExitStatus<Kind> const& status) {
        add(kind, Of::status, [status](Kind & other) -> auto& { return other.*(status.member); }, {0, 1, 42, -1});
    }
    template <class Kind, class Other>
    void vary(Kind const&, Other const&) {}

    spec::StepIndex at_{};
    std::vector<Variation> all_;
};

// Whether what it becomes with another value fails as it does; nothing where it cannot be asked.
std::optional<bool> fails_alike(Execution& machine, run::Reference const& reference, spec::Program const& program,
                                run::Run const& failing) {
    if (!shrink::can_be_asked(reference.setting, program)) return std::nullopt;
    run::Counts uncounted;
    run::Run run = run::run_program(machine, reference, program, {.close = false, .go_on = true}, uncounted);
    if (run.cannot_start || run.engine_failed) return std::nullopt;
    run::Family const family = run::family_of(failing);
    return std::ranges::any_of(run::endings(std::move(run)), [&](run::Run const& each) {
        run::Family const other = run::family_of(each);
        return each.divergence->at == failing.divergence->at &&
               each.divergence->signature == failing.divergence->signature &&
               (run::explains(other, family) || run::explains(family, other));
    });
}

}  // namespace

std::vector<FreeArgument> free_arguments(run::MachinePool& pool, run::Reference const& reference,
                                         run::Run const& failing) {
    std::int64_t bytes = 0;
    for (spec::Step const& step : failing.program.steps)
        if (auto const* sbrk = std::get_if<spec::Sbrk>(&step.action)) bytes = std::max(bytes, sbrk->bytes);
    if (bytes > kBytesMax) return {};
    std::vector<Variation> variations = Variations().of(failing.program);
    if (variations.size() > kArgumentsMax) variations.resize(kArgumentsMax);
    pool.for_each(variations.size(), [&](Execution& machine, std::size_t i) {
        FreeArgument& argument = variations[i].argument;
        spec::Program program = failing.program;
        for (auto const& [value, action] : variations[i].others) {
            program.steps[argument.at.value].action = action;
            auto const fails = fails_alike(machine, reference, program, failing);
            if (fails && !*fails) {
                argument.tried = 0;
                return;
            }
            if (!fails) continue;
            ++argument.tried;
            argument.least = std::min(argument.least, value);
            argument.greatest = std::max(argument.greatest, value);
        }
        if (auto const page = variations[i].page) {
            argument.least = *page;
            argument.greatest = *page + kPage - 1;
        }
    });
    std::vector<FreeArgument> found;
    for (Variation const& each : variations)
        if (each.argument.tried >= kTriedMin) found.push_back(each.argument);
    return found;
}

}  // namespace vmcheck::session
