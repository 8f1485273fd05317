// ls [DIRECTORY]: the names in it.
#include "user/check.h"

using namespace user;

int main(int argument_count, char** arguments) {
    struct {
        unsigned short inode;
        char name[14];
    } entry;
    int const directory = open(argument_count > 1 ? arguments[1] : ".", kReadOnly);
    if (directory < 0) return 1;
    while (read(directory, &entry, sizeof entry) == static_cast<int>(sizeof entry)) {
        if (entry.inode == 0) continue;
        int length = 0;
        while (length < 14 && entry.name[length] != 0) length++;
        write(1, entry.name, length);
        print("\n");
    }
    return 0;
}
