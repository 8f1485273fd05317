// The types that xv6 programs count on. With the other headers here: what a repro.c may use, and nothing else, so that
// compiling one against them shows that it would compile in a student's tree.
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long uint64;
