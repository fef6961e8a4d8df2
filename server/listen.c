/* Makes listening sockets, or takes those that systemd made. */
#include "server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "lib/units.h"

#define BACKLOG 4096
#define DEFAULT_PORT "7900"
#define FIRST_INHERITED_FD 3
#define SOCKETS_MAX 64

static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static bool port_check(const char *text, const char *port, struct err *e)
{
	int64_t n;

	if (units_parse_i64(port, 0, 65535, &n, e))
		return true;
	return err_prefix(e, "the port in \"%s\"", text);
}

static bool parse_tcp(struct arena *a, const char *s, struct listen_addr *out,
		      struct err *e)
{
	const char *colon = strrchr(s, ':');
	const char *bracket = strrchr(s, ']');
	size_t len;

	if (bracket != NULL && (colon == NULL || colon < bracket))
		colon = NULL;
	out->port = colon == NULL ? DEFAULT_PORT : arena_strdup(a, colon + 1);
	len = colon == NULL ? strlen(s) : (size_t)(colon - s);
	if (colon == NULL && s[strspn(s, "0123456789")] == '\0') {
		out->port = arena_strdup(a, s);
		len = 0;
	}
	if (len >= 2 && s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
	} else if (memchr(s, ':', len) != NULL) {
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\": write a version 6 "
			       "address in brackets, like [::1]:7900",
			       out->text);
	}
	if (len == 1 && s[0] == '*')
		len = 0;
	out->host = arena_strndup(a, s, len);
	return port_check(out->text, out->port, e);
}

bool listen_parse(struct arena *a, const char *text, struct listen_addr *out,
		  struct err *e)
{
	const char *s;

	memset(out, 0, sizeof(*out));
	out->text = arena_strdup(a, text);
	s = after(out->text, "unix:");
	if (s != NULL) {
		if (s[0] != '/')
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%s\": a Unix "
				       "socket's path begins with /",
				       text);
		out->path = s;
		return true;
	}
	s = after(out->text, "https://");
	out->tls = s != NULL;
	if (s == NULL) {
		s = after(out->text, "http://");
		out->plain = s != NULL;
	}
	if (s == NULL)
		s = out->text;
	if (*s == '\0')
		return err_set(e, ERR_BAD_REQUEST,
			       "an address to listen on "
			       "is empty: HOST:PORT or unix:PATH");
	return parse_tcp(a, s, out, e);
}

static bool is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	}
	return sa->sa_family == AF_UNIX;
}

bool listen_is_open(const struct listen_addr *addr)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV |
					      AI_PASSIVE };
	struct addrinfo *list;
	bool open;

	if (addr->path != NULL ||
	    getaddrinfo(addr->host[0] == '\0' ? NULL : addr->host, addr->port,
			&hints, &list) != 0)
		return false;
	open = !is_loopback(list->ai_addr);
	freeaddrinfo(list);
	return open;
}

/* TLS sends headers and body as two records: without this each reply waits
 * 40 ms for the peer's delayed acknowledgement (measured: 353 against 29,000
 * requests a second). Accepted sockets inherit it. */
static void no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void socket_describe(struct arena *a, struct listen_socket *s)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	char host[NI_MAXHOST], port[NI_MAXSERV];
	const struct sockaddr_un *un = (const void *)&ss;

	if (getsockname(s->fd, (struct sockaddr *)&ss, &len) != 0)
		ss.ss_family = AF_UNSPEC;
	s->unix_socket = ss.ss_family == AF_UNIX;
	s->loopback = is_loopback((const struct sockaddr *)&ss);
	s->text = "?";
	if (s->unix_socket)
		s->text = arena_printf(a, "unix:%.*s",
				       (int)sizeof(un->sun_path), un->sun_path);
	else if (getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host),
			     port, sizeof(port),
			     NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		s->text = arena_printf(
			a, strchr(host, ':') != NULL ? "%s[%s]:%s" : "%s%s:%s",
			s->tls ? "https://" : "http://", host, port);
}

