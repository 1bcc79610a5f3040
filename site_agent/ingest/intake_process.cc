// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/intake_process.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/crypto/secure_rng.h"
#include "site_agent/ingest/confine_ingest.h"
#include "site_agent/ingest/receiving_intake.h"

namespace hilum {
namespace {

// Exports are rewritten when nothing has come for kQuietMilliseconds, and at
// the latest kLongestStale after the last export.
constexpr int kQuietMilliseconds = 1000;
constexpr absl::Duration kLongestStale = absl::Seconds(30);

std::string TextOf(const IntakeAnswer& answer) {
  switch (answer.kind) {
    case IntakeAnswer::Kind::kCommitted:
      return "committed";
    case IntakeAnswer::Kind::kRefused:
      return absl::StrCat("refused ", answer.reason);
    case IntakeAnswer::Kind::kFull:
      return absl::StrCat("full ", answer.reason);
    case IntakeAnswer::Kind::kError:
      break;
  }
  return absl::StrCat("error ", answer.reason);
}

class IntakeServer {
 public:
  IntakeServer(ReceivingIntake& intake, ScopedFd control)
      : intake_(intake), control_(std::move(control)) {}

  // Runs until every other end is closed.
  absl::Status Serve() {
    while (control_.get() >= 0 || !channels_.empty()) {
      std::vector<pollfd> waits;
      for (const ScopedFd& channel : channels_) {
        waits.push_back({channel.get(), POLLIN, 0});
      }
      waits.push_back({control_.get(), POLLIN, 0});
      const int timeout = intake_.changed() ? kQuietMilliseconds : -1;
      const int ready = poll(waits.data(), waits.size(), timeout);
      if (ready < 0 && errno != EINTR) {
        return absl::InternalError("cannot wait for the receiver");
      }
      if (ready == 0 || Stale()) ExportNow().IgnoreError();
      if (ready <= 0) continue;
      for (size_t i = 0; i + 1 < waits.size(); ++i) {
        if (waits[i].revents != 0) Answer(channels_[i]);
      }
      if (waits.back().revents != 0) OpenChannel();
      channels_.erase(std::remove_if(channels_.begin(), channels_.end(),
                                     [](const ScopedFd& channel) {
                                       return channel.get() < 0;
                                     }),
                      channels_.end());
    }
    return ExportNow();
  }

 private:
  bool Stale() const {
    return intake_.changed() && RealClock().Now() - exported_ > kLongestStale;
  }

  absl::Status ExportNow() {
    exported_ = RealClock().Now();
    if (!intake_.changed()) return absl::OkStatus();
    const absl::Status status = intake_.Export();
    // Later exports try again, so that a full disk does not end the process.
    if (!status.ok()) std::cerr << status.message() << std::endl;
    return status;
  }

  void OpenChannel() {
    auto message = ReceiveIntakeMessage(control_.get());
    if (!message.ok() || message->text.empty()) {
      control_.Close();
    } else if (message->fd.get() >= 0) {
      channels_.push_back(std::move(message->fd));
    }
  }

  void Answer(ScopedFd& channel) {
    auto message = ReceiveIntakeMessage(channel.get());
    if (!message.ok() || message->text.empty()) return channel.Close();
    if (!SendIntakeMessage(channel.get(), AnswerTo(message->text)).ok()) {
      channel.Close();
    }
  }

  std::string AnswerTo(absl::string_view question) {
    if (absl::ConsumePrefix(&question, "take ")) {
      return TextOf(intake_.Take(question));
    }
    if (absl::ConsumePrefix(&question, "known ")) {
      const auto known = intake_.IsKnown(question);
      if (!known.ok()) return std::string(known.status().message());
      return *known ? "yes" : "no";
    }
    return "error no such question";
  }

  ReceivingIntake& intake_;
  ScopedFd control_;
  std::vector<ScopedFd> channels_;
  absl::Time exported_ = RealClock().Now();
};

absl::Status RunIntake(const ReceivingOptions& options, ScopedFd control) {
  // Ignores the signals that a terminal sends to the group: ends with its
  // receivers.
  for (int signal : {SIGINT, SIGTERM, SIGPIPE}) std::signal(signal, SIG_IGN);
  auto open = [&]() -> absl::StatusOr<std::unique_ptr<ReceivingIntake>> {
    IngestFiles files{.store = options.store,
                      .key_file = options.key_file,
                      .read = {},
                      .write = {IncomingFolder(options)}};
    if (!options.labels.empty()) files.read.push_back(options.labels);
    if (!options.words.empty()) files.read.push_back(options.words);
    HILUM_RETURN_IF_ERROR(ConfineIngest(std::move(files), RealSecureRng()));
    return ReceivingIntake::Open(options, RealClock(), RealSecureRng());
  };
  auto intake = open();
  const absl::Status told = SendIntakeMessage(
      control.get(),
      intake.ok() ? "ready"
                  : absl::StrCat(static_cast<int>(intake.status().code()), " ",
                                 intake.status().message()));
  if (!intake.ok() || !told.ok()) return absl::OkStatus();
  return IntakeServer(**intake, std::move(control)).Serve();
}

absl::Status StatusOf(absl::string_view text) {
  const size_t space = text.find(' ');
  const int code = std::atoi(std::string(text.substr(0, space)).c_str());
  if (space == absl::string_view::npos || code <= 0) {
    return absl::UnavailableError("the process that decodes did not start");
  }
  return absl::Status(static_cast<absl::StatusCode>(code),
                      text.substr(space + 1));
}

}  // namespace

absl::StatusOr<IntakeProcess> IntakeProcess::Start(
    const ReceivingOptions& options) {
  HILUM_ASSIGN_OR_RETURN(auto sockets, MakeIntakeSockets());
  const pid_t pid = fork();
  if (pid < 0) return absl::ResourceExhaustedError("no process for decoding");
  if (pid == 0) {
    sockets.first.Close();
    _exit(RunIntake(options, std::move(sockets.second)).ok() ? 0 : 1);
  }
  sockets.second.Close();
  IntakeProcess process(pid, std::move(sockets.first));
  auto message = ReceiveIntakeMessage(process.control_.get());
  if (message.ok() && message->text == "ready") return process;
  waitpid(pid, nullptr, 0);
  return StatusOf(message.ok() ? message->text : "");
}

absl::StatusOr<IntakeChannel> IntakeProcess::Open() {
  HILUM_ASSIGN_OR_RETURN(auto sockets, MakeIntakeSockets());
  HILUM_RETURN_IF_ERROR(
      SendIntakeMessage(control_.get(), "open", sockets.second.get()));
  return IntakeChannel(std::move(sockets.first));
}

absl::Status IntakeProcess::Finish() && {
  control_.Close();
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError(
      "the process that decodes ended early; what was acknowledged is in the "
      "store, run it again");
}

}  // namespace hilum
