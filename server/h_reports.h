/* Handlers of reports that stand in files of their own. */
#ifndef SORTIE_SERVER_H_REPORTS_H
#define SORTIE_SERVER_H_REPORTS_H

#include "server/req.h"

void h_reports_events(struct req *r); /* h_reports_events.c */
void h_reports_note(struct req *r);   /* h_reports_events.c */

#endif
