#define O_WRONLY 0x001
#define O_CREATE 0x200
