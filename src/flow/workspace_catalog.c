/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Catalogs on disk: folders of functions below the workspace, laid out as the standard's own
 * catalog is: functions/NAME/VERSION/function.yaml. Source: dsl.md, "Catalogs", "File Structure". */
#include "flow/workspace.h"

#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "flow/workspace_priv.h"

/* file://./X and file:X stand below the workspace; file:///X is absolute. */
static char *folder_of(const cs_workspace *w, const char *endpoint)
{
	const char *path = endpoint + strlen("file:");
	if (strncmp(path, "//", 2) == 0)
		path += 2;
	return *path == '/' ? cs_xstrdup(path) : cs_path_join(w->dir, path);
}

/* Does PATH, links followed, stand below the workspace? */
static bool is_inside(const cs_workspace *w, const char *path)
{
	char *real CS_AUTOFREE = realpath(path, NULL);
	size_t n = strlen(w->dir);
	return real && strncmp(real, w->dir, n) == 0 && real[n] == '/';
}

int cs_workspace_catalog(void *ctx, const char *full, const char *endpoint, const char *name, const char *version,
			 json_t **ret, cs_source **ret_src, cs_err *err)
{
	const cs_workspace *w = ctx;
	if (strncmp(endpoint, "file:", 5) != 0)
		return cs_err_set(err, CS_EUNSUPPORTED, "%s is in no catalog on disk; only folders below the workspace are read", full);
	char *folder CS_AUTOFREE = folder_of(w, endpoint);
	char *path CS_AUTOFREE = cs_xasprintf("%s/functions/%s/%s/function.yaml", folder, name, version);
	if (!cs_file_exists(path))
		return cs_err_set(err, CS_ENOTFOUND, "there is no function %s: %s is not there", full, path);
	if (!is_inside(w, path))
		return cs_err_set(err, CS_EREFUSED, "the catalog of %s is outside of the workspace; copy it below %s", full, w->dir);
	return cs_yaml_load(path, NULL, ret, ret_src, err);
}

int cs_workspace_resource(void *ctx, const char *uri, char **ret, cs_err *err)
{
	enum { RESOURCE_MAX = 256 << 10 };
	const cs_workspace *w = ctx;
	char *path CS_AUTOFREE = folder_of(w, uri);
	if (!cs_file_exists(path))
		return cs_err_set(err, CS_ENOTFOUND, "%s is not there: no file %s", uri, path);
	if (!is_inside(w, path))
		return cs_err_set(err, CS_EREFUSED, "%s is outside of the workspace; copy it below %s", uri, w->dir);
	cs_buf text CS_AUTOBUF;
	cs_buf_init(&text, RESOURCE_MAX);
	int r = cs_file_read(path, &text, err);
	if (r < 0)
		return r;
	if (!cs_utf8_valid(text.data, text.len) || memchr(text.data, '\0', text.len))
		return cs_err_set(err, CS_EINVAL, "%s is no text in UTF-8", uri);
	*ret = cs_buf_steal(&text);
	return CS_OK;
}
