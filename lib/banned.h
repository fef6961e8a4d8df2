/*
 * Functions that nobody may call here, each with the one to take instead.
 * The build includes this file in front of every source; the headers that
 * declare the functions come first, for they must still be able to.
 *
 *   strcpy strcat sprintf vsprintf   struct buf, arena_printf, snprintf
 *   strtok                           strtok_r, strcspn
 *   gets tmpnam mktemp               fgets, mkstemp
 *   localtime gmtime ctime asctime   clock_format_utc, gmtime_r
 */
#ifndef SORTIE_LIB_BANNED_H
#define SORTIE_LIB_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

/* A macro where clang checks what is written where; gcc needs none. */
#undef sprintf

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets tmpnam mktemp
#pragma GCC poison localtime gmtime ctime asctime

#endif
