/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "storeask.h"
#include "verbs.h"
#include "way_out.h"

#define DEFAULT_TIMEOUT_MS 60000
#define DEFAULT_MAX_LAG_MS 10000
#define PAUSE_MS 10

static const struct verb_text text = {
    .name = "agent",
    .usage = "start|stop|monitor|validate NAME",
    .details = "What the cluster's resource agents ocf:regckpt:wineservice and wineapp call. Ends\n"
               "with the exit codes of OCF: 0 done or running, 1 failed, 4 rights, 5 this node\n"
               "lacks something, 6 wrongly configured for any node, 7 not running here, 190\n"
               "running but not well. start waits for a resource that another node still holds,\n"
               "and takes it by force only if Pacemaker has fenced that node since. stop ends by\n"
               "force what does not end in half of the time.",
    .least_args = 2,
    .most_args = 2,
};

int agent_left_ms(const struct agent *a)
{
    int64_t left = a->deadline_ms - progress_now_ms();

    return left > 0 ? (int)left : 0;
}

enum ocf_code agent_fail(const struct agent *a, const struct error *err)
{
    cli_fail(&a->cli, err);
    switch (err->code) {
    case RESULT_FORBIDDEN:
    case EACCES:
    case EPERM:
        return OCF_ERR_PERM;
    case RESULT_NOT_FOUND:
    case RESULT_NOT_INSTALLED:
    case RESULT_NEWER:
    case RESULT_UNPROTECTED:
    case RESULT_DAMAGED: /* as this node sees it: of a cluster file system another may see it whole */
        return OCF_ERR_INSTALLED;
    case RESULT_USAGE:
    case RESULT_FOREIGN:
        return OCF_ERR_CONFIGURED;
    default:
        return OCF_ERR_GENERIC;
    }
}

/* Of which of the two agents is it? */
static int check_kind(const struct agent *a, const struct resource *r, struct error *err)
{
    bool service = r->kind == RESOURCE_SERVICE;

    if (!a->kind || !strcmp(a->kind, service ? "service" : "application"))
        return RESULT_OK;
    return error_set(err, RESULT_USAGE, "%s is %s: its agent is ocf:regckpt:%s.", a->name,
                     service ? "a Windows service" : "a program, not a service",
                     service ? "wineservice" : "wineapp");
}

/* Wine and the prefix, as the agent's parameters say. */
static int check_place(const struct agent *a, struct resource *r, struct error *err)
{
    struct wine_place place = {0};
    int result = RESULT_OK;

    if (a->user && (result = resource_set(r, "user", a->user, err)))
        return result;
    if (a->wine && (result = resource_set(r, "wine", a->wine, err)))
        return result;
    if (!(result = wine_place_find(r, a->prefix, &a->cli.settings, &place, err)))
        wine_place_free(&place);
    /* a loader that is not there */
    return result == RESULT_WINE ? err->code = RESULT_NOT_INSTALLED : result;
}

enum ocf_code agent_validate(const struct agent *a, struct resource *resource)
{
    struct error err = {0};
    struct resource wanted;
    struct snapshot s;
    int result;

    if (access_store(&a->cli, a->name, &err))
        return agent_fail(a, &err);
    if ((result = access_read(&a->cli, a->name, SNAPSHOT_HEAD, &s, &err))) {
        const char *id = getenv("OCF_RESOURCE_INSTANCE");
        enum ocf_code code;

        if (id && way_out_is_last_good(result))
            error_add(&err, " Pacemaker tries again after: crm_resource --cleanup --resource %s", id);
        code = agent_fail(a, &err);
        return result == RESULT_NOT_FOUND ? OCF_ERR_CONFIGURED : code;
    }
    resource_init(&wanted);
    resource_free(&wanted);
    if (resource_copy(&wanted, &s.resource) || resource_copy(resource, &s.resource))
        result = error_system(&err, ENOMEM, "Reading the properties of %s", a->name);
    else if (!(result = check_kind(a, &wanted, &err)))
        result = check_place(a, &wanted, &err);
    resource_free(&wanted);
    snapshot_free(&s);
    if (!result)
        return OCF_SUCCESS;
    resource_free(resource);
    return agent_fail(a, &err);
}

int agent_ask(const struct agent *a, struct monitor_status *status, struct error *err)
{
    struct message reply;
    struct unpack u;
    int sock, result;

    err->code = RESULT_OK;
    if ((sock = ctl_connect(&a->cli, a->name, err)) < 0)
        return err->code ? -1 : 0;
    result = ctl_ask(sock, CTL_STATUS, NULL, NULL, CTL_QUICK_MS, &reply, &u, err);
    close(sock);
    if (result)
        return -1;
    if ((result = unpack_monitor_status(&u, status)))
        error_set(err, RESULT_INVALID, "The monitor of %s answers in words this version does not "
                                       "know: it is another version.", a->name);
    message_free(&reply);
    return result ? -1 : 1;
}

/* What the agent has on its command line, as the struct says it. */
static int read_numbers(struct agent *a, const char *timeout, const char *depth, const char *max_lag,
                        struct error *err)
{
    char *end;

