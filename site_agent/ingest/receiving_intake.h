// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_RECEIVING_INTAKE_H_
#define HILUM_SITE_AGENT_INGEST_RECEIVING_INTAKE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/ingest/intake.h"
#include "site_agent/ingest/intake_channel.h"
#include "site_agent/ingest/receiving_options.h"

namespace hilum {

// Objects that were received, whole and synced, from the incoming folder into
// a store. What was taken is in the store and its file removed; what was
// refused is kept as INCOMING/refused/PSEUDONYM.dcm, where `release` finds it.
// One object an incoming folder and store. Not thread-safe.
class ReceivingIntake {
 public:
  // Makes the folders, removes *.part, adds the labels and takes what lies in
  // the incoming folder. An object that ended this process while it was taken
  // at an earlier start is refused. Errors as Intake's.
  static absl::StatusOr<std::unique_ptr<ReceivingIntake>> Open(
      const ReceivingOptions& options, Clock& clock, SecureRng& rng);

  // `name`: a file's in the incoming folder. Unless it is taken or refused the
  // file is removed: who sent it has to send it again.
  IntakeAnswer Take(absl::string_view name);
  absl::StatusOr<bool> IsKnown(absl::string_view sop_instance);

  // Whether something was taken since the last Export.
  bool changed() const { return changed_; }
  absl::Status Export();

 private:
  ReceivingIntake(ReceivingOptions options, Clock& clock, SecureRng& rng)
      : options_(std::move(options)), clock_(clock), rng_(rng) {}

  absl::Status OpenStore();  // where it is not
  absl::Status AddLabels();
  absl::Status Recover();
  absl::StatusOr<IntakeAnswer> TryTake(const std::string& name,
                                       const std::string& uid, bool give_up);
  std::string KeptPath(const std::string& uid) const;

  const ReceivingOptions options_;
  Clock& clock_;
  SecureRng& rng_;
  std::string folder_;              // absolute, without links
  std::unique_ptr<Intake> intake_;  // null after an error, until the next use
  bool changed_ = false;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_RECEIVING_INTAKE_H_
