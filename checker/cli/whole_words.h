#pragma once
// Words of the command line that the library must take as they are: of what may be given several times it takes "[a,b]"
// for a list of a and b, but a directory, or an argument of a program, may be called so.

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace vmcheck::cli {

// The words behind the program's name, in the order that CLI::App::parse() takes them in: the last first. Those that
// would be taken for a list are marked.
std::vector<std::string> marked_words(int argc, char const* const* argv);
// Has the values of the command's options come without the mark, before anything else looks at them.
void take_marks_off(CLI::App& command);

}  // namespace vmcheck::cli
