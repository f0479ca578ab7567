#include "act/demo_site.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 5000 };
static const char nginx[] = "/usr/sbin/nginx";

static const struct {
    const char *name, *text;
} pages[] = {
    {"index.html", "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
                   "<title>Yagura</title>\n<link rel=\"stylesheet\" href=\"style.css\">\n"
                   "<h1>This page is guarded</h1>\n<p>Change it, and look again.</p>\n"
                   "<p lang=\"ja\">このページは守られています。</p>\n</html>\n"},
    {"about.html",
     "<!DOCTYPE html>\n<html lang=\"en\"><title>About</title><h1>About</h1></html>\n"},
    {"style.css", "body { font-family: sans-serif; margin: 4em; }\n"},
    {"a/page.html", "<!DOCTYPE html>\n<html lang=\"en\"><title>A</title><h1>A</h1></html>\n"},
    {"b/page.html", "<!DOCTYPE html>\n<html lang=\"en\"><title>B</title><h1>B</h1></html>\n"},
};

static bool lay_out(const struct demo_site *d, struct error *e)
{
    char path[128];
    snprintf(path, sizeof path, "%s/a", d->root);
    if (!file_make_dirs(path, 0755, e))
        return false;
    snprintf(path, sizeof path, "%s/b", d->root);
    if (!file_make_dirs(path, 0755, e))
        return false;
    CLEANUP_CLOSE int root = open(d->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        error_set_errno(e, errno, "opening %s", d->root);
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
        const char *slash = strrchr(pages[i].name, '/');
        char folder[2] = {slash ? pages[i].name[0] : '.', 0};
        CLEANUP_CLOSE int dir = openat(root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (!file_replace(dir, slash ? slash + 1 : pages[i].name, pages[i].text,
                          strlen(pages[i].text), 0644, e))
            return false;
    }
    return true;
}

/* A port that is free now. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return ntohs(address.sin_port);
}

static bool write_config(const struct demo_site *d, int port, struct error *e)
{
    CLEANUP_STR struct str text = {0};
    str_printf(&text,
               "daemon off;\nmaster_process off;\npid %s/nginx.pid;\nerror_log %s/error.log;\n"
               "events {}\nhttp {\n  access_log off;\n  types { text/html html; text/css css; }\n"
               "  client_body_temp_path %s/t1; proxy_temp_path %s/t2; fastcgi_temp_path %s/t3;\n"
               "  uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;\n"
               "  server { listen 127.0.0.1:%d; root %s; add_header Cache-Control no-store; }\n}\n",
               d->dir, d->dir, d->dir, d->dir, d->dir, d->dir, d->dir, port, d->root);
    CLEANUP_CLOSE int dir = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir >= 0 && file_replace(dir, "nginx.conf", text.data, text.length, 0644, e);
}

static bool answers(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static void become_nginx(const struct demo_site *d)
{
    char config[96], log[96];
    snprintf(config, sizeof config, "%s/nginx.conf", d->dir);
    snprintf(log, sizeof log, "%s/error.log", d->dir);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    execl(nginx, nginx, "-e", log, "-p", d->dir, "-c", config, NULL);
    _exit(127);
}

static bool serve(struct demo_site *d, struct error *e)
{
    int port = free_port();
    if (access(nginx, X_OK) != 0 || !port || !write_config(d, port, e)) {
        error_set(e, ERR_ABSENT, "nginx is not installed: the demonstration is not served");
        return false;
    }
    pid_t pid = fork();
    if (pid == 0)
        become_nginx(d);
    for (int ms = 0; pid > 0 && ms < WAIT_MS; ms += 20) {
        if (answers(port)) {
            d->server = pid;
            snprintf(d->url, sizeof d->url, "http://127.0.0.1:%d/", port);
            return true;
        }
        if (waitpid(pid, NULL, WNOHANG) == pid)
            break;
        usleep(20000);
    }
    error_set(e, ERR_SYSTEM, "nginx does not start; %s/error.log may say why", d->dir);
    return false;
}

bool demo_site_make(struct demo_site *out, struct error *e)
{
    struct demo_site d = {.dir = "/tmp/yagura-demo-XXXXXX"};
    if (!mkdtemp(d.dir) || chmod(d.dir, 0755) != 0) {
        error_set_errno(e, errno, "making a folder for the demonstration");
        return false;
    }
    snprintf(d.root, sizeof d.root, "%s/www", d.dir);
    if (!lay_out(&d, e))
        return false;
    serve(&d, &d.why);
    *out = d;
    return true;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

void demo_site_end(struct demo_site *d)
{
    if (d->server > 0) {
        kill(d->server, SIGTERM);
        waitpid(d->server, NULL, 0);
    }
    nftw(d->dir, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
