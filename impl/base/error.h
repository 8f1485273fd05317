#pragma once
// Why something could not be done. The one error type of the project: modules have one of their own only where a caller
// acts on more than this.

#include <string>

namespace vmcheck::base {

struct Error {
    // What a caller may act on.
    enum class Kind {
        other,
        no_such_file,
        is_directory,
        interrupted,  // the user asked for a stop
        machine,      // this machine is at fault (a full disk, a missing tool), and not what was to be checked
    };
    std::string message;  // for a person: a full sentence that names what it is about
    Kind kind = Kind::other;
};

// Of errors that keep apart what they are about (a file, a place in it) and what is wrong with it: the two in one
// sentence, "kernel/kernel: is empty."
inline std::string sentence(std::string const& about, std::string const& message) {
    return about.empty() ? message : about + ": " + message;
}

}  // namespace vmcheck::base
