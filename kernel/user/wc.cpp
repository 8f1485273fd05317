// wc: how many lines, words and bytes come in.
#include "user/check.h"

using namespace user;

int main() {
    int lines = 0;
    int words = 0;
    int bytes = 0;
    bool in_word = false;
    char buffer[512];
    for (int got = read(0, buffer, sizeof buffer); got > 0; got = read(0, buffer, sizeof buffer)) {
        bytes += got;
        for (int i = 0; i < got; i++) {
            bool const blank = buffer[i] == ' ' || buffer[i] == '\n' || buffer[i] == '\t';
            if (buffer[i] == '\n') lines++;
            if (!blank && !in_word) words++;
            in_word = !blank;
        }
    }
    print(lines, " ", words, " ", bytes, "\n");
    return 0;
}
