// Every target, over what is known to have been wrong once (known/) and over a few thousand mutations of its seeds,
// which are the same in every run.

#include "checker/fuzz/fuzz.h"

#include <gtest/gtest.h>

#include <ostream>
#include <random>

namespace vmcheck::fuzz {

void PrintTo(Target const& target, std::ostream* out) {
    *out << target.name;
}

namespace {

// One to four changes: bytes set, left out, repeated, or taken from another seed.
std::string mutated(std::string input, std::string const& other, std::mt19937& random) {
    auto const below = [&random](std::size_t end) { return end == 0 ? 0 : random() % end; };
    constexpr std::size_t kLongest = 64;
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
        std::size_t const at = below(input.size() + 1);
        std::size_t const length = 1 + below(kLongest);
        switch (below(5)) {
            case 0:
                if (at < input.size()) input[at] = static_cast<char>(random());
                break;
            case 1:
                if (at < input.size()) input[at] = std::array{'\0', '\x01', '\x7f', '\x80', '\xff'}[below(5)];
                break;
            case 2:
                input.erase(at, below(8) == 0 ? std::string::npos : length);
                break;
            case 3:
                input.insert(at, input.substr(below(input.size() + 1), length));
                break;
            default:
                input.replace(at, length, other.substr(below(other.size() + 1), length));
        }
    }
    return input;
}

class Fuzz : public testing::TestWithParam<Target> {
  protected:
    static void take(std::string const& input, std::string const& what) {
        SCOPED_TRACE(what);
        try {
            GetParam().take(input);
        } catch (std::exception const& error) {
            ADD_FAILURE() << error.what();
        }
    }
};

TEST_P(Fuzz, HoldsForWhatWasWrongOnceAndForMutationsOfItsSeeds) {
    int number = 0;
    for (std::string const& input : files(std::filesystem::path(VMCHECK_FUZZ_KNOWN) / GetParam().name))
        take(input, "known input " + std::to_string(++number));
    std::vector<std::string> const seeds = GetParam().seeds();
    ASSERT_FALSE(seeds.empty());
    for (std::string const& seed : seeds) take(seed, "a seed");
    std::mt19937 random(1);
    for (int i = 0; i < 3'000 && !HasFailure(); ++i)
        take(mutated(seeds[random() % seeds.size()], seeds[random() % seeds.size()], random),
             "mutation " + std::to_string(i));
}

INSTANTIATE_TEST_SUITE_P(Of, Fuzz, testing::ValuesIn(kTargets),
                         [](auto const& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace vmcheck::fuzz
