#include "spec/testing/arbitrary_program.h"

#include "spec/address.h"

#include <limits>

namespace vmcheck::spec::testing {

namespace {

using rc::gen::arbitrary;
using rc::gen::element;
using rc::gen::map;

rc::Gen<std::int64_t> offset() {
    return rc::gen::oneOf(arbitrary<std::int64_t>(), rc::gen::inRange<std::int64_t>(-64, 64),
                          map(rc::gen::inRange<std::int64_t>(-8, 8), [](std::int64_t pages) { return pages * kPage; }),
                          element(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()));
}

rc::Gen<ProcId> process() {
    return map(rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0, 8), arbitrary<std::uint32_t>()),
               [](std::uint32_t value) { return ProcId{value}; });
}

rc::Gen<std::uint8_t> size() {
    return element<std::uint8_t>(1, 2, 4, 8);
}

template <class Kind, class... Parts>
rc::Gen<Action> action_of(rc::Gen<Parts>... parts) {
    return map(rc::gen::tuple(std::move(parts)...), [](std::tuple<Parts...> const& values) {
        return std::apply([](Parts const&... each) { return Action{Kind{each...}}; }, values);
    });
}

rc::Gen<std::optional<std::uint32_t>> maybe(std::uint32_t least) {
    return map(rc::gen::pair(rc::gen::inRange(0, 4), arbitrary<std::uint32_t>()), [least](auto const& drawn) {
        return drawn.first != 0 ? std::nullopt : std::optional{std::max(least, drawn.second)};
    });
}

rc::Gen<Faults> faults() {
    return map(rc::gen::tuple(maybe(1), maybe(0), rc::gen::arbitrary<bool>(), maybe(0)), [](auto const& drawn) {
        return Faults{std::get<0>(drawn), std::get<1>(drawn), std::get<2>(drawn), std::get<3>(drawn)};
    });
}

rc::Gen<Step> step() {
    return map(rc::gen::tuple(process(), arbitrary_action(), faults()), [](auto const& drawn) {
        return Step{std::get<0>(drawn), std::get<1>(drawn), std::get<2>(drawn)};
    });
}

// Printable, and with the characters that mean something in the grammar.
rc::Gen<std::string> about() {
    return rc::gen::container<std::string>(
        rc::gen::oneOf(rc::gen::inRange<char>(' ', '~'), element('\n', '#', ' ', '\t')));
}

}  // namespace

rc::Gen<Profile> any_profile() {
    return map(rc::gen::inRange<std::size_t>(0, kAllProfiles.size()), [](std::size_t i) { return kAllProfiles[i]; });
}

rc::Gen<Address> arbitrary_address() {
    auto const anchors = static_cast<int>(Anchor::kernel) + 1;
    return map(rc::gen::pair(rc::gen::inRange(0, anchors), offset()), [](auto const& drawn) {
        return Address{static_cast<Anchor>(drawn.first), drawn.second};
    });
}

rc::Gen<Action> arbitrary_action() {
    auto const address = arbitrary_address();
    auto const count = arbitrary<std::uint32_t>();
    auto const status = map(rc::gen::pair(arbitrary<bool>(), address),
                            [](auto const& drawn) { return drawn.first ? std::optional{drawn.second} : std::nullopt; });
    return rc::gen::oneOf(action_of<Fork>(process()), action_of<Exit>(arbitrary<std::int32_t>()),
                          action_of<Wait>(status), action_of<Kill>(process()),
                          action_of<Sbrk>(offset(), element(SbrkMode::by_profile, SbrkMode::eager, SbrkMode::lazy)),
                          action_of<Load>(address, size()),
                          action_of<Store>(address, size(), arbitrary<std::uint64_t>()),
                          action_of<Touch>(address, count), action_of<PipeWrite>(address, count),
                          action_of<PipeRead>(address, count), action_of<FileRead>(address, count),
                          action_of<Fstat>(address), action_of<Pipe>(address), action_of<Open>(address),
                          action_of<Exec>(element(Executable::init, Executable::large, Executable::broken), status),
                          action_of<SetSp>(address), action_of<Fetch>(address), rc::gen::just(Action{Yield{}}));
}

rc::Gen<Program> arbitrary_program() {
    auto const profile = map(rc::gen::pair(arbitrary<bool>(), arbitrary<bool>()), [](auto const& drawn) {
        return Profile{drawn.first ? ForkPolicy::cow : ForkPolicy::eager,
                       drawn.second ? SbrkPolicy::lazy : SbrkPolicy::eager};
    });
    auto const memory = rc::gen::maybe(arbitrary<std::uint32_t>());
    auto const harts = rc::gen::maybe(rc::gen::inRange(2U, kHartsMax + 1));
    return map(rc::gen::tuple(profile, rc::gen::container<std::vector<Step>>(step()), about(), memory, harts),
               [](auto const& drawn) {
                   auto const& frames = std::get<3>(drawn);
                   auto const& number = std::get<4>(drawn);
                   return Program{std::get<0>(drawn), std::get<1>(drawn), std::get<2>(drawn),
                                  frames ? std::optional<std::uint32_t>{*frames} : std::nullopt,
                                  number ? std::optional<std::uint32_t>{*number} : std::nullopt};
               });
}

}  // namespace vmcheck::spec::testing
