/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What we do not call; included by the build into every translation unit of ours. */
#ifndef CS_BASE_BANNED_H
#define CS_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok system popen atoi localtime gmtime rand

#endif
