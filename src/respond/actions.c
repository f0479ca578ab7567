#include "respond/actions.h"

#include "base/str.h"
#include "respond/checks.h"
#include "respond/report.h"

static const struct runbook_takes isolate_takes[] = {{.name = "mode", .words = "web contain full"},
                                                     {.name = NULL}};

static const struct respond_action actions[] = {
    {.name = "administrator", .run = action_administrator, .offline = true},
    {.name = "evidence", .run = action_evidence},
    {.name = "holes",
     .takes = holes_takes,
     .run = action_holes,
     .preview = action_holes_preview,
     .offline = true},
    {.name = "isolate",
     .takes = isolate_takes,
     .run = action_isolate,
     .confirm = action_isolate_confirm,
     .preview = action_isolate_preview,
     .mend = action_isolate_mend},
    {.name = "open", .run = action_open, .offline = true},
    {.name = "open-network", .run = action_open_network},
    {.name = "passwords", .run = action_passwords, .plan = action_passwords_plan},
    {.name = "reconnect",
     .run = action_reconnect,
     .preview = action_reconnect_preview,
     .back = action_reconnect_back},
    {.name = "report", .takes = report_takes, .run = action_report, .offline = true},
    {.name = "restore",
     .run = action_restore,
     .preview = action_restore_preview,
     .plan = action_restore_plan},
    {.name = "scan", .run = action_scan, .preview = action_scan_preview, .offline = true},
};

const struct respond_action *respond_action_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(actions); i++)
        if (str_equal(actions[i].name, name))
            return &actions[i];
    return NULL;
}
