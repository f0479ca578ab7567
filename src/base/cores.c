#include "base/cores.h"

#include <unistd.h>

unsigned cores_up(unsigned most)
{
    long up = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = up > 0 ? (unsigned)up : 1;
    return n < most ? n : most;
}
