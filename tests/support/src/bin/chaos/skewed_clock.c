/* A library to be loaded before a program: its clock of the day is off by the milliseconds in SKEWED_CLOCK_MS. Clocks that
 * measure how long something takes stay what they are. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long skew;

__attribute__((constructor)) static void read_skew(void) {
	const char *text = getenv("SKEWED_CLOCK_MS");
	skew = text ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
	int result = syscall(SYS_clock_gettime, clock, now);
	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		now->tv_sec += skew / 1000;
		now->tv_nsec += skew % 1000 * 1000000;
		if (now->tv_nsec < 0) {
			now->tv_nsec += 1000000000;
			now->tv_sec -= 1;
		} else if (now->tv_nsec >= 1000000000) {
			now->tv_nsec -= 1000000000;
			now->tv_sec += 1;
		}
	}
	return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
	struct timespec precise;
	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &precise) != 0)
		return -1;
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *copy) {
	struct timespec precise;
	if (clock_gettime(CLOCK_REALTIME, &precise) != 0)
		return -1;
	if (copy)
		*copy = precise.tv_sec;
	return precise.tv_sec;
}
