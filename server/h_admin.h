/* Handlers of administration that stand in files of their own. */
#ifndef SORTIE_SERVER_H_ADMIN_H
#define SORTIE_SERVER_H_ADMIN_H

#include "server/req.h"

/* h_admin_site.c */
void h_admin_sites_get(struct req *r);
void h_admin_site_get(struct req *r);
void h_admin_site_put(struct req *r);
void h_admin_site_delete(struct req *r);

/* The {name} of the path, checked; what: "site", "limit". */
bool h_admin_name(struct req *r, const char *what, struct err *e) MUST_CHECK;
/* page_size and cursor of a list by names; *after is NULL on the first page. */
bool h_admin_page(struct req *r, int32_t *page, const char **after,
		  struct err *e) MUST_CHECK;

#endif
