/* containers.h - the ports that containers publish on this host.
 *
 * Docker keeps each container in DATA/containers/ID/config.v2.json (name, image, whether it
 * runs, NetworkSettings.Ports) and hostconfig.json (PortBindings, RestartPolicy); DATA is
 * /var/lib/docker or "data-root" of /etc/docker/daemon.json. Podman's quadlets are unit files
 * (NAME.container in /etc/containers/systemd and /usr/share/containers/systemd, PublishPort=,
 * podman-systemd.unit(5)); its own database is not read, which is said once where podman is.
 * Ports that saved rules pass on to another address (saved_rules.h) are stated likewise.
 *
 * What is published is reached from outside whatever ufw or the INPUT chain say: packets are
 * passed on before they come there. So each is a "listener" fact with from=container. */
#ifndef YAGURA_COLLECT_CONTAINERS_H
#define YAGURA_COLLECT_CONTAINERS_H

#include "base/error.h"
#include "base/mem.h"

#include <stddef.h>

struct container_port {
    const char *proto;   /* "tcp" */
    const char *address; /* as configured: "", "0.0.0.0", "127.0.0.1", "::" */
    unsigned port;
    const char *inside; /* "80/tcp" */
};

struct container {
    const char *name, *image;
    bool running;
    bool starts_by_itself; /* restart policy always, or unless-stopped */
    VEC(struct container_port) ports;
};

void container_free(struct container *container);
#define CLEANUP_CONTAINER CLEANUP(container_free)

/* `hostconfig` may be NULL. Texts in the arena. */
bool container_parse_docker(struct container *out, struct arena *arena, const char *path,
                            const char *config, size_t config_size, const char *hostconfig,
                            size_t hostconfig_size, struct error *e);
/* A quadlet: ports of every PublishPort= line. */
void container_parse_quadlet(struct container *out, struct arena *arena, const char *text,
                             size_t size);

#endif
