#!/usr/bin/env python3
"""Proves with nm that engines do no I/O: their libraries leave no clock, socket, file, thread or
randomness undefined. Prints MODULE: OBJECT: SYMBOL.

    tools/nm_check.py BUILD_DIR    check BUILD_DIR/src/libcv_MODULE.a of every engine; exit 1 if any
    tools/nm_check.py --self-test  compile one offender for each symbol and see that it is found
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ENGINES = "wire store ike1 gdoi group sa server member conf model esp".split()
FORBIDDEN = set("""
clock_gettime clock gettimeofday time timespec_get localtime localtime_r mktime tzset
nanosleep clock_nanosleep usleep sleep alarm timer_create timerfd_create
getrandom getentropy rand rand_r random srand srandom drand48 arc4random arc4random_buf
socket socketpair bind connect listen accept accept4 send sendto sendmsg sendmmsg recv recvfrom
recvmsg recvmmsg getaddrinfo gethostbyname setsockopt getsockopt ioctl fcntl pipe pipe2 eventfd
poll ppoll select pselect epoll_create epoll_create1 epoll_ctl epoll_wait
open open64 openat openat64 creat read pread write pwrite readv writev close lseek unlink rename
mkdir stat fstat lstat opendir readdir fopen fopen64 fdopen freopen fread fwrite fgets fputs fputc
getc getline scanf fscanf fclose fflush fsync fdatasync stdin stdout stderr
printf vprintf fprintf vfprintf dprintf vdprintf puts putchar perror syslog vsyslog openlog
fork vfork execve execv execvp execl execlp posix_spawn system popen kill raise signal sigaction
pthread_create pthread_mutex_lock pthread_mutex_unlock pthread_rwlock_rdlock pthread_cond_wait
thrd_create getenv secure_getenv setenv getpid getuid geteuid
""".split())


def plain(symbol):
    """The function behind glibc's fortified, redirected or versioned name."""
    return re.sub(r"^__(isoc99_)?(\w+?)(_chk)?$", r"\2", symbol.split("@")[0])


def undefined(path):
    """(object, symbol) pairs that `path`, an archive or an object, leaves undefined."""
    text = subprocess.run(["nm", "-A", "-u", path], check=True, text=True,
                          capture_output=True).stdout
    for line in text.splitlines():
        where, symbol = re.match(r"(.*):\s+\w\s+(\S+)$", line).groups()
        yield pathlib.Path(where.split(":")[-1]).name, symbol


def offences(path):
    return [(where, symbol) for where, symbol in undefined(path)
            if plain(symbol) in FORBIDDEN or plain(symbol).startswith("pthread_")]


def self_test():
    guilty = FORBIDDEN | {"__printf_chk", "__read_chk", "__isoc99_fscanf", "pthread_self"}
    innocent = {"snprintf", "__vsnprintf_chk", "memcpy", "__assert_fail", "malloc", "abort"}
    symbols = sorted(guilty | innocent)
    source = "".join(f"extern int {s}(void);\n" for s in symbols)
    source += "int f(void) { return " + "+".join(s + "()" for s in symbols) + "; }\n"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cc", "-w", "-fno-builtin", "-c", "-x", "c", "-o", folder + "/x.o", "-"],
                       input=source, text=True, check=True)
        found = {symbol for _, symbol in offences(folder + "/x.o")}
    bad = sorted(found ^ guilty)
    print(f"wrong about: {' '.join(bad)}" if bad else f"nm self-test: {len(symbols)} ok")
    return bool(bad)


def main():
    if "--self-test" in sys.argv[1:]:
        return self_test()
    count = 0
    for module in ENGINES:
        for where, symbol in offences(pathlib.Path(sys.argv[1]) / f"src/libcv_{module}.a"):
            print(f"{module}: {where}: {symbol}: an engine does no I/O")
            count += 1
    return count > 0


if __name__ == "__main__":
    sys.exit(main())
