// Exec: what a new image keeps and what it does not. The tests execute this program itself, with a first argument that
// says what to do.

#include "base/memory.h"
#include "user/usertests/tests.h"

namespace user {
namespace {

using kernel::equal;

char dirty[2 * kPageBytes];

int run(char const* what, char const* more = nullptr, char const* most = nullptr) {
    char const* const arguments[] = {own_path(), "executed", what, more, most, nullptr};
    return status_of_child([&arguments] { return exec(own_path(), arguments) == -1 ? 120 : 121; });
}

int arguments_arrive() {
    return run("arguments", "one", "two words") == 41 ? 0 : 1;
}

int image_is_fresh() {
    fill(dirty, static_cast<int>(sizeof dirty), 'd');
    char* const heap = sbrk(10 * kPageBytes);
    fill(heap, 10 * kPageBytes, 'h');
    return run("fresh") == 42 ? 0 : 1;
}

int files_stay_open() {
    Pipe const ends;
    char const file[] = {static_cast<char>('0' + ends[1]), 0};
    if (run("write", file) != 43) return 2;
    char said = 0;
    return read(ends[0], &said, 1) == 1 && said == 'w' ? 0 : 3;
}

int again_and_again() {
    return run("chain", "x") == 44 ? 0 : 1;
}

int nothing_there() {
    char const* const arguments[] = {"x", nullptr};
    int volatile kept = 5;
    if (exec("no-such-file", arguments) != -1 || exec("/no/such/file", arguments) != -1) return 1;
    return exec("/", arguments) == -1 && exec("", arguments) == -1 && kept == 5 ? 0 : 2;
}

int bad_vectors() {
    char const* const wild_word[] = {"x", reinterpret_cast<char const*>(uint64_t{1} << 37), nullptr};
    if (exec(own_path(), wild_word) != -1) return 1;
    for (uint64_t const at : kWildAddresses) {
        if (exec(own_path(), reinterpret_cast<char const* const*>(at)) != -1) return 2;
        if (exec(reinterpret_cast<char const*>(at), wild_word) != -1) return 3;
    }
    return 0;
}

int too_many_words() {
    static char const* many[64];
    for (char const*& each : many) each = "word";
    many[63] = nullptr;
    return exec(own_path(), many) == -1 ? 0 : 1;
}

int too_long_words() {
    static char longest[2 * kPageBytes];
    fill(longest, static_cast<int>(sizeof longest) - 1, 'w');
    char const* const arguments[] = {longest, nullptr};
    return exec(own_path(), arguments) == -1 ? 0 : 1;
}

// With fewer and fewer frames left, it works or fails, and loses nothing.
int with_little_memory() {
    for (int frames = 2; frames < 26; frames += 3) {
        int const status = status_of_child([frames] {
            int const mine = free_frames() - frames;
            char* const heap = sbrk(mine * kPageBytes);
            if (heap == kNoMemory) return 0;
            for (int i = 0; i < mine; i++) heap[i * kPageBytes] = 1;
            char const* const arguments[] = {own_path(), "executed", "fresh", nullptr};
            return exec(own_path(), arguments) == -1 && heap[0] == 1 ? 0 : 1;
        });
        if (status != 0 && status != 42 && status != -1) return frames;
    }
    return 0;
}

// A child that shares everything with its parent replaces itself; the parent's memory is as it was.
int sharer_replaces_itself() {
    fill(dirty, static_cast<int>(sizeof dirty), 's');
    char* const heap = sbrk(4 * kPageBytes);
    fill(heap, 4 * kPageBytes, 's');
    for (int i = 0; i < 5; i++)
        if (run("fresh") != 42) return 1;
    return all_are(dirty, static_cast<int>(sizeof dirty), 's') && all_are(heap, 4 * kPageBytes, 's') ? 0 : 2;
}

constexpr NamedTest kTests[] = {
    {"execargs", arguments_arrive},         {"execfresh", image_is_fresh},  {"execfiles", files_stay_open},
    {"execchain", again_and_again},         {"execnothing", nothing_there}, {"execvectors", bad_vectors},
    {"execmany", too_many_words},           {"execlong", too_long_words},   {"execlittle", with_little_memory},
    {"execsharer", sharer_replaces_itself},
};

}  // namespace

constinit TestList const exec_tests = list_of(kTests);

int executed_by_a_test(int argument_count, char** arguments) {
    if (argument_count < 3 || !equal(arguments[1], "executed")) return -1;
    char const* const what = arguments[2];
    if (equal(what, "arguments")) {
        bool const good = argument_count == 5 && equal(arguments[3], "one") && equal(arguments[4], "two words") &&
                          arguments[5] == nullptr;
        return good ? 41 : 1;
    }
    if (equal(what, "fresh")) {
        uint64_t const end = word(sbrk(0));
        bool const clean = all_are(dirty, static_cast<int>(sizeof dirty), 0);
        return clean && kills([end] { load_at(end + 4 * kPageBytes); }) ? 42 : 1;
    }
    if (equal(what, "write") && argument_count == 4) return write(*arguments[3] - '0', "w", 1) == 1 ? 43 : 1;
    if (equal(what, "chain") && argument_count == 4) {
        char longer[16] = {};
        size_t const length = kernel::length_of(arguments[3]);
        if (length == 5) return 44;
        fill(longer, static_cast<int>(length) + 1, 'x');
        char const* const next[] = {arguments[0], "executed", "chain", longer, nullptr};
        exec(arguments[0], next);
    }
    return 1;
}

}  // namespace user
