#include "respond/actions.h"

#include "base/str.h"

static const struct respond_action actions[] = {
    {"evidence", action_evidence, NULL, false},
    {"open", action_open, NULL, true},
    {"report", action_report, NULL, true},
    {"restore", action_restore, NULL, false},
};

const struct respond_action *respond_action_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(actions); i++)
        if (str_equal(actions[i].name, name))
            return &actions[i];
    return NULL;
}
