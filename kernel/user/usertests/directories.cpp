// Names: directories, links, paths.

#include "base/memory.h"
#include "user/usertests/tests.h"

namespace user {
namespace {

struct Entry {
    unsigned short inode;
    char name[14];
};

bool make(char const* path) {
    int const file = open(path, kCreate | kReadWrite);
    close(file);
    return file >= 0;
}

int directory() {
    if (mkdir("d-one") != 0 || mkdir("d-one") != -1) return 1;
    if (!make("d-one/file") || !exists("/d-one/file") || exists("file")) return 2;
    if (unlink("d-one") != -1) return 3;  // not empty
    if (unlink("d-one/file") != 0 || unlink("d-one") != 0) return 4;
    return exists("d-one") ? 5 : 0;
}

int change_directory() {
    if (mkdir("d-cd") != 0 || chdir("d-cd") != 0) return 1;
    if (!make("inside") || !exists("/d-cd/inside") || !exists("./inside") || !exists("../d-cd/inside")) return 2;
    if (chdir("nowhere") != -1 || chdir("inside") != -1 || !exists("inside")) return 3;
    if (unlink("inside") != 0 || chdir("..") != 0) return 4;
    return unlink("d-cd") == 0 ? 0 : 5;
}

int dots() {
    if (mkdir("d-dots") != 0) return 1;
    if (unlink("d-dots/.") != -1 || unlink("d-dots/..") != -1) return 2;
    if (mkdir(".") != -1 || mkdir("..") != -1 || mkdir("/") != -1 || mkdir("") != -1) return 3;
    if (!exists("d-dots/./../d-dots/.") || !exists("/../..") || unlink("/") != -1) return 4;
    return unlink("d-dots") == 0 ? 0 : 5;
}

int nested() {
    char path[80] = "d-nest";
    size_t length = kernel::length_of(path);
    for (int depth = 0; depth < 20; depth++) {
        if (mkdir(path) != 0) return 1;
        path[length++] = '/';
        path[length++] = static_cast<char>('a' + depth);
        path[length] = 0;
    }
    for (int depth = 19; depth >= 0; depth--) {
        length -= 2;
        path[length] = 0;
        if (unlink(path) != 0) return 2;
    }
    return exists("d-nest") ? 3 : 0;
}

int slashes() {
    if (mkdir("d-slash") != 0 || !make("d-slash/f")) return 1;
    if (!exists("//d-slash///f") || !exists("d-slash//f")) return 2;
    if (exists("d-slash/f/x") || mkdir("d-slash/f/x") != -1 || open("d-slash/f/x", kCreate | kReadWrite) != -1)
        return 3;
    return unlink("d-slash//f") == 0 && unlink("///d-slash") == 0 ? 0 : 4;
}

int links() {
    if (!make("d-link1") || link("d-link1", "d-link2") != 0) return 1;
    int const first = open("d-link1", kReadWrite);
    if (write(first, "same", 4) != 4) return 2;
    close(first);
    if (link("d-link1", "d-link2") != -1 || link("d-nothing", "d-link3") != -1 || link("/", "d-link4") != -1) return 3;
    if (unlink("d-link1") != 0 || exists("d-link1")) return 4;
    char got[8] = {};
    int const second = open("d-link2", kReadOnly);
    if (read(second, got, 8) != 4 || got[0] != 's' || got[3] != 'e') return 5;
    return unlink("d-link2") == 0 && !exists("d-link2") ? 0 : 6;
}

int link_counts() {
    FileStatus status;
    char name[] = "d-count0";
    if (!make("d-count")) return 1;
    int const file = open("d-count", kReadOnly);
    for (int i = 0; i < 5; i++) {
        name[7] = static_cast<char>('0' + i);
        if (link("d-count", name) != 0 || fstat(file, &status) != 0 || status.links != i + 2) return 2;
    }
    for (int i = 0; i < 5; i++) {
        name[7] = static_cast<char>('0' + i);
        if (unlink(name) != 0 || fstat(file, &status) != 0 || status.links != 5 - i) return 3;
    }
    return unlink("d-count") == 0 ? 0 : 4;
}

int long_names() {
    // Fourteen characters count, and no more.
    if (!make("d-fourteen-abc")) return 1;
    if (!exists("d-fourteen-abc") || exists("d-fourteen-ab") || exists("d-fourteen-abd")) return 2;
    return unlink("d-fourteen-abc") == 0 && !exists("d-fourteen-abc") ? 0 : 3;
}

// As many names as one directory holds in several blocks; then none of them.
int many_names() {
    char name[] = "d-many/x00";
    if (mkdir("d-many") != 0) return 1;
    auto const set = [&name](int i) {
        name[8] = static_cast<char>('a' + i / 10);
        name[9] = static_cast<char>('0' + i % 10);
    };
    for (int i = 0; i < 90; i++) {
        set(i);
        if (i == 0 ? !make(name) : link("d-many/xa0", name) != 0) return 2;
    }
    for (int i = 0; i < 90; i++) {
        set(i);
        if (!exists(name)) return 3;
    }
    for (int i = 89; i >= 0; i--) {
        set(i);
        if (unlink(name) != 0) return 4;
    }
    return unlink("d-many") == 0 ? 0 : 5;
}

int directories_are_read_only() {
    if (mkdir("d-read") != 0) return 1;
    if (open("d-read", kReadWrite) != -1 || open("d-read", kWriteOnly) != -1) return 2;
    if (open("d-read", kCreate | kReadWrite) != -1) return 3;
    int const file = open("d-read", kReadOnly);
    Entry entries[3];
    int const got = read(file, entries, sizeof entries);
    close(file);
    if (got != 2 * static_cast<int>(sizeof(Entry))) return 4;
    bool const dots = kernel::equal(entries[0].name, ".") && kernel::equal(entries[1].name, "..");
    return dots && unlink("d-read") == 0 ? 0 : 5;
}

// Several processes make and remove the same names; each name is made by one at a time.
int contended_names() {
    for (int p = 0; p < 4; p++)
        if (fork() == 0) {
            for (int i = 0; i < 15; i++) {
                int const file = open("d-contend", kCreate | kReadWrite);
                if (file >= 0) close(file);
                mkdir("d-contend2");
                unlink("d-contend");
                unlink("d-contend2");
            }
            exit(0);
        }
    if (reap_all() != 4) return 1;
    unlink("d-contend");
    unlink("d-contend2");
    return !exists("d-contend") && make("d-contend") && unlink("d-contend") == 0 ? 0 : 2;
}

// The directory that one stands in is removed: it can be left, and nothing can be made in it.
int removed_below_us() {
    if (mkdir("d-gone") != 0 || chdir("d-gone") != 0) return 1;
    if (unlink("../d-gone") != 0) return 2;
    if (open("new", kCreate | kReadWrite) >= 0 && exists("/d-gone/new")) return 3;
    return chdir("/") == 0 && !exists("d-gone") ? 0 : 4;
}

// No more inodes; then all of them again.
int all_inodes() {
    char name[] = "d-inodes/aa";
    if (mkdir("d-inodes") != 0) return 1;
    auto const set = [&name](int i) {
        name[9] = static_cast<char>('a' + i / 26);
        name[10] = static_cast<char>('a' + i % 26);
    };
    int made = 0;
    for (; made < 26 * 26; made++) {
        set(made);
        if (!make(name)) break;
    }
    for (int i = 0; i < made; i++) {
        set(i);
        if (unlink(name) != 0) return 2;
    }
    if (made < 20 || made == 26 * 26) return 3;
    set(0);
    return make(name) && unlink(name) == 0 && unlink("d-inodes") == 0 ? 0 : 4;
}

constexpr NamedTest kTests[] = {
    {"directory", directory},
    {"chdir", change_directory},
    {"dots", dots},
    {"nested", nested},
    {"slashes", slashes},
    {"links", links},
    {"linkcounts", link_counts},
    {"longnames", long_names},
    {"manynames", many_names},
    {"readdirectory", directories_are_read_only},
    {"contended", contended_names},
    {"removedbelow", removed_below_us},
    {"inodes", all_inodes},
};

}  // namespace

constinit TestList const directory_tests = list_of(kTests);

}  // namespace user
