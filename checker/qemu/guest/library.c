// The system calls of xv6 and the little of its user library that a repro.c uses. The numbers are those of
// kernel/syscall.h, the same in the trees of all years.

#include "kernel/types.h"
#include "user/user.h"

static long call(long number, long x, long y, long z) {
    register long a0 asm("a0") = x;
    register long a1 asm("a1") = y;
    register long a2 asm("a2") = z;
    register long a7 asm("a7") = number;
    asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

int fork(void) { return call(1, 0, 0, 0); }
int wait(int *status) { return call(3, (long)status, 0, 0); }
int pipe(int *ends) { return call(4, (long)ends, 0, 0); }
int read(int file, void *to, int bytes) { return call(5, file, (long)to, bytes); }
int kill(int pid) { return call(6, pid, 0, 0); }
int exec(const char *path, char **arguments) { return call(7, (long)path, (long)arguments, 0); }
int fstat(int file, struct stat *to) { return call(8, file, (long)to, 0); }
int dup(int file) { return call(10, file, 0, 0); }
int getpid(void) { return call(11, 0, 0, 0); }
int uptime(void) { return call(14, 0, 0, 0); }
int open(const char *path, int mode) { return call(15, (long)path, mode, 0); }
int write(int file, const void *from, int bytes) { return call(16, file, (long)from, bytes); }
int mknod(const char *path, short major, short minor) { return call(17, (long)path, major, minor); }
int close(int file) { return call(21, file, 0, 0); }

int exit(int status) {
    call(2, status, 0, 0);
    for (;;) ;
}

// The second argument is of 2025, SBRK_EAGER and SBRK_LAZY of its kernel/vm.h; others do not look at it.
char *sbrk(int bytes) { return (char *)call(12, bytes, 1, 0); }
char *sbrklazy(int bytes) { return (char *)call(12, bytes, 2, 0); }

void *memset(void *to, int byte, uint count) {
    for (uint i = 0; i < count; i++) ((volatile char *)to)[i] = byte;
    return to;
}

// Knows %d and %s. A line leaves with one write, so that processes do not mix theirs.
void printf(const char *format, ...) {
    char line[160];
    uint length = 0;
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    for (; *format && length < sizeof line - 12; format++) {
        if (*format != '%') {
            line[length++] = *format;
        } else if (*++format == 's') {
            for (char *s = __builtin_va_arg(arguments, char *); *s && length < sizeof line - 12; s++) line[length++] = *s;
        } else if (*format == 'd') {
            int value = __builtin_va_arg(arguments, int);
            uint rest = value < 0 ? -(uint)value : (uint)value, power = 1;
            if (value < 0) line[length++] = '-';
            while (rest / power >= 10) power *= 10;
            for (; power > 0; power /= 10) line[length++] = '0' + rest / power % 10;
        }
    }
    if (length >= sizeof line - 12) line[length++] = '\n';
    __builtin_va_end(arguments);
    write(1, line, length);
}
