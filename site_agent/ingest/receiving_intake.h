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

// Takes received objects, whole and synced, from the incoming folder into a
// store. Removes the file of an object that the store has taken; keeps a
// refused one as INCOMING/refused/PSEUDONYM.dcm for `release`. One object for
// an incoming folder and store. Not thread-safe.
class ReceivingIntake {
 public:
  // Makes the folders, removes *.part, adds the labels and takes the files in
  // the incoming folder. Refuses an object that ended the process at an earlier
  // start. Errors as Intake.
  static absl::StatusOr<std::unique_ptr<ReceivingIntake>> Open(
      const ReceivingOptions& options, Clock& clock, SecureRng& rng);

  // `name`: a file's name in the incoming folder. Removes the file even after
  // an error: the sender has to send it again.
  IntakeAnswer Take(absl::string_view name);
  absl::StatusOr<bool> IsKnown(absl::string_view sop_instance);

  // Returns whether something was taken since the last Export.
  bool changed() const { return changed_; }
  absl::Status Export();

 private:
  ReceivingIntake(ReceivingOptions options, Clock& clock, SecureRng& rng)
      : options_(std::move(options)), clock_(clock), rng_(rng) {}

  absl::Status OpenStore();  // unless it is open
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
