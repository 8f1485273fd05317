// What a repro.c execs where the finding's program execs something: ends at once.

int main(void) { return 0; }
