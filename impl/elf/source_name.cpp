// Turns a symbol into the name that a reader of the source would use.

#include "impl/elf/kernel_image.h"

#include <cxxabi.h>

#include <cctype>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace vmcheck::elf {
namespace {

// Longer names are shown as they are: a short mangled name may stand for a text that is exponentially longer, and
// no name that people wrote comes near.
constexpr std::size_t kMangledBytesMax = 1024;

constexpr std::string_view kAnonymous = "(anonymous namespace)";

struct FreeText {
    void operator()(char* text) const { std::free(text); }
};

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}

// The length of "operator" with its punctuation at `at`, as in "operator<<" or "operator()"; 0 where there is none.
// Its brackets must not count as brackets.
std::size_t operator_token(std::string_view text, std::size_t at) {
    constexpr std::string_view kWord = "operator";
    if (text.substr(at, kWord.size()) != kWord || (at > 0 && is_word(text[at - 1]))) return 0;
    std::size_t end = at + kWord.size();
    if (end >= text.size() || is_word(text[end])) return 0;
    if (text.substr(end, 2) == "()" || text.substr(end, 2) == "[]") return end + 2 - at;
    while (end < text.size() && std::string_view("<>=!+-*/%&|^~,").find(text[end]) != std::string_view::npos) ++end;
    return end - at;
}

// Where the parts of a demangled name are.
struct Shape {
    std::size_t name_start = 0;                             // after the return type, which template functions have
    std::size_t parameters_start = std::string_view::npos;  // the '(' of the parameter list
};

Shape shape_of(std::string_view text) {
    Shape shape;
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (std::size_t const token = operator_token(text, i); token > 0) {
            // A conversion operator's type follows after a blank, which is no end of a return type: the name is found.
            i += token - 1;
            if (depth == 0 && i + 1 < text.size() && text[i + 1] == ' ') {
                shape.parameters_start = text.find('(', i);
                return shape;
            }
            continue;
        }
        char const c = text[i];
        if (depth == 0 && text.substr(i, kAnonymous.size()) == kAnonymous) {
            i += kAnonymous.size() - 1;
        } else if (c == '(' || c == '<' || c == '[' || c == '{') {
            if (depth == 0 && c == '[') return shape;  // " [clone .isra.0]"
            if (depth == 0 && c == '(') {
                // Of several, the last is the parameter list: "outer(int)::inner(char)".
                shape.parameters_start = i;
            }
            ++depth;
        } else if (c == ')' || c == '>' || c == ']' || c == '}') {
            --depth;
        } else if (c == ' ' && depth == 0 && shape.parameters_start == std::string_view::npos) {
            shape.name_start = i + 1;
        }
    }
    return shape;
}

}  // namespace

std::string source_name(std::string_view symbol) {
    if (symbol.substr(0, 2) != "_Z" || symbol.size() > kMangledBytesMax) return std::string(symbol);
    std::string const mangled(symbol.substr(0, symbol.find('.')));  // ".isra.0", ".cold" and the like say nothing
    int status = 0;
    std::unique_ptr<char, FreeText> const text(abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status));
    if (status != 0 || !text) return std::string(symbol);
    std::string_view const full(text.get());
    Shape const shape = shape_of(full);
    std::string_view const name = full.substr(0, shape.parameters_start).substr(shape.name_start);
    return name.empty() ? std::string(symbol) : std::string(name);
}

}  // namespace vmcheck::elf
