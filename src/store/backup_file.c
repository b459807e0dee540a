/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/backup_file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/checkpoint.h"
#include "store/schema.h"

/* All of both lines: a head is a few hundred bytes. */
enum { HEAD_MAX = 16 << 10, CHUNK = 256 << 10 };

static const char magic[] = "capstan-backup 1\n";

const char *const cs_backup_names[CS_BACKUP_PARTS] = {
	[CS_BACKUP_DATABASE] = CS_STORE_FILE, [CS_BACKUP_KEY] = CS_KEY_FILE, [CS_BACKUP_PUBLIC] = CS_PUBLIC_FILE, [CS_BACKUP_VAULT] = "vault",
	[CS_BACKUP_ARCHIVE] = "archive.pack",
};

/* ---- bytes ------------------------------------------------------------------------------ */

static ssize_t read_some(int fd, void *p, size_t n)
{
	ssize_t r;
	do
		r = read(fd, p, n);
	while (r < 0 && errno == EINTR);
	return r;
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno != EINTR)
			return false;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return true;
}

typedef struct passage {
	int from, to;                  /* to -1: only the digest is of interest */
	const char *from_name, *to_name;
	cs_backup_ear ear;
	const char *word;
	int64_t *done, total;          /* over all parts */
} passage;

/* SIZE bytes, and their digest. CS_EAGAIN, without a message: FROM ended before that. */
static int pass(const passage *p, int64_t size, char ret_hex[CS_HEX_SIZE], cs_err *err)
{
	CS_AUTOFREE char *chunk = cs_xcalloc(1, CHUNK);
	uint8_t hash[CS_HASH_LEN];
	cs_sha256 *h = cs_sha256_new();
	int rc = CS_OK;
	cs_sha256_begin(h);
	while (rc == CS_OK && size > 0) {
		ssize_t n = read_some(p->from, chunk, size < CHUNK ? (size_t)size : (size_t)CHUNK);
		if (n < 0)
			rc = cs_err_sys(err, errno, "cannot read %s", p->from_name);
		else if (n == 0)
			rc = CS_EAGAIN;
		else if (p->to >= 0 && !write_all(p->to, chunk, (size_t)n))
			rc = cs_err_sys(err, errno, "cannot write %s", p->to_name);
		if (rc != CS_OK)
			break;
		cs_sha256_add(h, chunk, (size_t)n);
		size -= n;
		*p->done += n;
		if (p->ear.fn)
			p->ear.fn(p->ear.ctx, p->word, *p->done, p->total);
	}
	cs_sha256_end(h, hash);
	cs_sha256_free(h);
	cs_hex(hash, sizeof hash, ret_hex);
	return rc;
}

int cs_backup_measure(const char *path, cs_backup_part *ret, cs_err *err)
{
	struct stat st;
	int64_t done = 0;
	CS_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return CS_OK;
	if (fd < 0 || fstat(fd, &st) != 0)
		return cs_err_sys(err, errno, "cannot read %s", path);
	if (!S_ISREG(st.st_mode))
		return cs_err_set(err, CS_EINVAL, "%s: is not a regular file; move it away", path);
	passage p = { .from = fd, .to = -1, .from_name = path, .to_name = "", .done = &done };
	cs_backup_part part = { .there = true, .size = (int64_t)st.st_size };
	int rc = pass(&p, part.size, part.sha256, err);
	if (rc == CS_EAGAIN)
		return cs_err_set(err, CS_EIO, "%s became shorter while it was read; try again", path);
	if (rc == CS_OK)
		*ret = part;
	return rc;
}

/* ---- writing ---------------------------------------------------------------------------- */

static json_t *head_json(const cs_backup_contents *c)
{
	json_t *parts = json_array();
	for (size_t i = 0; i < CS_BACKUP_PARTS; i++)
		if (c->part[i].there)
			json_array_append_new(parts, json_pack("{s:s, s:I, s:s}", "name", cs_backup_names[i], "size", (json_int_t)c->part[i].size,
							       "sha256", c->part[i].sha256));
	return json_pack("{s:I, s:I, s:s, s:I, s:I, s:o}", "at", (json_int_t)c->about.at, "events", (json_int_t)c->about.events, "head", c->about.head,
			 "format", (json_int_t)c->about.format, "incarnation", (json_int_t)c->about.incarnation, "parts", parts);
}

