/* Files that jobs send into their working directories: handlers, listed in
 * h_submit.c's table. */
#ifndef SORTIE_SERVER_FILES_H
#define SORTIE_SERVER_FILES_H

struct req;

void files_put(struct req *r);
void files_get(struct req *r);
void files_head(struct req *r);

#endif
