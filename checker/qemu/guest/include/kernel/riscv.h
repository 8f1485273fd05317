#define PGSIZE 4096
#define PGROUNDUP(address) (((address) + PGSIZE - 1) & ~(PGSIZE - 1))
#define PGROUNDDOWN(address) ((address) & ~(PGSIZE - 1))
#define MAXVA (1L << 38)
