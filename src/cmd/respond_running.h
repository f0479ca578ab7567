/* respond_running.h - one run of `yagura respond`. */
#ifndef YAGURA_CMD_RESPOND_RUNNING_H
#define YAGURA_CMD_RESPOND_RUNNING_H

#include "cmd/site.h"
#include "respond/respond.h"

struct progress;

struct running {
    struct cli *cli;
    struct config *config;
    struct respond_options options;
    struct response response;
    struct hold hold;
    struct progress *progress;
    struct open_site held; /* only for cli_hold() */
};

/* Gives the options the answers to all that a step may ask, with the run as their context. */
void running_answers(struct running *run);
/* To be looked at, on standard error; the context is a struct running. */
void running_say(void *context, const char *text);
/* A command about what the incident is about: this host, or a volume or image that is named. */
const char *running_about(struct arena *arena, struct response *r, const char *command);

#endif
