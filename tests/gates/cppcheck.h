/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What cppcheck is told in place of base/mem.h and jansson.h, whose macros it cannot read: it knows
 * neither statement expressions nor, without the system's headers, loops made by a macro. */
#define CS_BASE_MEM_H
#define CS_CLEANUP(fn)
#define CS_AUTOFREE
#define CS_AUTOJSON
#define CS_AUTOCLOSE
#define CS_STEAL(p) (p)
#define CS_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define json_object_foreach(object, key, value) \
	for (key = json_object_iter_key(json_object_iter(object)); \
	     key && (value = json_object_iter_value(json_object_key_to_iter(key))); \
	     key = json_object_iter_key(json_object_iter_next(object, json_object_key_to_iter(key))))
#define json_object_foreach_safe(object, n, key, value) \
	for (key = json_object_iter_key(json_object_iter(object)), \
	     n = json_object_iter_next(object, json_object_key_to_iter(key)); \
	     key && (value = json_object_iter_value(json_object_key_to_iter(key))); \
	     key = json_object_iter_key(n), n = json_object_iter_next(object, json_object_key_to_iter(key)))
#define json_array_foreach(array, index, value) \
	for (index = 0; index < json_array_size(array) && (value = json_array_get(array, index)); index++)
