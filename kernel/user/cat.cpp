// cat [FILE...]: prints them, or what comes in.
#include "user/check.h"

using namespace user;

namespace {

bool pass_on(int file) {
    char buffer[512];
    int got = read(file, buffer, sizeof buffer);
    for (; got > 0; got = read(file, buffer, sizeof buffer))
        if (write(1, buffer, got) != got) return false;
    return got == 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
    bool good = true;
    if (argument_count < 2) good = pass_on(0);
    for (int i = 1; i < argument_count; i++) {
        int const file = open(arguments[i], kReadOnly);
        good = file >= 0 && pass_on(file) && good;
        close(file);
    }
    return good ? 0 : 1;
}
