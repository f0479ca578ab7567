#!/bin/sh
# Stand-in for what the worm put here: it does nothing.
exit 0
