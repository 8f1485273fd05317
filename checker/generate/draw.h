#pragma once
// A generator written as a function that draws from other generators, as rc::gen::exec has it:
//
//     rc::Gen<Step> const steps = drawn([](Draw& draw) { return Step{draw(actors), draw(actions)}; });
//
// What is drawn has no shrinks of its own: a program shrinks as a whole (checker/shrink/candidates.h). So nothing needs
// to be kept of how it came about, which is most of what rc::gen::exec costs.

#include <rapidcheck.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace vmcheck::generate {

class Draw {
  public:
    explicit Draw(rc::Random random) : random_(random) {}

    // The next value; depends on the state at the start and on how many were drawn before alone. The size of
    // RapidCheck's properties does not matter to it: what is rare has to be as rare in short programs.
    template <class T>
    T operator()(rc::Gen<T> const& generator) {
        return generator(random_.split(), rc::kNominalSize).value();
    }

  private:
    rc::Random random_;
};

template <class Make>
auto drawn(Make make) {
    using T = std::invoke_result_t<Make const&, Draw&>;
    return rc::Gen<T>([make = std::move(make)](rc::Random const& random, int) {
        Draw draw(random);
        return rc::shrinkable::just(make(draw));
    });
}

// One of several generators, by weight: rc::gen::weightedOneOf, again without keeping what would be shrunk.
template <class T>
rc::Gen<T> weighted(std::vector<std::pair<std::size_t, rc::Gen<T>>> const& choices) {
    std::vector<std::size_t> tickets;
    std::vector<rc::Gen<T>> generators;
    for (auto const& [weight, generator] : choices) {
        tickets.insert(tickets.end(), weight, generators.size());
        generators.push_back(generator);
    }
    return drawn([ticket = rc::gen::elementOf(std::move(tickets)), generators = std::move(generators)](Draw& draw) {
        return draw(generators[draw(ticket)]);
    });
}

// Uniform in [low, high]. REQUIRES: low <= high.
inline rc::Gen<std::int64_t> between(std::int64_t low, std::int64_t high) {
    return rc::gen::inRange(low, high + 1);
}
template <class T>
rc::Gen<T> below(T count) {
    return rc::gen::inRange(T{0}, count);
}
// One of these, which must not be empty.
template <class T>
rc::Gen<T> one_of(std::vector<T> const& choices) {
    return rc::gen::elementOf(choices);
}
// True `parts` times in `whole`.
inline rc::Gen<bool> chance(std::uint32_t parts, std::uint32_t whole) {
    return [=](rc::Random random, int) { return rc::shrinkable::just(random.next() % whole < parts); };
}

}  // namespace vmcheck::generate
