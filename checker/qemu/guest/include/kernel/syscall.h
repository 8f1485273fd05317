#define SYS_wait 3
#define SYS_pipe 4
#define SYS_read 5
#define SYS_fstat 8
#define SYS_open 15
#define SYS_write 16
