// sh: a small shell.
//
//     sh                  reads lines from the console, or whatever file 0 is
//     sh -c "LINE"        runs one line
//
// Pipes, redirection, lists, background and groups: parse.h. Of itself it knows cd and exit [STATUS]. The status of a
// line is that of its last command; `sh` ends with that of its last line.

#include "base/memory.h"
#include "user/check.h"
#include "user/sh/parse.h"

using namespace user;
using namespace user::sh;
using kernel::equal;

namespace {

constexpr int kNotExecuted = 127;
constexpr int kKilled = -1;

void complain(char const* what, char const* about) {
    write(2, "sh: ", 4);
    write(2, what, static_cast<int>(kernel::length_of(what)));
    write(2, about, static_cast<int>(kernel::length_of(about)));
    write(2, "\n", 1);
}

int run(Node const& node);

// Runs `node` in a child that begins with `prepare`; the child's pid, or -1.
template <class Prepare>
int start(Node const& node, Prepare prepare) {
    int const child = fork();
    if (child == 0) {
        prepare();
        exit(run(node));
    }
    if (child < 0) complain("there is no room for another process", "");
    return child;
}

// The status of that child; others that end meanwhile ran in the background.
int status_of(int child) {
    int status = kNotExecuted;
    for (int ended = wait(&status); ended != child; ended = wait(&status))
        if (ended < 0) return kNotExecuted;
    return status;
}

bool redirect(Node const& node) {
    for (int i = 0; i < node.redirection_count; i++) {
        auto const& [path, kind] = node.redirections[i];
        int const mode = kind == '<'   ? kReadOnly
                         : kind == '>' ? kWriteOnly | kCreate | kTruncate
                                       : kReadWrite | kCreate;
        int const wanted = kind == '<' ? 0 : 1;
        close(wanted);
        if (open(path, mode) != wanted) {
            complain("cannot open ", path);
            return false;
        }
        char skipped[64];
        while (kind == '+' && read(1, skipped, sizeof skipped) > 0) continue;  // to the end
    }
    return true;
}

// Replaces this process by the command, or does what is in the group.
[[noreturn]] void become(Node const& node) {
    if (!redirect(node)) exit(1);
    if (node.kind == Kind::group) exit(run(*node.left));
    exec(node.words[0], node.words);
    // What is not here may be in the root directory.
    char path[64] = "/";
    if (node.words[0][0] != '/' && kernel::length_of(node.words[0]) < sizeof path - 1) {
        for (size_t i = 0; i <= kernel::length_of(node.words[0]); i++) path[i + 1] = node.words[0][i];
        exec(path, node.words);
    }
    complain("cannot execute ", node.words[0]);
    exit(kNotExecuted);
}

int run_command(Node const& node) {
    if (node.kind == Kind::command && equal(node.words[0], "cd")) {
        char const* const where = node.word_count > 1 ? node.words[1] : "/";
        if (chdir(where) == 0) return 0;
        complain("cannot go to ", where);
        return 1;
    }
    if (node.kind == Kind::command && equal(node.words[0], "exit"))
        exit(node.word_count > 1 ? number_in(node.words[1]) : 0);
    int const child = start(node, [&node] { become(node); });
    if (child < 0) return kNotExecuted;
    int const status = status_of(child);
    if (status == kKilled) complain("killed: ", node.kind == Kind::command ? node.words[0] : "( )");
    return status;
}

int run_pipe(Node const& node) {
    int ends[2];
    if (pipe(ends) != 0) {
        complain("no pipe can be made", "");
        return 1;
    }
    auto const put = [&ends](int end, int file) {
        close(file);
        dup(ends[end]);
        close(ends[0]);
        close(ends[1]);
    };
    int const writer = start(*node.left, [&put] { put(1, 1); });
    int const reader = start(*node.right, [&put] { put(0, 0); });
    close(ends[0]);
    close(ends[1]);
    // Whichever ends first; the reader's status counts.
    int status = kNotExecuted;
    for (int left = (writer > 0 ? 1 : 0) + (reader > 0 ? 1 : 0); left > 0;) {
        int each = kNotExecuted;
        int const ended = wait(&each);
        if (ended < 0) break;
        if (ended == reader) status = each;
        if (ended == reader || ended == writer) left--;
    }
    return status;
}

int run(Node const& node) {
    switch (node.kind) {
        case Kind::list:
            run(*node.left);
            return run(*node.right);
        case Kind::background:
            return start(*node.left, [] {}) > 0 ? 0 : kNotExecuted;
        case Kind::pipe:
            return run_pipe(node);
        default:
            return run_command(node);
    }
}

int run_line(char const* line) {
    Parsed const parsed = parse(line);
    if (parsed.error != nullptr) {
        complain(parsed.error, "");
        return 2;
    }
    return parsed.root == nullptr ? 0 : run(*parsed.root);
}

// A line without its end; false where there is none any more.
bool read_line(char (&line)[kLineBytesMax]) {
    int length = 0;
    bool too_long = false;
    for (char c; read(0, &c, 1) == 1;) {
        if (c == '\n' || c == '\r') {
            if (too_long) complain("too long a line", "");
            line[too_long ? 0 : length] = 0;
            return true;
        }
        too_long = too_long || length == kLineBytesMax - 1;
        if (!too_long) line[length++] = c;
    }
    line[length] = 0;
    return length > 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
    open_console();
    if (argument_count == 3 && equal(arguments[1], "-c")) return run_line(arguments[2]);
    if (argument_count != 1) {
        complain("usage: sh [-c LINE]", "");
        return 2;
    }
    int status = 0;
    for (char line[kLineBytesMax];;) {
        write(2, "$ ", 2);
        if (!read_line(line)) return status;
        status = run_line(line);
    }
}
