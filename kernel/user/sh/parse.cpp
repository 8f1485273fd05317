#include "user/sh/parse.h"

namespace user::sh {
namespace {

Node nodes[kNodesMax];
char text[2 * kLineBytesMax];  // of the words, each closed by a zero

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_special(char c) {
    return c == '|' || c == '<' || c == '>' || c == '&' || c == ';' || c == '(' || c == ')';
}

class Parser {
  public:
    explicit Parser(char const* line) : at_(line) {}

    Parsed parse() {
        Node* const root = list();
        if (error_ == nullptr && next() != 0) error_ = "a ( or ) where none can be";
        return {error_ == nullptr ? root : nullptr, error_};
    }

  private:
    // The next character that is not blank; it stays.
    char next() {
        while (is_blank(*at_)) at_++;
        return *at_;
    }
    bool take(char wanted) {
        if (next() != wanted) return false;
        at_++;
        return true;
    }

    Node* node(Kind kind, Node* left = nullptr, Node* right = nullptr) {
        if (used_ == kNodesMax) {
            error_ = "too long a line";
            return nullptr;
        }
        Node& fresh = nodes[used_++];
        fresh = Node{};
        fresh.kind = kind;
        fresh.left = left;
        fresh.right = right;
        return &fresh;
    }

    bool list_ends() {
        char const c = next();
        return c == 0 || c == ')';
    }

    Node* list() {
        if (list_ends()) return nullptr;
        Node* left = pipeline();
        if (error_ != nullptr) return nullptr;
        bool const in_background = take('&');
        if (in_background) left = node(Kind::background, left);
        if (!in_background && !take(';')) return left;
        Node* const right = list();
        return error_ != nullptr ? nullptr : right == nullptr ? left : node(Kind::list, left, right);
    }

    Node* pipeline() {
        Node* const left = command();
        if (error_ != nullptr || !take('|')) return left;
        Node* const right = pipeline();
        return error_ != nullptr ? nullptr : node(Kind::pipe, left, right);
    }

    Node* command() {
        bool const grouped = take('(');
        Node* const result = node(grouped ? Kind::group : Kind::command);
        if (result == nullptr) return nullptr;
        if (grouped) {
            result->left = list();
            if (error_ == nullptr && !take(')')) error_ = "a ( without its )";
        }
        while (error_ == nullptr) {
            char const c = next();
            if (c == '<' || c == '>')
                redirection(*result);
            else if (c == 0 || is_special(c) || grouped)
                break;
            else
                add_word(*result);
        }
        bool const empty = grouped ? result->left == nullptr : result->word_count == 0;
        if (error_ == nullptr && empty) error_ = "a command is missing";
        return result;
    }

    void redirection(Node& command) {
        char kind = *at_++;
        if (kind == '>' && *at_ == '>') {
            at_++;
            kind = '+';
        }
        char const c = next();
        if (c == 0 || is_special(c))
            error_ = "a file's name is missing";
        else if (command.redirection_count == kRedirectionsMax)
            error_ = "too many redirections";
        else
            command.redirections[command.redirection_count++] = {word(), kind};
    }

    void add_word(Node& command) {
        if (command.word_count == kWordsMax)
            error_ = "too many words";
        else
            command.words[command.word_count++] = word();
    }

    char const* word() {
        char* const start = text + text_used_;
        while (*at_ != 0 && !is_blank(*at_) && !is_special(*at_)) {
            char const quote = *at_;
            if (quote != '\'' && quote != '"') {
                put(*at_++);
                continue;
            }
            for (at_++; *at_ != quote && *at_ != 0;) put(*at_++);
            if (*at_ == 0)
                error_ = "a quote is not closed";
            else
                at_++;
        }
        put(0);
        return start;
    }

    // A word is never longer than what it is made of, and its zero has the room of a blank.
    void put(char c) {
        if (text_used_ < static_cast<int>(sizeof text)) text[text_used_++] = c;
    }

    char const* at_;
    char const* error_ = nullptr;
    int used_ = 0;
    int text_used_ = 0;
};

}  // namespace

Parsed parse(char const* line) {
    return Parser(line).parse();
}

}  // namespace user::sh
