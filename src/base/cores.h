/* cores.h - how many threads or processes side by side pay on this host. */
#ifndef YAGURA_BASE_CORES_H
#define YAGURA_BASE_CORES_H

/* The processors that are up, at least 1 and at most `most`. It reads below /sys: not in a cage. */
unsigned cores_up(unsigned most);

#endif
