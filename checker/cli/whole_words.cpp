#include "checker/cli/whole_words.h"

#include <algorithm>
#include <cstddef>

namespace vmcheck::cli {

namespace {

// Nobody types it.
constexpr char kMark = '\x01';

}  // namespace

std::vector<std::string> marked_words(int argc, char const* const* argv) {
    std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    for (std::string& word : words) {
        // "[a]", "--option=[a]"
        std::size_t const begin = word.starts_with("--") ? word.find('=') + 1 : 0;
        if (begin < word.size() && word[begin] == '[' && word.back() == ']') word.insert(begin, 1, kMark);
    }
    std::ranges::reverse(words);
    return words;
}

void take_marks_off(CLI::App& command) {
    for (CLI::Option* option : command.get_options())
        if (option->get_items_expected_max() > 0)
            option->transform([](std::string const& value) {
                return value.size() > 1 && value[0] == kMark && value[1] == '[' ? value.substr(1) : value;
            });
}

}  // namespace vmcheck::cli
