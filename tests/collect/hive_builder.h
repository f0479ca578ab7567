/* hive_builder.h - makes registry hives for tests from a small text:
 *
 *     [Microsoft\InetStp]      a key; those above it are made
 *     PathWWWRoot=C:\x         REG_SZ
 *     MajorVersion=#5          REG_DWORD
 *     Directory=%x             REG_EXPAND_SZ (the text begins with the %)
 *     TCPAllowedPorts=|80|443  REG_MULTI_SZ
 *     Digital=$0102ff          REG_BINARY
 *     =x                       the default value
 *
 * Written from the format's description, by nothing that the reader shares. */
#ifndef YAGURA_TESTS_HIVE_BUILDER_H
#define YAGURA_TESTS_HIVE_BUILDER_H

#include "base/str.h"

/* A clean hive of format 1.3; str_free() it. */
struct str hive_builder_make(const char *text);
/* Puts the right checksum over the first block, after a test has changed it. */
void hive_builder_seal(struct str *hive);

#endif
