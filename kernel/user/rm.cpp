// rm NAME...: removes files and empty directories.
#include "user/check.h"

int main(int argument_count, char** arguments) {
    bool good = argument_count > 1;
    for (int i = 1; i < argument_count; i++) good = user::unlink(arguments[i]) == 0 && good;
    return good ? 0 : 1;
}