static int64_t sum(const cs_backup_contents *c)
{
	int64_t n = 0;
	for (size_t i = 0; i < CS_BACKUP_PARTS; i++)
		n += c->part[i].there ? c->part[i].size : 0;
	return n;
}

static int put_part(int fd, const char *from, const cs_backup_contents *c, size_t i, int64_t *done, cs_backup_ear ear, cs_err *err)
{
	char hex[CS_HEX_SIZE];
	CS_AUTOFREE char *path = cs_path_join(from, cs_backup_names[i]);
	CS_AUTOCLOSE int in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0)
		return cs_err_sys(err, errno, "cannot read %s", path);
	passage p = { .from = in, .to = fd, .from_name = path, .to_name = "the backup", .ear = ear, .word = "write", .done = done, .total = sum(c) };
	int rc = pass(&p, c->part[i].size, hex, err);
	if (rc == CS_EAGAIN || (rc == CS_OK && strcmp(hex, c->part[i].sha256) != 0))
		return cs_err_set(err, CS_EIO, "%s changed while it was read; try again", path);
	return rc;
}

int cs_backup_put(int fd, const char *from, cs_backup_contents *c, cs_backup_ear ear, cs_err *err)
{
	CS_AUTOJSON json_t *head = head_json(c);
	CS_AUTOFREE char *line = cs_json_text(head);
	int64_t done = 0;
	size_t n = strlen(line);
	if (!write_all(fd, magic, sizeof magic - 1) || !write_all(fd, line, n) || !write_all(fd, "\n", 1))
		return cs_err_sys(err, errno, "cannot write the backup");
	int rc = CS_OK;
	for (size_t i = 0; rc == CS_OK && i < CS_BACKUP_PARTS; i++)
		if (c->part[i].there)
			rc = put_part(fd, from, c, i, &done, ear, err);
	if (rc == CS_OK && fsync(fd) != 0)
		return cs_err_sys(err, errno, "cannot write the backup");
	c->begin = (int64_t)(sizeof magic - 1 + n + 1);
	c->about.bytes = c->begin + sum(c);
	return rc;
}

/* ---- reading ---------------------------------------------------------------------------- */

static int no_backup(const char *file, cs_err *err)
{
	return cs_err_set(err, CS_EINVAL, "%s: is not a backup of capstan, or its beginning is damaged", file);
}

static size_t part_of(const char *name)
{
	size_t i = 0;
	while (i < CS_BACKUP_PARTS && strcmp(cs_backup_names[i], name) != 0)
		i++;
	return i;
}

/* Parts in our order, each once, the database among them; of sizes that together are LEFT. */
static bool take_parts(const json_t *parts, int64_t left, cs_backup_contents *c)
{
	size_t k, next = 0;
	json_t *one;
	json_array_foreach(parts, k, one) {
		const char *sha = cs_json_str_or(one, "sha256", "");
		uint8_t bytes[CS_HASH_LEN];
		size_t i = part_of(cs_json_str_or(one, "name", ""));
		int64_t size = cs_json_int_or(one, "size", -1);
		if (i < next || i >= CS_BACKUP_PARTS || size < 0 || size > left || cs_unhex(sha, bytes, sizeof bytes))
			return false;
		c->part[i] = (cs_backup_part){ .there = true, .size = size };
		memcpy(c->part[i].sha256, sha, CS_HEX_SIZE);
		left -= size;
		next = i + 1;
	}
	return left == 0 && c->part[CS_BACKUP_DATABASE].there;
}

static bool take_head(const json_t *head, int64_t size, cs_backup_contents *c)
{
	const char *hash = cs_json_str_or(head, "head", "");
	uint8_t bytes[CS_HASH_LEN];
	c->about = (cs_backup){ .at = cs_json_int_or(head, "at", -1), .events = cs_json_int_or(head, "events", -1),
				.format = cs_json_int_or(head, "format", 0), .incarnation = cs_json_int_or(head, "incarnation", -1), .bytes = size };
	if (c->about.at < 0 || c->about.events < 0 || c->about.format < 1 || c->about.incarnation < 0 || cs_unhex(hash, bytes, sizeof bytes))
		return false;
	memcpy(c->about.head, hash, CS_HEX_SIZE);
	return true;
}

