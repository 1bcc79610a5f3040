// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_OFFERS_H_
#define HILUM_SITE_AGENT_GATEWAY_OFFERS_H_

#include <set>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/gateway/offer_listener.h"
#include "site_agent/gateway/poll_pace.h"
#include "site_agent/gateway/site_parts.h"
#include "site_agent/gateway/site_session.h"

namespace hilum {

// The studies that the coordinator offers, and what the officer decides on
// them: stores offers, and puts decisions into ledger and log. Takes in new
// offers beside a long call of the trainer too. One thread calls this object;
// Listening asks from another thread meanwhile.
class Offers {
 public:
  // `parts` outlives this object.
  explicit Offers(const SiteParts& parts) : parts_(parts) {}

  // Returns the question for work on the approved studies (raw hashes), which
  // tells the coordinator of all others too.
  v1::NextTaskRequest Question(const std::set<std::string>& approved) const;
  absl::Status Store(const SiteSession::Action& offer);
  // Puts new decisions, and who made them, into ledger and log.
  absl::Status RecordDecisions();
  // Notes once that studies/ has files that were never offered.
  absl::Status NoteStrangers();
  // Tells the coordinator, without waiting, which studies this site refuses.
  void TellRefusals();

  // Calls the trainer; takes in offers meanwhile if the call lasts long.
  template <typename Response>
  absl::StatusOr<Response> Listening(
      absl::FunctionRef<absl::StatusOr<Response>()> call) {
    if (parts_.options.exit_when_done) return call();
    PollPace pace(parts_.clock);
    const OfferListener listener(
        {.patience = parts_.options.offer_patience,
         .ask = [&] { return AskOnce(pace); },
         .interrupt = [&] { parts_.calls.Interrupt(); }});
    return call();
  }

 private:
  // Asks once, for offers only. Returns the pause before the next question.
  absl::Duration AskOnce(PollPace& pace);
  std::set<std::string> Known() const;
  std::string NameOf(const std::string& hash) const;  // of an offered study

  const SiteParts& parts_;
  bool told_strangers_ = false;
};

// Longer than the coordinator holds a question without an answer.
inline constexpr absl::Duration kPollMargin = absl::Seconds(15);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_OFFERS_H_
