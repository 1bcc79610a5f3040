// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_CHILD_PROCESS_H_
#define HILUM_SIM_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/file.h"

namespace hilum {

// A program that runs beside this one, with both outputs in a log file. It gets
// SIGTERM when this process or this object ends. Life: Start, then any Wait and
// Stop. Not thread-safe; call Start from a thread that outlives the child.
class ChildProcess {
 public:
  // `out_fd`: replaces standard output; -1: the log gets that as well.
  // INTERNAL: cannot start. A missing program shows as exit status 127.
  static absl::StatusOr<ChildProcess> Start(
      const std::vector<std::string>& arguments, const std::string& log_path,
      int out_fd = -1);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  // Returns the exit status (128 + signal if killed). DEADLINE_EXCEEDED: still
  // running.
  absl::StatusOr<int> Wait(absl::Duration timeout);
  // Sends SIGTERM, after `grace` SIGKILL; waits for the end.
  void Stop(absl::Duration grace);

  // Readable once the process has ended.
  int ended_fd() const { return ended_.get(); }
  const std::string& log_path() const { return log_path_; }

 private:
  ChildProcess(pid_t pid, ScopedFd ended, std::string log_path);

  pid_t pid_;  // -1 once waited for
  ScopedFd ended_;
  std::string log_path_;
  int exit_status_ = 0;
};

// Runs a command to its end and returns its standard output. INTERNAL, with its
// last lines: its exit status is not 0.
absl::StatusOr<std::string> RunCommand(
    const std::vector<std::string>& arguments, const std::string& log_path);

// Sends SIGTERM to every program that this process has started and waits until
// they have ended, at most `grace`. They hold the locks on the folders that the
// next run needs. Call from any thread; the exit statuses stay for Wait.
void EndChildren(absl::Duration grace);

// Waits until `path` exists, by notification. ABORTED with the log's last
// lines if `writer` ends before; DEADLINE_EXCEEDED.
absl::Status WaitForFile(const std::string& path, const ChildProcess& writer,
                         absl::Duration timeout);

// Returns at most `lines` last lines of a file; empty where it cannot be read.
std::string LastLines(const std::string& path, int lines);

}  // namespace hilum

#endif  // HILUM_SIM_CHILD_PROCESS_H_
