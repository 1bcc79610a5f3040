// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/query.h"

#include <dcmtk/config/osconfig.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
// After its configuration.
#include <dcmtk/dcmnet/dcmlayer.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/descriptors.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"
#include "site_agent/ingest/intake_process.h"
#include "site_agent/ingest/network/dicom_peer.h"
#include "site_agent/ingest/network/listen.h"
#include "site_agent/ingest/network/listener.h"
#include "site_agent/ingest/network/query_plan.h"

namespace hilum {
namespace {

// Limit for reusing an association: peers close one that is silent for longer.
constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr rlim_t kQueryBytes = 512 << 20;

struct Tally {
  int found = 0, known = 0, fetched = 0, failed = 0;

  void Add(const Tally& other) {
    found += other.found;
    known += other.known;
    fetched += other.fetched;
    failed += other.failed;
  }
};

// Returns which peers may send the objects of a C-MOVE.
absl::StatusOr<ScpOptions> ScpOf(const QueryOptions& options) {
  HILUM_ASSIGN_OR_RETURN(const PeerAddress peer,
                         ParsePeerAddress(options.peer));
  ScpOptions scp{.ae_title = options.ae_title,
                 .incoming = IncomingFolder(options.receiving)};
  std::vector<std::string> allow = options.allow;
  allow.push_back(absl::StrCat(peer.ae_title, "@", peer.host));
  for (const std::string& one : allow) {
    HILUM_ASSIGN_OR_RETURN(AllowedPeer allowed, ParseAllowedPeer(one));
    scp.allowed.push_back(std::move(allowed));
  }
  return scp;
}

// The listener for a C-MOVE, in a process of its own that ends with this
// object.
class MoveTarget {
 public:
  static absl::StatusOr<std::unique_ptr<MoveTarget>> Start(
      const QueryOptions& options, IntakeProcess& intake, std::ostream& log) {
    HILUM_ASSIGN_OR_RETURN(ScpOptions scp, ScpOf(options));
    HILUM_ASSIGN_OR_RETURN(std::unique_ptr<DcmTransportLayer> tls,
                           MakeTlsLayer(options.tls, /*server=*/true));
    scp.tls = tls.get();
    HILUM_ASSIGN_OR_RETURN(Listener listener,
                           Listener::Open(options.bind, options.port));
    log << absl::StrCat("waiting as ", options.ae_title, " on ", options.bind,
                        ":", listener.port(), " for what the PACS sends",
                        IsLoopbackAddress(options.bind)
                            ? ", from this machine alone; for a PACS on "
                              "another one give --bind with this machine's "
                              "address"
                            : "")
        << std::endl;
    const pid_t child = fork();
    if (child < 0) return absl::ResourceExhaustedError("no process to listen");
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      _exit(listener.Serve(intake, scp, log).ok() ? 0 : 1);
    }
    return std::unique_ptr<MoveTarget>(new MoveTarget(child));
  }
  ~MoveTarget() {
    kill(pid_, SIGTERM);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

 private:
  explicit MoveTarget(pid_t pid) : pid_(pid) {}

  pid_t pid_;
};

void Pause(absl::Duration duration) {
  // Waits for time only.
  poll(nullptr, 0, static_cast<int>(absl::ToInt64Milliseconds(duration)));
}

class QueryRun {
 public:
  QueryRun(const QueryOptions& options, DicomPeer::Options peer,
           IntakeChannel intake, std::ostream& out)
      : options_(options),
        peer_options_(std::move(peer)),
        incoming_(IncomingFolder(options.receiving)),
        intake_(std::move(intake)),
        out_(out) {}

  absl::Status Run(const QueryPlan& plan) {
    for (const std::string& note : plan.notes) out_ << note << std::endl;
    Tally all;
    for (const QueryPart& part : plan.parts) {
      Tally tally;
      const absl::Status status = RunPart(part.query, tally);
      if (tally.found > 0 || !status.ok() || options_.selection.by_name()) {
        Say(part.name, tally);
      }
      HILUM_RETURN_IF_ERROR(status);
      all.Add(tally);
    }
    if (!options_.selection.by_name()) HILUM_RETURN_IF_ERROR(RunUndated(all));
    Say("in all", all);
    if (all.failed == 0) return absl::OkStatus();
    return absl::AbortedError(absl::StrCat(
        all.failed, " images could not be fetched; the first: ", first_failure_,
        "; run it again for them"));
  }

 private:
  void Say(absl::string_view when, const Tally& tally) {
    out_ << absl::StrFormat(
                "%s: %d images, %d known already, %d fetched, %d failed", when,
                tally.found, tally.known, tally.fetched, tally.failed)
         << std::endl;
  }

  // Returns the association if it was used lately, else a new one.
  absl::StatusOr<DicomPeer*> Peer() {
    const absl::Time now = RealClock().Now();
    if (!peer_.has_value() || now - used_ > kPatience) {
      peer_.reset();
      HILUM_ASSIGN_OR_RETURN(DicomPeer peer, DicomPeer::Open(peer_options_));
      peer_.emplace(std::move(peer));
    }
    used_ = now;
    return &*peer_;
  }

  absl::Status RunPart(const ImageQuery& query, Tally& tally) {
    HILUM_ASSIGN_OR_RETURN(DicomPeer * peer, Peer());
    HILUM_ASSIGN_OR_RETURN(const FoundImages found, peer->FindImages(query));
    return Fetch(found.images, tally);
  }