/* The second line, whose end is looked for in the first HEAD_MAX bytes. */
static int parse_head(const char *text, size_t n, int64_t size, const char *file, cs_backup_contents *ret, cs_err *err)
{
	cs_backup_contents c = { 0 };
	CS_AUTOJSON json_t *head = NULL;
	size_t first = sizeof magic - 1;
	if (n < first || memcmp(text, magic, first) != 0) {
		if (n > strlen("capstan-backup ") && memcmp(text, magic, strlen("capstan-backup ")) == 0)
			return cs_err_set(err, CS_EUNAVAIL, "%s: is a backup of a kind that this capstan does not know; update capstan", file);
		return no_backup(file, err);
	}
	const char *end = memchr(text + first, '\n', n - first);
	if (!end || cs_json_parse(text + first, (size_t)(end - text) - first, &head, NULL) != CS_OK || !take_head(head, size, &c))
		return no_backup(file, err);
	if (c.about.format > CS_STORE_VERSION)
		return cs_err_set(err, CS_EUNAVAIL, "%s: was written by a newer capstan (format %lld, this one knows %d); update capstan", file,
				  (long long)c.about.format, CS_STORE_VERSION);
	c.begin = end + 1 - text;
	if (!take_parts(json_object_get(head, "parts"), size - c.begin, &c))
		return cs_err_set(err, CS_EIO, "%s: is damaged: it has not the parts, or not the size, that its beginning tells; take another backup",
				  file);
	c.about.key = c.part[CS_BACKUP_KEY].there;
	c.about.vault = c.part[CS_BACKUP_VAULT].there;
	*ret = c;
	return CS_OK;
}

int cs_backup_read_head(int fd, const char *file, cs_backup_contents *ret, cs_err *err)
{
	CS_AUTOFREE char *text = cs_xcalloc(1, HEAD_MAX);
	struct stat st;
	size_t n = 0;
	if (fstat(fd, &st) != 0)
		return cs_err_sys(err, errno, "cannot read %s", file);
	if (!S_ISREG(st.st_mode))
		return no_backup(file, err);
	while (n < HEAD_MAX) {
		ssize_t r = read_some(fd, text + n, HEAD_MAX - n);
		if (r < 0)
			return cs_err_sys(err, errno, "cannot read %s", file);
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return parse_head(text, n, (int64_t)st.st_size, file, ret, err);
}

static int get_part(passage *p, const cs_backup_contents *c, size_t i, const char *into, cs_err *err)
{
	char hex[CS_HEX_SIZE];
	CS_AUTOFREE char *path = cs_path_join(into != NULL ? into : "", cs_backup_names[i]);
	CS_AUTOCLOSE int out = into != NULL ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
	if (into != NULL && out < 0)
		return cs_err_sys(err, errno, "cannot write %s", path);
	p->to = out;
	p->to_name = path;
	int rc = pass(p, c->part[i].size, hex, err);
	if (rc == CS_EAGAIN || (rc == CS_OK && strcmp(hex, c->part[i].sha256) != 0))
		return cs_err_set(err, CS_EIO, "%s: is damaged in its part %s; take another backup", p->from_name, cs_backup_names[i]);
	if (rc == CS_OK && out >= 0 && fsync(out) != 0)
		return cs_err_sys(err, errno, "cannot write %s", path);
	return rc;
}

int cs_backup_get(int fd, const char *file, const cs_backup_contents *c, const char *into, cs_backup_ear ear, cs_err *err)
{
	int64_t done = 0;
	passage p = { .from = fd, .from_name = file, .ear = ear, .word = "read", .done = &done, .total = sum(c) };
	if (lseek(fd, (off_t)c->begin, SEEK_SET) < 0)
		return cs_err_sys(err, errno, "cannot read %s", file);
	int rc = CS_OK;
	for (size_t i = 0; rc == CS_OK && i < CS_BACKUP_PARTS; i++)
		if (c->part[i].there)
			rc = get_part(&p, c, i, into, err);
	return rc;
}
