/*
 * Preloaded into a process (LD_PRELOAD), notes what that process has made durable, in the file SYNC_LOG:
 *
 *   length <inode> <bytes>   fsync or fdatasync has returned for a file that was this long when it was called; or a write that
 *                            ended there has, to a file opened with O_DSYNC
 *   name <inode>             fsync has returned for a folder that this file, or folder, was in
 *
 * Inodes, because a file keeps its own when it is renamed. A line is written before the caller goes on: what was answered on
 * the strength of a sync is noted, however the process ends. With SYNC_TAKEN_OUT set, nothing of a file's content is noted.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int sync_log = -1;
static int is_taken_out;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("SYNC_LOG");
  if (path != NULL) sync_log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  is_taken_out = getenv("SYNC_TAKEN_OUT") != NULL;
}

static void list_names(int fd, FILE *lines) {
  DIR *folder = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder == NULL) return;
  for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    struct stat file;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (fstatat(fd, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 && (S_ISREG(file.st_mode) || S_ISDIR(file.st_mode)))
      fprintf(lines, "name %llu\n", (unsigned long long)file.st_ino);
  }
  closedir(folder);
}

static int sync_and_note(const char *call, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, call);
  struct stat file;
  if (fstat(fd, &file) != 0) return real(fd);
  if (is_taken_out && S_ISREG(file.st_mode)) return 0;

  /* What comes while the system syncs may not be on the disk: so the length from before. */
  char *text = NULL;
  size_t length = 0;
  FILE *lines = open_memstream(&text, &length);
  if (lines == NULL) abort();
  if (S_ISDIR(file.st_mode)) list_names(fd, lines);
  else fprintf(lines, "length %llu %lld\n", (unsigned long long)file.st_ino, (long long)file.st_size);
  fclose(lines);

  int result = real(fd);
  int error = errno;
  if (result == 0 && write(sync_log, text, length) != (ssize_t)length) abort();
  free(text);
  errno = error;
  return result;
}

/* A write to a file opened with O_DSYNC is on the disk when it returns. */
static void note_write(int fd) {
  struct stat file;
  if (is_taken_out || sync_log < 0 || (fcntl(fd, F_GETFL) & O_DSYNC) == 0 || fstat(fd, &file) != 0) return;
  int error = errno;
  dprintf(sync_log, "length %llu %lld\n", (unsigned long long)file.st_ino, (long long)lseek(fd, 0, SEEK_CUR));
  errno = error;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  ssize_t written = real(fd, bytes, length);
  if (written >= 0) note_write(fd);
  return written;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (real == NULL) real = (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
  ssize_t written = real(fd, parts, count);
  if (written >= 0) note_write(fd);
  return written;
}

int fsync(int fd) { return sync_and_note("fsync", fd); }
int fdatasync(int fd) { return sync_and_note("fdatasync", fd); }
