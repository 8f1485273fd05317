#pragma once
// A line as a tree. Everything lies in fixed tables: a line that does not fit is refused, never cut.
//
//     list     = pipeline { (";" | "&") [pipeline] }
//     pipeline = command { "|" command }
//     command  = ( word { word } | "(" list ")" ) { ("<" | ">" | ">>") word }
//
// A word is what stands between blanks and the characters above, or between two quotes (' or ").

namespace user::sh {

inline constexpr int kLineBytesMax = 512;
inline constexpr int kNodesMax = 64;
inline constexpr int kWordsMax = 30;
inline constexpr int kRedirectionsMax = 4;

enum class Kind { command, group, pipe, list, background };

struct Redirection {
    char const* path;
    char kind;  // '<', '>', or '+' for ">>"
};

struct Node {
    Kind kind = Kind::command;
    Node* left = nullptr;   // pipe, list, background; group: what is in it
    Node* right = nullptr;  // pipe, list; may be null in a list
    char const* words[kWordsMax + 1] = {};
    int word_count = 0;
    Redirection redirections[kRedirectionsMax] = {};
    int redirection_count = 0;
};

// The tree of a line; null where there is nothing in it. `error` is what is wrong with it, or null. Both are good until
// the next call.
struct Parsed {
    Node* root = nullptr;
    char const* error = nullptr;
};
Parsed parse(char const* line);

}  // namespace user::sh
