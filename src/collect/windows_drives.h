/* windows_drives.h - drive letters and the files behind them; see windows_system.h.
 *
 * The letter of the system's own volume stands in SystemRoot. Those of other volumes stand in
 * SYSTEM\MountedDevices (Windows 2000 and later): for a basic disk 12 bytes, the signature of
 * the disk and the offset of the partition in bytes, which is held against the sector that
 * the volume's description names. A volume that NT 4.0 boots from (ntldr) is C:. A volume
 * that is still without a letter has none: its files cannot be named. */
#ifndef YAGURA_COLLECT_WINDOWS_DRIVES_H
#define YAGURA_COLLECT_WINDOWS_DRIVES_H

struct windows;
void windows_drives_map(struct windows *w);

#endif
