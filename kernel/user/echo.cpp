// echo WORD...: prints them.
#include "user/check.h"

int main(int argument_count, char** arguments) {
    for (int i = 1; i < argument_count; i++) {
        if (i > 1) user::print(" ");
        user::print(arguments[i]);
    }
    user::print("\n");
    return 0;
}
