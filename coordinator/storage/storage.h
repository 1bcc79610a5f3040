// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_STORAGE_STORAGE_H_
#define HILUM_COORDINATOR_STORAGE_STORAGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "coordinator/study_result.h"
#include "hilum/v1/admin.pb.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/opening.pb.h"
#include "hilum/v1/totals.pb.h"

struct sqlite3;

namespace hilum {

// A study as stored in the database.
struct StoredStudy {
  std::string hash;   // 32 raw bytes
  std::string study;  // serialised hilum.v1.Study
  v1::StudyStatus::Phase phase = v1::StudyStatus::PREPARING;
  std::string reason;
  v1::BlobRef frozen;     // size 0: none
  v1::BlobRef global;     // after the last committed round
  v1::BlobRef optimizer;  // the server's state after it; size 0: none
  // The best of the tried globals (coordinator/validation.h), kept as long as
  // the study; size 0: none was tried.
  v1::BlobRef best;
  std::vector<RoundSummary> rounds;
  std::map<SiteId, v1::CensusRecord> census;
  std::map<SiteId, v1::SubmitUpdateRequest> updates;  // of the open round
  std::map<SiteId, v1::SubmitEvaluationRequest> evaluations;
  // Set with secure aggregation; census and evaluations then hold only what
  // single sites have published.
  std::optional<v1::CensusTotals> census_totals;
  std::optional<v1::EvaluationTotals> evaluation_totals;
  std::optional<v1::SecureSumRecord> sum;  // of the open round
  std::optional<v1::SumsRecord> sums;      // those that succeeded

  // Returns the evaluated model: the best global, or the last where none was
  // tried.
  const v1::BlobRef& evaluated() const {
    return best.size() > 0 ? best : global;
  }
};

// The coordinator's database: SQLite, write-ahead log, synchronous; stored data
// is on disk when a call returns. Not thread-safe; the owner locks. INTERNAL,
// RESOURCE_EXHAUSTED (disk full) name the file.
class Storage {
 public:
  // Opens the database, and creates it if absent. FAILED_PRECONDITION: its
  // schema is newer than this program.
  static absl::StatusOr<std::unique_ptr<Storage>> Open(const std::string& path);
  ~Storage();

  // ALREADY_EXISTS: the same study.
  absl::Status AddStudy(const StoredStudy& study);
  // Returns the studies in order of submission.
  absl::StatusOr<std::vector<StoredStudy>> LoadStudies();
  absl::Status SetPhase(absl::string_view hash, v1::StudyStatus::Phase phase,
                        absl::string_view reason);
  absl::Status PutCensus(absl::string_view hash, const SiteId& site,
                         const v1::CensusRecord& census);
  absl::Status PutUpdate(absl::string_view hash, const SiteId& site,
                         const v1::SubmitUpdateRequest& update);
  absl::Status PutEvaluation(absl::string_view hash, const SiteId& site,
                             const v1::SubmitEvaluationRequest& evaluation);
  absl::Status PutSum(absl::string_view hash,
                      const v1::SecureSumRecord& record);
  // Stores in one transaction the totals of the census or the evaluation and
  // the new record of the study's sums, and deletes the open sum's record.
  absl::Status CommitTotals(absl::string_view hash,
                            const v1::CensusTotals& totals,
                            const v1::SumsRecord& sums);
  absl::Status CommitTotals(absl::string_view hash,
                            const v1::EvaluationTotals& totals);
  // Stores in one transaction the round's summary, the new global blob, the
  // best one and the state of the server's optimiser, and deletes the round's
  // updates or open sum. `sums`: null without secure aggregation, or where the
  // sum was lost.
  absl::Status CommitRound(absl::string_view hash, const RoundSummary& round,
                           const v1::BlobRef& global, const v1::BlobRef& best,
                           const v1::SumsRecord* sums = nullptr,
                           const v1::BlobRef& optimizer = {});

 private:
  explicit Storage(sqlite3* database, std::string path);
  absl::Status Execute(const char* sql);
  absl::Status PutMessage(const char* table, absl::string_view hash,
                          const SiteId& site,
                          const google::protobuf::Message& message);
  absl::Status Transaction(absl::FunctionRef<absl::Status()> changes);
  absl::Status ForgetAnswers(absl::string_view hash);
  absl::Status InsertTotals(const char* kind, absl::string_view hash,
                            const google::protobuf::Message& totals);
  absl::Status LoadRounds(StoredStudy& study);
  absl::Status LoadCensus(StoredStudy& study);
  // Loads a message from one row; nullopt: there is no row.
  template <typename Message>
  absl::Status LoadMessage(const char* sql, absl::string_view hash,
                           std::optional<Message>& message);
  template <typename Message>
  absl::Status LoadMessages(const char* table, absl::string_view hash,
                            std::map<SiteId, Message>& messages);

  sqlite3* database_;
  std::string path_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STORAGE_STORAGE_H_