    a->timeout_ms = DEFAULT_TIMEOUT_MS;
    a->max_lag_ms = DEFAULT_MAX_LAG_MS;
    if (timeout && cli_seconds("timeout", timeout, &a->timeout_ms, err))
        return err->code;
    if (depth && strcmp(depth, "0") && strcmp(depth, "10") && strcmp(depth, "20"))
        return error_set(err, RESULT_USAGE, "--depth: \"%s\" is none of 0, 10, 20.", depth);
    a->depth = depth ? atoi(depth) : 0;
    if (max_lag) {
        unsigned long ms = strtoul(max_lag, &end, 10);

        if (*max_lag < '0' || *max_lag > '9' || *end || ms > 86400000)
            return error_set(err, RESULT_USAGE,
                             "--max-lag: \"%s\" is not a number of milliseconds up to a day.", max_lag);
        a->max_lag_ms = (uint32_t)ms;
    }
    a->deadline_ms = progress_now_ms() + a->timeout_ms;
    return resource_name_check(a->name, err);
}

/* One action. */
static int act(struct agent *a, const char *action)
{
    struct resource resource;
    enum ocf_code code;

    if (!strcmp(action, "start"))
        return agent_start(a);
    if (!strcmp(action, "stop"))
        return agent_stop(a);
    if (!strcmp(action, "monitor"))
        return agent_monitor(a);
    if (strcmp(action, "validate"))
        return cli_usage(&a->cli, "There is no action \"%s\": start, stop, monitor or validate.", action);
    if ((code = agent_validate(a, &resource)) == OCF_SUCCESS)
        resource_free(&resource);
    return code;
}

/* Waits for the child until the deadline; false: it is not over.  What cannot die is left behind. */
static bool wait_bounded(const struct agent *a, pid_t pid, int *status)
{
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (!agent_left_ms(a)) {
            kill(pid, SIGKILL);
            return false;
        }
        poll(NULL, 0, PAUSE_MS);
    }
    return true;
}

/* A monitor that is not over in time: what its own regckpt-monitor says. */
static enum ocf_code late(const struct agent *a, struct error *err)
{
    struct monitor_status m = {0};
    int there = agent_ask(a, &m, err);

    if (there < 0)
        return agent_fail(a, err);
    if (there)
        monitor_status_free(&m);
    if (there && *a->asks_wine)
        return agent_fail(a, (error_set(err, RESULT_TIMEOUT, "Wine does not answer in time whether the service "
                                        "of %s runs: its wineserver or service manager hangs.", a->name), err));
    cli_note(&a->cli, "%s: its monitor %s, more is not known in time. Does the storage hang?", a->name,
             there ? "answers" : "is not here");
    return there ? OCF_DEGRADED : OCF_NOT_RUNNING;
}

/*
 * The action in a child process, since a call to storage may never return.  The monitor answers then, too:
 * what runs while storage does not answer is not a failure, but not well.  What waits for Wine is one: the
 * service in there waits, too.
 */
static int act_bounded(struct agent *a, const char *action)
{
    bool monitor = !strcmp(action, "monitor");
    struct error err = {0};
    int status = 0;
    pid_t pid;

    a->asks_wine = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (a->asks_wine == MAP_FAILED)
        return agent_fail(a, (error_system(&err, errno, "Getting memory for %s", action), &err));
    if (monitor) /* leaves the time for that question */
        a->deadline_ms -= a->timeout_ms / 4;
    fflush(NULL);
    if (!(pid = fork())) {
        int code;

        store_is_watched();
        code = act(a, action);

        fflush(NULL);
        _exit(code);
    }
    if (pid < 0)
        return agent_fail(a, (error_system(&err, errno, "Starting a process for %s", action), &err));
    if (wait_bounded(a, pid, &status) && WIFEXITED(status))
        return WEXITSTATUS(status);
    if (monitor)
        return late(a, &err);
    error_set(&err, RESULT_TIMEOUT, "%s of %s is not over in time. Does the storage answer?", action,
              a->name);
    return agent_fail(a, &err);
}

int verb_agent(int argc, char **argv)
{
    const char *timeout = NULL, *depth = NULL, *max_lag = NULL;
    struct agent a = {0};
    const struct cli_option options[] = {
        {"depth", OPTION_TEXT, &depth, "N", "of monitor: 0 its monitor, 10 its program, 20 its protection"},
        {"kind", OPTION_TEXT, &a.kind, "KIND", "what it has to be: service or application"},
        {"max-lag", OPTION_TEXT, &max_lag, "MS", "more is not well, at depth 20 (10000)"},
        {"prefix", OPTION_TEXT, &a.prefix, "DIR", "the Wine prefix on this node"},
        {"timeout", OPTION_TEXT, &timeout, "S", "for all of the action (60)"},
        {"user", OPTION_TEXT, &a.user, "USER", "the Unix user it runs as"},
        {"wine", OPTION_TEXT, &a.wine, "PATH", "Wine's loader, or a tree with it"},
        {0},
    };
    struct error err = {0};
    int code = cli_begin(&a.cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code == EXIT_USAGE ? OCF_ERR_CONFIGURED : code;
    a.name = a.cli.args[1];
    if (read_numbers(&a, timeout, depth, max_lag, &err))
        code = agent_fail(&a, &err);
    else
        code = act_bounded(&a, a.cli.args[0]);
    cli_end(&a.cli);
    return code;
}
