#include "target/ops.h"

bool image_open(struct target **out, const char *file, struct error *e)
{
    error_set(e, ERR_UNSUPPORTED, "disk images are not read yet");
    error_at(e, file, 0, 0);
    return false;
}
