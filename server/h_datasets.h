/* Handlers of datasets that stand in files of their own. */
#ifndef SORTIE_SERVER_H_DATASETS_H
#define SORTIE_SERVER_H_DATASETS_H

#include "server/req.h"

void h_datasets_register(struct req *r); /* h_datasets_register.c */

#endif
