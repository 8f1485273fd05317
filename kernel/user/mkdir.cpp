// mkdir NAME...: makes directories.
#include "user/check.h"

int main(int argument_count, char** arguments) {
    bool good = argument_count > 1;
    for (int i = 1; i < argument_count; i++) good = user::mkdir(arguments[i]) == 0 && good;
    return good ? 0 : 1;
}
