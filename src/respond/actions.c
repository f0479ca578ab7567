#include "respond/actions.h"

#include "base/str.h"

static const struct respond_action actions[] = {
    {"administrator", action_administrator, NULL, true},
    {"evidence", action_evidence, NULL, false},
    {"isolate", action_isolate, action_isolate_confirm, false},
    {"open", action_open, NULL, true},
    {"open-network", action_open_network, NULL, false},
    {"passwords", action_passwords, NULL, false},
    {"report", action_report, NULL, true},
    {"restore", action_restore, NULL, false},
    {"scan", action_scan, NULL, true},
};

const struct respond_action *respond_action_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(actions); i++)
        if (str_equal(actions[i].name, name))
            return &actions[i];
    return NULL;
}