  // No day matches a study without a date (PS3.4 section C.2.2.2.5).
  absl::Status RunUndated(Tally& all) {
    if (options_.undated == Undated::kIgnore) return absl::OkStatus();
    HILUM_ASSIGN_OR_RETURN(DicomPeer * peer, Peer());
    const auto found = peer->FindImages(
        {.undated = true, .modalities = options_.selection.modalities});
    if (absl::IsResourceExhausted(found.status())) {
      out_ << absl::StrCat(
                  "whether studies without a date are there is not "
                  "known: the PACS has over ",
                  kMaxMatches, " studies; ask for them by --list")
           << std::endl;
      return absl::OkStatus();
    }
    HILUM_RETURN_IF_ERROR(found.status());
    if (found->images.empty()) return absl::OkStatus();
    if (options_.undated == Undated::kCount) {
      out_ << absl::StrCat("without a date: ", found->images.size(),
                           " images of ", found->studies,
                           " studies, not fetched, since no day is theirs; "
                           "--undated fetch fetches them")
           << std::endl;
      return absl::OkStatus();
    }
    Tally tally;
    const absl::Status status = Fetch(found->images, tally);
    Say("without a date", tally);
    all.Add(tally);
    return status;
  }

  absl::Status Fetch(const std::vector<ImageKeys>& images, Tally& tally) {
    tally.found = static_cast<int>(images.size());
    for (const ImageKeys& image : images) {
      HILUM_ASSIGN_OR_RETURN(const bool known, intake_.IsKnown(image.instance));
      if (known) {
        ++tally.known;
        continue;
      }
      HILUM_RETURN_IF_ERROR(FetchOne(image, tally));
    }
    return absl::OkStatus();
  }

  // An error ends the run; failures of single images are counted.
  absl::Status FetchOne(const ImageKeys& image, Tally& tally) {
    KeepPace();
    HILUM_ASSIGN_OR_RETURN(DicomPeer * peer, Peer());
    absl::Status status = options_.move ? peer->Move(image)
                                        : peer->Get(image, incoming_, intake_);
    used_ = RealClock().Now();
    if (!status.ok() && !absl::IsFailedPrecondition(status)) return status;
    if (status.ok()) {
      HILUM_ASSIGN_OR_RETURN(const bool came, intake_.IsKnown(image.instance));
      if (!came) {
        status = absl::NotFoundError(
            options_.move
                ? "the peer says done, but nothing came; it must know this AE "
                  "title with this host and --port (--bind), and send under a "
                  "title that --allow names"
                : "the peer says done, but nothing came");
      }
    }
    ++(status.ok() ? tally.fetched : tally.failed);
    if (!status.ok() && first_failure_.empty()) {
      first_failure_ = std::string(status.message());
    }
    return absl::OkStatus();
  }

  void KeepPace() {
    if (options_.pace <= 0) return;
    const absl::Time now = RealClock().Now();
    if (next_ > now) Pause(next_ - now);
    next_ = std::max(next_, now) + absl::Minutes(1) / options_.pace;
  }

  const QueryOptions& options_;
  const DicomPeer::Options peer_options_;
  const std::string incoming_;
  IntakeChannel intake_;
  std::ostream& out_;
  std::optional<DicomPeer> peer_;
  absl::Time used_ = absl::InfinitePast();
  absl::Time next_ = absl::InfinitePast();
  std::string first_failure_;
};

// Limits the memory, which holds the peer's answers to a query.
void BoundMemory() {
#ifndef __SANITIZE_ADDRESS__
  const rlimit memory = {kQueryBytes, kQueryBytes};
  setrlimit(RLIMIT_DATA, &memory);
#endif
}

absl::Status RunWith(const QueryOptions& options, const QueryPlan& plan,
                     IntakeProcess& intake, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(PeerAddress peer, ParsePeerAddress(options.peer));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<DcmTransportLayer> tls,
                         MakeTlsLayer(options.tls, /*server=*/false));
  std::unique_ptr<MoveTarget> target;
  if (options.move) {
    HILUM_ASSIGN_OR_RETURN(target, MoveTarget::Start(options, intake, out));
  }
  HILUM_ASSIGN_OR_RETURN(IntakeChannel channel, intake.Open());
  using Fetch = DicomPeer::Fetch;
  QueryRun run(options,
               {.peer = std::move(peer),
                .ae_title = options.ae_title,
                .fetch = options.move ? Fetch::kMove : Fetch::kGet,
                .tls = tls.get()},
               std::move(channel), out);
  return run.Run(plan);
}

}  // namespace

absl::Status Query(const QueryOptions& options, std::ostream& out) {
  SilenceDcmtk();
  RaiseDescriptorLimit();
  std::signal(SIGPIPE, SIG_IGN);
  HILUM_RETURN_IF_ERROR(CheckAeTitle(options.ae_title));
  HILUM_RETURN_IF_ERROR(ParsePeerAddress(options.peer).status());
  HILUM_ASSIGN_OR_RETURN(const QueryPlan plan, PlanQuery(options.selection));
  for (const std::string& more : options.allow) {
    HILUM_RETURN_IF_ERROR(ParseAllowedPeer(more).status());
  }
  if (options.move && options.port == 0) {
    return UsageError(
        "--move needs --port, the one that the peer knows for this AE title");
  }
  // Starts the process without network before the first socket.
  HILUM_ASSIGN_OR_RETURN(IntakeProcess intake,
                         IntakeProcess::Start(options.receiving));
  BoundMemory();
  absl::Status done;
  try {
    done = RunWith(options, plan, intake, out);
  } catch (const std::exception& error) {
    done = absl::ResourceExhaustedError(
        absl::StrCat(options.peer, ": ", error.what()));
  }
  const absl::Status finished = std::move(intake).Finish();
  return done.ok() ? finished : done;
}

}  // namespace hilum
