// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/system_calls.h"

namespace hilum {
namespace {

constexpr const char* kEverybody[] = {
    // Threads and waiting; the most frequent calls come first.
    "futex", "sched_yield", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "epoll_ctl", "epoll_create", "epoll_create1", "eventfd", "eventfd2", "poll",
    "ppoll", "select", "pselect6", "futex_waitv", "membarrier", "rseq",
    "set_robust_list", "get_robust_list", "set_tid_address", "gettid",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_max", "sched_get_priority_min", "getcpu",
    "restart_syscall", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    // Memory.
    "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "brk", "msync",
    "mlock", "mlock2", "munlock", "mincore", "get_mempolicy",
    // Files; Landlock decides which ones. Without chmod, links and other calls
    // whose paths Landlock does not check.
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv",
    "pwritev", "preadv2", "pwritev2", "lseek", "_llseek", "close",
    "close_range", "fstat", "fstat64", "stat", "lstat", "newfstatat",
    "fstatat64", "statx", "statfs", "fstatfs", "statfs64", "fstatfs64",
    "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents",
    "getdents64", "getcwd", "chdir", "fchdir", "rename", "renameat",
    "renameat2", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "fchmod",
    "ftruncate", "ftruncate64", "fallocate", "fsync", "fdatasync",
    "sync_file_range", "sendfile", "sendfile64", "copy_file_range", "fadvise64",
    "readahead", "flock", "dup", "dup2", "dup3", "pipe", "pipe2", "umask",
    // Inherited sockets.
    "recvmsg", "sendmsg", "recvfrom", "shutdown", "getsockopt", "getsockname",
    "getpeername",
    // Itself and its children.
    "fork", "wait4", "waitid", "exit", "exit_group", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigpending",
    "rt_sigtimedwait", "rt_sigsuspend", "sigaltstack", "pause", "getpid",
    "getppid", "getuid", "geteuid", "getgid", "getegid", "getgroups",
    "getresuid", "getresgid", "getpgid", "getpgrp", "getsid", "getrlimit",
    "ugetrlimit", "setrlimit", "getrusage", "times", "sysinfo", "uname",
    "capget", "arch_prctl", "set_thread_area", "getrandom", "getpriority",
    // Time.
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep",
    "gettimeofday", "time"};

constexpr const char* kDevices[] = {"memfd_create",
                                    "mbind",
                                    "set_mempolicy",
                                    "mlockall",
                                    "munlockall",
                                    "move_pages",
                                    "shmget",
                                    "shmat",
                                    "shmdt",
                                    "shmctl",
                                    "timer_create",
                                    "timer_settime",
                                    "timer_delete",
                                    "timer_gettime",
                                    "getxattr",
                                    "lgetxattr",
                                    "sched_setaffinity",
                                    "sched_setparam",
                                    "get_thread_area"};

constexpr const char* kClients[] = {"connect", "bind", "sendto", "sendmmsg",
                                    "recvmmsg"};

constexpr const char* kListeners[] = {"listen", "accept", "accept4"};

constexpr const char* kWatchers[] = {"inotify_init", "inotify_init1",
                                     "inotify_add_watch", "inotify_rm_watch"};

constexpr const char* kAttackers[] = {
    "acct",          "add_key",        "bpf",          "chroot",
    "create_module", "delete_module",  "finit_module", "fsconfig",
    "fsmount",       "fsopen",         "fspick",       "init_module",
    "ioperm",        "iopl",           "kexec_load",   "kexec_file_load",
    "keyctl",        "lookup_dcookie", "mount",        "mount_setattr",
    "move_mount",    "nfsservctl",     "open_tree",    "open_by_handle_at",
    "pivot_root",    "quotactl",       "reboot",       "request_key",
    "setns",         "swapoff",        "swapon",       "umount2",
    "unshare",       "uselib",         "userfaultfd",  "vhangup"};

}  // namespace

absl::Span<const char* const> CallsOfEverybody() { return kEverybody; }
absl::Span<const char* const> CallsOfDevices() { return kDevices; }
absl::Span<const char* const> CallsOfClients() { return kClients; }
absl::Span<const char* const> CallsOfListeners() { return kListeners; }
absl::Span<const char* const> CallsOfWatchers() { return kWatchers; }
absl::Span<const char* const> CallsOfAttackers() { return kAttackers; }

}  // namespace hilum
