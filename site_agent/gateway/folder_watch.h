// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_FOLDER_WATCH_H_
#define HILUM_SITE_AGENT_GATEWAY_FOLDER_WATCH_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "common/base/file.h"

namespace hilum {

// Calls back, from a thread of its own, when a file comes into a folder
// (inotify(7)). One object is one watch, until it is destroyed.
class FolderWatch {
 public:
  static absl::StatusOr<std::unique_ptr<FolderWatch>> Start(
      const std::string& folder, std::function<void()> on_change);
  ~FolderWatch();

 private:
  FolderWatch(ScopedFd events, ScopedFd stop, std::function<void()> on_change);
  void Watch();

  const ScopedFd events_;
  const ScopedFd stop_;
  const std::function<void()> on_change_;
  std::thread thread_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_FOLDER_WATCH_H_
