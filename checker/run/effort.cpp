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
            break;
    }
    return "preemption";
}

}  // namespace vmcheck::run
