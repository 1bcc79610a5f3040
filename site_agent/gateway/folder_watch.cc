// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/folder_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace hilum {

FolderWatch::FolderWatch(ScopedFd events, ScopedFd stop,
                         std::function<void()> on_change)
    : events_(std::move(events)),
      stop_(std::move(stop)),
      on_change_(std::move(on_change)),
      thread_([this] { Watch(); }) {}

absl::StatusOr<std::unique_ptr<FolderWatch>> FolderWatch::Start(
    const std::string& folder, std::function<void()> on_change) {
  ScopedFd events(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  ScopedFd stop(eventfd(0, EFD_CLOEXEC));
  if (events.get() < 0 || stop.get() < 0 ||
      inotify_add_watch(events.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO) <
          0) {
    return ErrnoStatus(errno, "cannot watch", folder);
  }
  return std::unique_ptr<FolderWatch>(new FolderWatch(
      std::move(events), std::move(stop), std::move(on_change)));
}

FolderWatch::~FolderWatch() {
  uint64_t one = 1;
  while (write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
}

void FolderWatch::Watch() {
  for (;;) {
    pollfd fds[] = {{events_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) return;
    char buffer[4096];
    bool any = false;
    while (read(events_.get(), buffer, sizeof buffer) > 0) any = true;
    if (any) on_change_();
  }
}

}  // namespace hilum
