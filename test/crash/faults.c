/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails at a chosen moment, for test/crash: loaded with LD_PRELOAD into a process that writes a ledger.
 *
 *   FAULT_DIR     the folder that is watched; everything else is left alone
 *   FAULT_AT      which operation fails, counted from 1 over all writes, syncs, renames and truncations there; 0: none
 *   FAULT_KIND    eio | enospc | erofs: it fails, once, or from then on where FAULT_FROM is set
 *                 kill: the process dies before it     torn: half of a write is done, then the process dies
 *   FAULT_MIRROR  a folder that gets what a power cut would leave: of each file what was synced last (i<inode>), and the
 *                 names of the folder as they were when it was synced last (names)
 *   FAULT_COUNT   a file that gets the number of operations at the end
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long count = 0;

#define REAL(name, type, ...) static type (*real_##name)(__VA_ARGS__); \
  if (!real_##name) real_##name = dlsym(RTLD_NEXT, #name)

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

/* Whether a descriptor is a file of the watched folder (1), the folder itself (2), or neither (0). */
static int watched(int fd) {
  const char *folder = setting("FAULT_DIR");
  char link[64], path[4096];
  if (*folder == 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  size_t prefix = strlen(folder);
  if (strncmp(path, folder, prefix) != 0) return 0;
  /* The shared memory of a WAL is no part of what has to last. */
  if (length > 4 && strcmp(path + length - 4, "-shm") == 0) return 0;
  return path[prefix] == 0 ? 2 : path[prefix] == '/' ? 1 : 0;
}

static void end_of_count(void) {
  const char *file = setting("FAULT_COUNT");
  if (*file == 0) return;
  FILE *out = fopen(file, "w");
  if (out) fprintf(out, "%ld\n", count), fclose(out);
}

__attribute__((constructor)) static void begin(void) { atexit(end_of_count); }

/* 0: go on; an error number: fail with it; -1: write half and die. */
static int strike(void) {
  const char *kind = setting("FAULT_KIND");
  long at = atol(setting("FAULT_AT"));
  pthread_mutex_lock(&lock);
  long now = ++count;
  pthread_mutex_unlock(&lock);
  end_of_count();
  if (at == 0 || now < at || (now > at && *setting("FAULT_FROM") == 0)) return 0;
  if (strcmp(kind, "kill") == 0) raise(SIGKILL);
  if (strcmp(kind, "torn") == 0) return -1;
  if (strcmp(kind, "enospc") == 0) return ENOSPC;
  if (strcmp(kind, "erofs") == 0) return EROFS;
  return EIO;
}

static void mirror_file(int fd) {
  struct stat status;
  char to[4096], buffer[65536];
  if (*setting("FAULT_MIRROR") == 0 || fstat(fd, &status) != 0) return;
  snprintf(to, sizeof to, "%s/i%lu", setting("FAULT_MIRROR"), (unsigned long)status.st_ino);
  FILE *out = fopen(to, "w");
  off_t at = 0;
  ssize_t got;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  /* Opened anew: the descriptor may be for writing only. */
  int in = open(link, O_RDONLY);
  while (out && (got = pread(in, buffer, sizeof buffer, at)) > 0) fwrite(buffer, 1, got, out), at += got;
  if (in >= 0) close(in);
  if (out) fclose(out);
}

static void mirror_names(void) {
  char to[4096];
  if (*setting("FAULT_MIRROR") == 0) return;
  DIR *folder = opendir(setting("FAULT_DIR"));
  snprintf(to, sizeof to, "%s/names", setting("FAULT_MIRROR"));
  FILE *out = fopen(to, "w");
  struct dirent *entry;
  while (folder && out && (entry = readdir(folder)))
    if (entry->d_name[0] != '.') fprintf(out, "%lu %s\n", (unsigned long)entry->d_ino, entry->d_name);
  if (out) fclose(out);
  if (folder) closedir(folder);
}

#define WRITE(name, ...) \
  int what = watched(fd) == 1 ? strike() : 0; \
  if (what > 0) { errno = what; return -1; } \
  if (what < 0) { real_##name(fd, bytes, length / 2 __VA_ARGS__); raise(SIGKILL); } \
  return real_##name(fd, bytes, length __VA_ARGS__)

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write, ssize_t, int, const void *, size_t);
  WRITE(write);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  REAL(pwrite, ssize_t, int, const void *, size_t, off_t);
  WRITE(pwrite, , at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  REAL(pwrite64, ssize_t, int, const void *, size_t, off64_t);
  WRITE(pwrite64, , at);
}

static int sync_with(int (*real)(int), int fd) {
  int kind = watched(fd);
  int what = kind != 0 ? strike() : 0;
  if (what > 0) { errno = what; return -1; }
  if (what < 0) raise(SIGKILL);
  int result = real(fd);
  if (kind == 1) mirror_file(fd);
  if (kind == 2) mirror_names();
  return result;
}

int fsync(int fd) {
  REAL(fsync, int, int);
  return sync_with(real_fsync, fd);
}

int fdatasync(int fd) {
  REAL(fdatasync, int, int);
  return sync_with(real_fdatasync, fd);
}

static int truncate_with(int (*real)(int, off_t), int fd, off_t length) {
  int what = watched(fd) == 1 ? strike() : 0;
  if (what > 0) { errno = what; return -1; }
  if (what < 0) raise(SIGKILL);
  return real(fd, length);
}

int ftruncate(int fd, off_t length) {
  REAL(ftruncate, int, int, off_t);
  return truncate_with(real_ftruncate, fd, length);
}

int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64, int, int, off64_t);
  return truncate_with((int (*)(int, off_t))real_ftruncate64, fd, length);
}

int rename(const char *from, const char *to) {
  REAL(rename, int, const char *, const char *);
  const char *folder = setting("FAULT_DIR");
  int what = *folder != 0 && strncmp(to, folder, strlen(folder)) == 0 ? strike() : 0;
  if (what > 0) { errno = what; return -1; }
  if (what < 0) raise(SIGKILL);
  return real_rename(from, to);
}
