/* mallopt: glibc has it in a header of its own, other systems not at all. */
#if defined(__GLIBC__) || defined(__linux__)
#include <malloc.h>
#endif
