/*
 * Tells systemd how the server is, by its documented protocol (one datagram
 * to the socket named in NOTIFY_SOCKET); does nothing elsewhere.
 */
#ifndef SORTIE_SERVER_SDNOTIFY_H
#define SORTIE_SERVER_SDNOTIFY_H

struct event_base;

/* state: "READY=1", "STOPPING=1\nSTATUS=draining" ... */
void sdnotify_send(const char *state);
void sdnotify_ready(void);
void sdnotify_reloading(void);
void sdnotify_stopping(void);
/* Answers the watchdog from the loop, if systemd asks for it. Once. */
void sdnotify_watchdog(struct event_base *base);

#endif
