/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vault/vault_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "flow/secret.h"

struct cs_vault {
	pthread_mutex_t lock;
	char *path, *lock_path;
	json_t *doc;              /* as it was last read; NULL: not yet, or none */
	struct stat seen;         /* of the file that doc is from */
	uint8_t *key;             /* in guarded memory; NULL: locked */
};

cs_vault *cs_vault_new(const char *state_dir)
{
	cs_vault *v = cs_xcalloc(1, sizeof *v);
	if (sodium_init() < 0)
		abort();
	pthread_mutex_init(&v->lock, NULL);
	v->path = cs_path_join(state_dir, CS_VAULT_FILE);
	v->lock_path = cs_path_join(state_dir, CS_VAULT_FILE ".lock");
	return v;
}

static void forget_key(cs_vault *v)
{
	sodium_free(v->key);      /* wipes it; takes NULL */
	v->key = NULL;
}

void cs_vault_free(cs_vault *v)
{
	if (!v)
		return;
	forget_key(v);
	json_decref(v->doc);
	free(v->path);
	free(v->lock_path);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

void cs_vault_freep(cs_vault **v)
{
	cs_vault_free(*v);
	*v = NULL;
}

void cs_vault_harden(void)
{
	const struct rlimit none = { 0, 0 };
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

bool cs_vault_name_ok(const char *name)
{
	return cs_secret_name_ok(name);
}

/* ---- under the lock ---- */

static void hold(pthread_mutex_t *m)
{
	pthread_mutex_lock(m);
}

static void let_go(pthread_mutex_t **m)
{
	pthread_mutex_unlock(*m);
}

#define HOLD(v) hold(&(v)->lock); CS_CLEANUP(let_go) pthread_mutex_t *held_ = &(v)->lock; (void)held_

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void put_doc(cs_vault *v, json_t *doc)
{
	json_decref(v->doc);
	v->doc = doc;
}

/* The file as it is now. A key that no longer fits it is forgotten: another vault stands there. */
static int read_again(cs_vault *v, cs_err *err)
{
	struct stat now;
	json_t *doc = NULL;
	bool there = stat(v->path, &now) == 0;
	if (there && v->doc && same_file(&now, &v->seen))
		return CS_OK;
	int rc = cs_vault_file_read(v->path, &doc, err);
	if (rc == CS_OK && v->key)
		rc = cs_seal_verify(doc, v->key, err);
	if (rc != CS_OK) {
		json_decref(doc);
		put_doc(v, NULL);
		forget_key(v);
		return rc;
	}
	put_doc(v, doc);
	v->seen = now;
	return CS_OK;
}

static int take(cs_vault *v, const uint8_t key[CS_VAULT_KEY], cs_err *err)
{
	int rc = cs_seal_verify(v->doc, key, err);
	if (rc != CS_OK)
		return rc;
	cs_vault_harden();
	forget_key(v);
	v->key = sodium_malloc(CS_VAULT_KEY);
	if (!v->key)
		return cs_err_set(err, CS_ENOMEM, "there is no memory that can hold the vault's key");
	memcpy(v->key, key, CS_VAULT_KEY);
	return CS_OK;
}

static int locked(cs_err *err)
{
	return cs_err_set(err, CS_EUNAVAIL, "the vault is locked; open it: capstan vault unlock");
}

/* Writers of several processes, one after the other. -1: no lock file can be made. */
static int lock_file(const cs_vault *v)
{
	int fd = open(v->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int write_file(cs_vault *v, json_t *doc, cs_err *err)
{
	cs_seal_sign(doc, v->key);
	int rc = cs_vault_file_write(v->path, doc, err);
	if (rc == CS_OK)
		rc = stat(v->path, &v->seen) == 0 ? CS_OK : cs_err_sys(err, errno, "%s is written, but cannot be looked at", v->path);
	if (rc == CS_OK)
		put_doc(v, json_incref(doc));
	return rc;
}

/* ---- making one ---- */

static int create(cs_vault *v, const char *passphrase, size_t n, const uint8_t *opener, const char *path, cs_err *err)
{
	CS_AUTOJSON json_t *doc = NULL;
	uint8_t key[CS_VAULT_KEY];
	HOLD(v);
	CS_AUTOCLOSE int fd = lock_file(v);
	if (fd < 0)
		return cs_err_sys(err, errno, "the vault's lock file %s cannot be had", v->lock_path);
	if (cs_file_exists(v->path))
		return cs_err_set(err, CS_EREFUSED, "there is a vault already; what is in it would be lost. To begin anew, move %s away first", v->path);
	int rc = cs_seal_new(passphrase, n, opener, path, key, &doc, err);
	if (rc != CS_OK)
		return rc;
	put_doc(v, json_incref(doc));
	rc = take(v, key, err);
	sodium_memzero(key, sizeof key);
	if (rc == CS_OK && opener)
		rc = cs_file_write(path, opener, CS_VAULT_KEY, 0600, err);
	return rc == CS_OK ? write_file(v, doc, err) : rc;
}

int cs_vault_create(cs_vault *v, const char *passphrase, size_t n, cs_err *err)
{
	if (n == 0)
		return cs_err_set(err, CS_EINVAL, "a passphrase cannot be empty");
	return create(v, passphrase, n, NULL, NULL, err);
}

int cs_vault_create_with_file(cs_vault *v, const char *path, cs_err *err)
{
	uint8_t opener[CS_VAULT_KEY];
	if (path[0] != '/')
		return cs_err_set(err, CS_EINVAL, "the key file is named by its whole path, not by %s", path);
	if (cs_file_exists(path))
		return cs_err_set(err, CS_EREFUSED, "%s is there already; it may be another vault's key. Choose another name", path);
	randombytes_buf(opener, sizeof opener);
	int rc = create(v, NULL, 0, opener, path, err);
	sodium_memzero(opener, sizeof opener);
	return rc;
}

/* ---- opening ---- */

int cs_vault_look(cs_vault *v, cs_err *err)
{
	HOLD(v);
	return read_again(v, err);
}

char *cs_vault_key_file(cs_vault *v)
{
	HOLD(v);
	const json_t *unlock = read_again(v, NULL) == CS_OK ? json_object_get(v->doc, "unlock") : NULL;
	return strcmp(cs_json_str_or(unlock, "by", ""), "file") == 0 ? cs_xstrdup(cs_json_str(unlock, "path")) : NULL;
}

bool cs_vault_unlocked(cs_vault *v)
{
	HOLD(v);
	return v->key != NULL;
}

int cs_vault_unlock(cs_vault *v, const char *passphrase, size_t n, cs_err *err)
{
	uint8_t key[CS_VAULT_KEY];
	HOLD(v);
	int rc = read_again(v, err);
	if (rc == CS_OK)
		rc = cs_seal_open_passphrase(v->doc, passphrase, n, key, err);
	if (rc == CS_OK)
		rc = take(v, key, err);
	sodium_memzero(key, sizeof key);
	return rc;
}

static int read_opener(const char *path, uint8_t out[CS_VAULT_KEY], cs_err *err)
{
	cs_buf bytes;
	struct stat st;
	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
		return cs_err_set(err, CS_EREFUSED, "the vault's key file %s can be used by others (%o); chmod 600 it", path, st.st_mode & 0777);
	cs_buf_init(&bytes, CS_VAULT_KEY + 1);
	int rc = cs_file_read(path, &bytes, err);
	if (rc == CS_OK && bytes.len != CS_VAULT_KEY)
		rc = cs_err_set(err, CS_EREFUSED, "%s is no key file of a vault: it holds %zu bytes, not %d", path, bytes.len, CS_VAULT_KEY);
	if (rc == CS_OK)
		memcpy(out, bytes.data, CS_VAULT_KEY);
	if (bytes.len > 0)
		sodium_memzero(bytes.data, bytes.len);
	cs_buf_fini(&bytes);
	return rc;
}

int cs_vault_unlock_with_file(cs_vault *v, cs_err *err)
{
	uint8_t opener[CS_VAULT_KEY], key[CS_VAULT_KEY];
	HOLD(v);
	int rc = read_again(v, err);
	if (rc != CS_OK)
		return rc;
	const char *path = cs_json_str(json_object_get(v->doc, "unlock"), "path");
	if (!path)
		return cs_err_set(err, CS_EREFUSED, "this vault is opened by a passphrase: capstan vault unlock");
	rc = read_opener(path, opener, err);
	if (rc == CS_OK)
		rc = cs_seal_open_file(v->doc, opener, key, err);
	if (rc == CS_OK)
		rc = take(v, key, err);
	sodium_memzero(opener, sizeof opener);
	sodium_memzero(key, sizeof key);
	return rc;
}

int cs_vault_unlock_with_key(cs_vault *v, const uint8_t key[CS_VAULT_KEY], cs_err *err)
{
	HOLD(v);
	int rc = read_again(v, err);
	return rc == CS_OK ? take(v, key, err) : rc;
}

int cs_vault_key(cs_vault *v, uint8_t out[CS_VAULT_KEY], cs_err *err)
{
	HOLD(v);
	if (!v->key)
		return locked(err);
	memcpy(out, v->key, CS_VAULT_KEY);
	return CS_OK;
}

void cs_vault_lock(cs_vault *v)
{
	HOLD(v);
	forget_key(v);
}

/* ---- secrets ---- */

static int missing(const char *name, cs_err *err)
{
	return cs_err_set(err, CS_ENOTFOUND, "there is no secret %.80s in the vault; put it there: capstan vault set %.80s", name, name);
}

int cs_vault_has(cs_vault *v, const char *name, cs_err *err)
{
	HOLD(v);
	int rc = read_again(v, err);
	if (rc != CS_OK)
		return rc;
	return json_object_get(json_object_get(v->doc, "secrets"), name) ? CS_OK : missing(name, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int cs_vault_list(cs_vault *v, json_t **ret, cs_err *err)
{
	HOLD(v);
	int rc = read_again(v, err);
	if (rc != CS_OK)
		return rc;
	json_t *all = json_object_get(v->doc, "secrets"), *one, *list = json_array();
	const char **names CS_AUTOFREE = cs_xcalloc(json_object_size(all) + 1, sizeof *names), *name;
	size_t n = 0;
	json_object_foreach(all, name, one)
		names[n++] = name;
	qsort(names, n, sizeof *names, by_name);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:O}", "name", names[i], "set",
						      json_object_get(json_object_get(all, names[i]), "set")));
	*ret = list;
	return CS_OK;
}

/* The text or number at MEMBER of VALUE, a JSON object. */
static int member_of(const char *name, const char *member, const char *value, size_t n, char **ret, cs_err *err)
{
	CS_AUTOJSON json_t *object = NULL;
	json_t *at = cs_json_parse(value, n, &object, NULL) == CS_OK ? json_object_get(object, member) : NULL;
	if (json_is_number(at))
		*ret = cs_json_text(at);
	else if (json_is_string(at) && strlen(json_string_value(at)) == json_string_length(at))
		*ret = cs_xstrdup(json_string_value(at));
	else
		return cs_err_set(err, CS_ENOTFOUND, "the secret %s has no text %.80s: set it as a JSON object that has one", name, member);
	return CS_OK;
}

int cs_vault_get(cs_vault *v, const char *dotted, char **ret, cs_err *err)
{
	const char *dot = strchr(dotted, '.');
	CS_AUTOFREE char *name = cs_xstrndup(dotted, dot ? (size_t)(dot - dotted) : strlen(dotted));
	CS_AUTOSECRET char *value = NULL;
	size_t n = 0;
	HOLD(v);
	int rc = read_again(v, err);
	if (rc != CS_OK)
		return rc;
	const json_t *entry = json_object_get(json_object_get(v->doc, "secrets"), name);
	if (!entry)
		return missing(name, err);
	if (!v->key)
		return locked(err);
	rc = cs_seal_unvalue(name, entry, v->key, &value, &n, err);
	if (rc != CS_OK)
		return rc;
	if (dot)
		return member_of(name, dot + 1, value, n, ret, err);
	*ret = CS_STEAL(value);
	return CS_OK;
}

/* Puts ENTRY (taken over; NULL: removes) at NAME in the file as it is now. */
static int change(cs_vault *v, const char *name, json_t *entry, cs_err *err)
{
	CS_AUTOJSON json_t *mine = entry;
	CS_AUTOCLOSE int fd = lock_file(v);
	if (fd < 0)
		return cs_err_sys(err, errno, "the vault's lock file %s cannot be had", v->lock_path);
	int rc = read_again(v, err);
	if (rc != CS_OK)
		return rc;
	if (!v->key)
		return locked(err);
	CS_AUTOJSON json_t *doc = json_copy(v->doc);
	json_t *secrets = json_copy(json_object_get(doc, "secrets"));
	json_object_set_new(doc, "secrets", secrets);
	if (!mine && json_object_del(secrets, name) < 0)
		return missing(name, err);
	if (mine && !json_object_get(secrets, name) && json_object_size(secrets) >= CS_VAULT_ENTRIES)
		return cs_err_set(err, CS_ETOOBIG, "a vault holds at most %d secrets; remove one first", CS_VAULT_ENTRIES);
	if (mine)
		json_object_set(secrets, name, mine);
	return write_file(v, doc, err);
}

int cs_vault_set(cs_vault *v, const char *name, const char *value, size_t n, int64_t now_ms, cs_err *err)
{
	if (!cs_vault_name_ok(name))
		return cs_err_set(err, CS_EINVAL, "a secret's name is of letters, digits, - and _, at most 63; '%.80s' is not", name);
	if (n < CS_SECRET_MIN || n > CS_SECRET_MAX)
		return cs_err_set(err, CS_EINVAL, "a secret has %zu to %zu bytes, not %zu: a shorter one could not be masked where it comes back",
				  CS_SECRET_MIN, CS_SECRET_MAX, n);
	if (!cs_utf8_valid(value, n) || memchr(value, 0, n))
		return cs_err_set(err, CS_EINVAL, "a secret is UTF-8 text; put bytes in as base64");
	HOLD(v);
	if (!v->key)
		return locked(err);
	return change(v, name, cs_seal_value(name, value, n, now_ms, v->key), err);
}

int cs_vault_remove(cs_vault *v, const char *name, cs_err *err)
{
	HOLD(v);
	return change(v, name, NULL, err);
}
