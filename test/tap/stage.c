/*
 * What 022_years.pl plays to a server: another time, and file systems that are full. Loaded before the C library
 * (LD_PRELOAD) by every process of that server; the server and its extension are the real ones.
 *
 * The file that PGDBA_STAGE names holds two numbers: by how many microseconds the clock is ahead, and what is left of the
 * file system under any folder named "small": 0 as much as there really is, 1 a megabyte, 2 nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { LITTLE = 1, NOTHING = 2 };

static int stage = -1;
static long long ahead;
static int left;

__attribute__((constructor)) static void open_stage(void)
{
	const char *path = getenv("PGDBA_STAGE");

	if (path != NULL)
		stage = open(path, O_RDONLY | O_CLOEXEC);
}

/* Between truncating and writing the file is empty: then what was there before holds. */
static void look(void)
{
	char text[64];
	ssize_t length = pread(stage, text, sizeof text - 1, 0);

	if (length > 0)
	{
		text[length] = '\0';
		sscanf(text, "%lld %d", &ahead, &left);
	}
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec now;
	long long micros;

	(void) zone;
	look();
	clock_gettime(CLOCK_REALTIME, &now);
	micros = now.tv_sec * 1000000LL + now.tv_nsec / 1000 + ahead;
	tv->tv_sec = micros / 1000000;
	tv->tv_usec = micros % 1000000;
	return 0;
}

/* Whether a write that ends there has no room: within the file it needs none. */
static int no_room(int file, off_t end)
{
	char link[32], path[4096];
	struct stat status;
	ssize_t length;

	look();
	if (left != NOTHING)
		return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", file);
	length = readlink(link, path, sizeof path - 1);
	if (length < 0 || fstat(file, &status) != 0)
		return 0;
	path[length] = '\0';
	return strstr(path, "/small/") != NULL && end > status.st_size;
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at)
{
	static ssize_t (*real)(int, const void *, size_t, off_t);

	if (no_room(file, at + (off_t) count))
	{
		errno = ENOSPC;
		return -1;
	}
	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "pwrite");
	return real(file, bytes, count, at);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at)
{
	static ssize_t (*real)(int, const struct iovec *, int, off_t);
	off_t end = at;

	for (int i = 0; i < count; ++i)
		end += (off_t) parts[i].iov_len;
	if (no_room(file, end))
	{
		errno = ENOSPC;
		return -1;
	}
	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "pwritev");
	return real(file, parts, count, at);
}

int posix_fallocate(int file, off_t at, off_t length)
{
	static int (*real)(int, off_t, off_t);

	if (no_room(file, at + length))
		return ENOSPC;
	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "posix_fallocate");
	return real(file, at, length);
}

int statvfs(const char *restrict path, struct statvfs *restrict status)
{
	static int (*real)(const char *restrict, struct statvfs *restrict);
	char resolved[4096];
	int result;

	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "statvfs");
	result = real(path, status);
	look();
	if (result == 0 && left == LITTLE && realpath(path, resolved) != NULL && strstr(resolved, "/small/") != NULL)
		status->f_bavail = (1 << 20) / status->f_frsize;
	return result;
}
