#pragma once
// Why something about a class could not be done: a full sentence for a person.

#include <string>

namespace vmcheck::classes {

struct Problem {
    std::string message;
};

}  // namespace vmcheck::classes
