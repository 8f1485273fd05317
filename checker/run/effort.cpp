#include "checker/run/effort.h"

namespace vmcheck::run {

std::string_view to_string(Mode mode) {
    switch (mode) {
        case Mode::plain:
            return "plain";
        case Mode::sweep:
            return "allocation faults";
        case Mode::pressure:
            return "memory pressure";
        case Mode::preempt:
            return "preemption";
        case Mode::harts:
            return "several harts";
        case Mode::limits:
            break;
    }
    return "limits";
}

std::optional<Level> parse_level(std::string_view name) {
    if (name == "quick") return Level::quick;
    if (name == "default") return Level::normal;
    if (name == "thorough") return Level::thorough;
    return std::nullopt;
}

std::uint64_t programs_of(Level level) {
    switch (level) {
        case Level::quick:
            return 1'500;
        case Level::normal:
            return 3'000;
        case Level::thorough:
            break;
    }
    return 100'000;
}

}  // namespace vmcheck::run