static int open_one(const struct addrinfo *ai)
{
	int on = 1;
	int fd = socket(ai->ai_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	no_delay(fd);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static bool open_tcp(struct arena *a, const struct listen_addr *addr,
		     struct listen_socket *out, size_t *n, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE };
	struct addrinfo *list, *ai;
	int rc = getaddrinfo(addr->host[0] == '\0' ? NULL : addr->host,
			     addr->port, &hints, &list);
	int saved = 0;

	if (rc != 0)
		return err_set(e, ERR_IO, "cannot listen on \"%s\": %s",
			       addr->text, gai_strerror(rc));
	*n = 0;
	for (ai = list; ai != NULL && *n < SOCKETS_MAX; ai = ai->ai_next) {
		int fd = open_one(ai);

		if (fd < 0) {
			/* A machine without version 6 is none of our
			 * business as long as one address works. */
			if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
				saved = errno;
			else if (saved == 0 && *n == 0)
				saved = -errno;
			continue;
		}
		out[*n] = (struct listen_socket){ .fd = fd, .tls = addr->tls };
		socket_describe(a, &out[(*n)++]);
	}
	freeaddrinfo(list);
	if (*n > 0 && saved <= 0)
		return true;
	while (*n > 0)
		close(out[--*n].fd);
	errno = saved < 0 ? -saved : saved;
	if (errno == EADDRINUSE)
		return err_set(e, ERR_IO,
			       "cannot listen on \"%s\": another "
			       "program does; stop it or choose another "
			       "address with --listen",
			       addr->text);
	return err_set_errno(e, ERR_IO, "cannot listen on \"%s\"", addr->text);
}

static bool group_id(const char *name, gid_t *gid, struct err *e)
{
	struct group g, *found = NULL;
	char text[16384];

	if (getgrnam_r(name, &g, text, sizeof(text), &found) != 0 ||
	    found == NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "there is no group \"%s\" (--socket-group)",
			       name);
	*gid = g.gr_gid;
	return true;
}

/* A file that a dead server left is removed, a living server's is not. */
static bool clear_stale(const struct listen_addr *addr,
			const struct sockaddr_un *un, struct err *e)
{
	struct stat st;
	int fd, rc;

	if (lstat(un->sun_path, &st) != 0)
		return true;
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_IO,
			       "cannot listen on \"%s\": there is "
			       "a file of another kind",
			       addr->text);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_errno(e, ERR_IO, "cannot make a socket");
	rc = connect(fd, (const struct sockaddr *)un, sizeof(*un));
	if (rc != 0 && errno == ECONNREFUSED)
		rc = unlink(un->sun_path);
	else
		rc = rc == 0 ? 1 : -1;
	close(fd);
	if (rc == 0)
		return true;
	if (rc > 0)
		return err_set(e, ERR_IO,
			       "cannot listen on \"%s\": another "
			       "server does",
			       addr->text);
	return err_set_errno(e, ERR_IO, "cannot replace the socket \"%s\"",
			     addr->text);
}

static bool bind_unix(int fd, const struct listen_addr *addr,
		      const struct sockaddr_un *un, const char *group,
		      struct err *e)
{
	mode_t old = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)un, sizeof(*un));
	gid_t gid = 0;

	umask(old);
	if (rc != 0)
		return err_set_errno(e, ERR_IO, "cannot listen on \"%s\"",
				     addr->text);
	if (group != NULL) {
		if (!group_id(group, &gid, e))
			return false;
		if (chown(un->sun_path, (uid_t)-1, gid) != 0 ||
		    chmod(un->sun_path, 0660) != 0)
			return err_set_errno(e, ERR_IO,
					     "cannot give \"%s\" "
					     "to the group \"%s\"",
					     addr->text, group);
	}
	if (listen(fd, BACKLOG) != 0)
		return err_set_errno(e, ERR_IO, "cannot listen on \"%s\"",
				     addr->text);
	return true;
}

static bool open_unix(struct arena *a, const struct listen_addr *addr,
		      const char *group, struct listen_socket *out, size_t *n,
		      struct err *e)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(addr->path) >= sizeof(un.sun_path))
		return err_set(e, ERR_BAD_REQUEST,
			       "cannot listen on \"%s\": "
			       "the path of a Unix socket has at most %zu "
			       "bytes",
			       addr->text, sizeof(un.sun_path) - 1);
	memcpy(un.sun_path, addr->path, strlen(addr->path) + 1);
	if (!clear_stale(addr, &un, e))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_errno(e, ERR_IO, "cannot make a socket");
	if (!bind_unix(fd, addr, &un, group, e)) {
		close(fd);
		return false;
	}
	*out = (struct listen_socket){ .fd = fd };
	socket_describe(a, out);
	*n = 1;
	return true;
}

bool listen_open(struct arena *a, const struct listen_addr *addr,
		 const char *group, struct listen_socket **out, size_t *n,
		 struct err *e)
{
	*out = ARENA_ARRAY(a, struct listen_socket, SOCKETS_MAX);
	*n = 0;
	if (addr->path != NULL)
		return open_unix(a, addr, group, *out, n, e);
	return open_tcp(a, addr, *out, n, e);
}

static bool inherit_one(struct arena *a, int fd, struct listen_socket *out,
			struct err *e)
{
	int listening = 0, type = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
	    listening == 0 || type != SOCK_STREAM)
		return err_set(e, ERR_IO,
			       "file %d that systemd passed is no "
			       "listening stream socket",
			       fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		return err_set_errno(e, ERR_IO,
				     "cannot prepare the socket "
				     "that systemd passed");
	out->fd = fd;
	socket_describe(a, out);
	if (!out->unix_socket)
		no_delay(fd);
	return true;
}

bool listen_inherited(struct arena *a, struct listen_socket **out, size_t *n,
		      struct err *e)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	bool ours = pid != NULL && count != NULL &&
		    strtoll(pid, NULL, 10) == (long long)getpid();
	int64_t fds = 0;

	*n = 0;
	*out = NULL;
	if (ours && !units_parse_i64(count, 0, SOCKETS_MAX, &fds, e))
		return err_prefix(e, "LISTEN_FDS in the environment");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (fds == 0)
		return true;
	*out = ARENA_ARRAY(a, struct listen_socket, fds);
	for (int64_t i = 0; i < fds; i++) {
		if (!inherit_one(a, FIRST_INHERITED_FD + (int)i, &(*out)[i], e))
			return false;
	}
	*n = (size_t)fds;
	return true;
}

void listen_unlink(const struct listen_socket *s)
{
	const char *path = after(s->text, "unix:");

	if (path != NULL)
		unlink(path);
}

int listen_peer_uid(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return -1;
	return (int)cred.uid;
}
