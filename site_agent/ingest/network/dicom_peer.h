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

// An image where a query found it: UIDs of study, series and instance.
struct ImageKeys {
  std::string study;
  std::string series;
  std::string instance;
};

// What is asked for in a day.
struct ImageQuery {
  std::string study_date;               // YYYYMMDD (PS3.5 DA)
  std::vector<std::string> modalities;  // "CR", "DX"
};

// So many matches of one query at the most.
inline constexpr size_t kMaxMatches = 100000;

// Queries and fetches at one peer (PS3.4 annex C, Study Root): an association
// while it is open. Errors name peer and status. Not thread-safe. UNAVAILABLE:
// no connection, rejected, or broken; open another. FAILED_PRECONDITION: the
// peer does not do it, or answers another status than success.
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

  // The images of series of these modalities, in studies of that date: C-FIND
  // by study, by series, by image. RESOURCE_EXHAUSTED: over kMaxMatches.
  absl::StatusOr<std::vector<ImageKeys>> FindImages(const ImageQuery& query);

  // C-GET: what comes goes through ReceiveObject. Ok also where nothing came.
  // RESOURCE_EXHAUSTED: the object could not be kept here.
  absl::Status Get(const ImageKeys& image, const std::string& incoming,
                   IntakeChannel& intake);
  // C-MOVE to options.ae_title. Ok also where nothing was sent.
  absl::Status Move(const ImageKeys& image);

 private:
  struct State;
  explicit DicomPeer(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_DICOM_PEER_H_
