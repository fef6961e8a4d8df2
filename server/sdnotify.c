/* Speaks systemd's notification protocol, without its library. */
#include "server/sdnotify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <event2/event.h>
#include "lib/clock.h"
#include "lib/log.h"

void sdnotify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = path == NULL ? 0 : strlen(path);
	int fd;

	if (len < 2 || len > sizeof(un.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(un.sun_path, path, len);
	if (path[0] == '@')
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		   (struct sockaddr *)&un,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) <
	    0)
		log_warn("cannot tell the service manager \"%s\": %s", state,
			 strerror(errno));
	close(fd);
}

void sdnotify_ready(void)
{
	sdnotify_send("READY=1\nSTATUS=serving");
}

/* systemd wants the time at which the reload began, on its own clock. */
void sdnotify_reloading(void)
{
	char text[80];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)clock_mono_us());
	sdnotify_send(text);
}

void sdnotify_stopping(void)
{
	sdnotify_send("STOPPING=1\nSTATUS=draining");
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	sdnotify_send("WATCHDOG=1");
}

void sdnotify_watchdog(struct event_base *base)
{
	const char *us = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	long long period = us == NULL ? 0 : strtoll(us, NULL, 10) / 2;
	struct timeval tv;
	struct event *ev;

	if (period <= 0 ||
	    (pid != NULL && strtoll(pid, NULL, 10) != (long long)getpid()))
		return;
	tv.tv_sec = (time_t)(period / 1000000);
	tv.tv_usec = (suseconds_t)(period % 1000000);
	ev = event_new(base, -1, EV_PERSIST, on_watchdog, NULL);
	if (ev == NULL || event_add(ev, &tv) != 0)
		log_warn("cannot answer the service manager's watchdog");
}
