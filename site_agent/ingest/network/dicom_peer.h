// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_DICOM_PEER_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_DICOM_PEER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/ingest/intake_channel.h"

class DcmTransportLayer;

namespace hilum {

// "AET@HOST:PORT".
struct PeerAddress {
  std::string ae_title;
  std::string host;
  int port = 0;
};
absl::StatusOr<PeerAddress> ParsePeerAddress(absl::string_view text);

// An image's position in a query: UIDs of study, series and instance.
struct ImageKeys {
  std::string study;
  std::string series;
  std::string instance;
};

// Conditions on studies (an empty field is no condition), and on their series
// the modalities.
struct ImageQuery {
  std::string study_date;               // YYYYMMDD (PS3.5 DA)
  std::string patient;                  // Patient ID
  std::string accession;                // Accession Number
  std::string study;                    // Study Instance UID
  bool undated = false;                 // only studies without a Study Date
  std::vector<std::string> modalities;  // "CR", "DX"
};

struct FoundImages {
  std::vector<ImageKeys> images;
  int studies = 0;  // with any of the modalities
};

// Limit of one query's matches.
inline constexpr size_t kMaxMatches = 100000;

// Queries and fetches at one peer (PS3.4 annex C, Study Root), in one
// association while it is open. Errors name peer and status. Not thread-safe.
// UNAVAILABLE: no connection, rejected, or broken; open another.
// FAILED_PRECONDITION: the peer does not support it, or answers another status
// than success.
class DicomPeer {
 public:
  enum class Fetch { kGet, kMove };
  struct Options {
    PeerAddress peer;
    std::string ae_title;  // this side's
    Fetch fetch = Fetch::kGet;
    DcmTransportLayer* tls = nullptr;  // outlives it; null: none
  };

  static absl::StatusOr<DicomPeer> Open(const Options& options);
  DicomPeer(DicomPeer&&) noexcept;
  DicomPeer& operator=(DicomPeer&&) noexcept;
  ~DicomPeer();

  // Finds images by C-FIND: by study, by series, by image. Drops a study whose
  // answer has another Patient ID or Accession Number than the query;
  // FAILED_PRECONDITION if all answers are such: the peer does not match by
  // that key. RESOURCE_EXHAUSTED: over kMaxMatches.
  absl::StatusOr<FoundImages> FindImages(const ImageQuery& query);

  // Fetches by C-GET; ReceiveObject receives the objects. Ok also if nothing
  // came. RESOURCE_EXHAUSTED: the object could not be stored here.
  absl::Status Get(const ImageKeys& image, const std::string& incoming,
                   IntakeChannel& intake);
  // Sends a C-MOVE to options.ae_title. Ok also if nothing was sent.
  absl::Status Move(const ImageKeys& image);

 private:
  struct State;
  explicit DicomPeer(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_DICOM_PEER_H_
