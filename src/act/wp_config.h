/* wp_config.h - the secrets in a wp-config.php: seen to have changed, and the salts made anew; and
 * where its users are kept.
 *
 * The eight keys and salts sign the login cookies of WordPress: new ones end every session of every
 * user, and nothing else happens. They are made here, written into the file, and neither printed
 * nor kept: there is no undo, and nobody needs one. The database's password (DB_PASSWORD) is only
 * looked at: it is changed in the database first, by hand.
 *
 * The file is written by whoever owned the server: it is read in a cage, which tells where the
 * texts lie, and nothing in it is run. A value that is no plain text in quotes (getenv(), a
 * constant) is not changed and counted as `elsewhere`. What the reader does not understand for sure
 * (a second definition, const, a heredoc, ?>, a condition, a call of what it does not know) makes
 * what stands behind it `doubtful`: PHP may take another value, and nothing is changed. Everything
 * but the values stays byte for byte; owner and mode stay. Where a guard watches the file, publish
 * it afterwards. */
#ifndef YAGURA_ACT_WP_CONFIG_H
#define YAGURA_ACT_WP_CONFIG_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { WP_SALTS = 8, WP_SECRETS = 9, WP_KEY_BYTES = 32, WP_MARK_BYTES = 32 };

/* "AUTH_KEY" ... "NONCE_SALT", then "DB_PASSWORD". */
extern const char *const wp_secret_names[WP_SECRETS];

struct wp_marks {
    bool there[WP_SECRETS];
    bool elsewhere[WP_SECRETS]; /* defined, but not as a plain text */
    bool doubtful[WP_SECRETS];  /* PHP may see another value */
    uint8_t digest[WP_SECRETS][WP_MARK_BYTES];
};

/* Digests of all values under the key (account_key()). `dirfd` is the file's folder. */
bool wp_config_look(struct wp_marks *out, int dirfd, const char *name,
                    const uint8_t key[WP_KEY_BYTES], struct error *e);
/* Whether that secret is another than before. */
bool wp_config_changed(const struct wp_marks *before, const struct wp_marks *now, size_t secret);

/* Gives all salts that are there new values; *count: how many. ERR_ABSENT if there is none, or too
 * few for every login to end; ERR_CORRUPT if one is doubtful. */
bool wp_config_rotate(size_t *count, int dirfd, const char *name, bool dry_run, struct error *e);

/* Where WordPress keeps its users: "shop" and "wp_". Each is "" where it is not there exactly once
 * as a plain text of letters, digits and underscores (a database's name also of hyphens, but not as
 * the first), so that both can stand in a command, or where it is doubtful. */
struct wp_tables {
    char database[65], prefix[65];
    bool multisite; /* MULTISITE is defined, as whatever */
};
bool wp_config_tables(struct wp_tables *out, int dirfd, const char *name, struct error *e);

#endif
