// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/admin_service.h"

#include <string>
#include <utility>
#include <vector>

#include "common/rpc/status.h"

namespace hilum {
namespace {

// The time after which a watch notices that its client has gone.
constexpr absl::Duration kWatchWait = absl::Seconds(5);

}  // namespace

grpc::Status AdminService::SubmitStudy(grpc::ServerContext* context,
                                       const v1::SubmitStudyRequest* request,
                                       v1::SubmitStudyResponse* response) {
  v1::Study study;
  if (!study.ParseFromString(request->study())) {
    return ToGrpc(absl::InvalidArgumentError("these bytes are not a study"));
  }
  SubmissionOptions options;
  options.weights.sum_input_channels = request->sum_input_channels();
  options.weights.fresh_head = request->fresh_head();
  options.site_certificates = {request->site_certificates().begin(),
                               request->site_certificates().end()};
  std::vector<std::string> warnings;
  absl::StatusOr<std::string> hash = core_.SubmitStudy(
      std::move(study), request->initial_weights(), options, &warnings);
  if (hash.ok()) response->set_study_hash(*hash);
  response->mutable_warnings()->Add(warnings.begin(), warnings.end());
  return ToGrpc(hash.status());
}

grpc::Status AdminService::ListStudies(grpc::ServerContext* context,
                                       const v1::ListStudiesRequest* request,
                                       v1::ListStudiesResponse* response) {
  for (v1::StudyStatus& status : core_.ListStudies()) {
    *response->add_studies() = std::move(status);
  }
  return grpc::Status::OK;
}

grpc::Status AdminService::WatchStudy(
    grpc::ServerContext* context, const v1::StudyRequest* request,
    grpc::ServerWriter<v1::StudyStatus>* writer) {
  absl::StatusOr<v1::StudyStatus> status =
      core_.StatusOf(request->study_hash());
  while (status.ok()) {
    if (!writer->Write(*status)) return grpc::Status::CANCELLED;
    if (status->phase() >= v1::StudyStatus::COMPLETED) break;
    v1::StudyStatus last = *status;
    do {
      if (context->IsCancelled()) return grpc::Status::CANCELLED;
      status = core_.WaitForChange(last.study_hash(), last, kWatchWait);
    } while (status.ok() &&
             status->SerializeAsString() == last.SerializeAsString());
  }
  return ToGrpc(status.status());
}

grpc::Status AdminService::StopStudy(grpc::ServerContext* context,
                                     const v1::StudyRequest* request,
                                     v1::StudyStatus* response) {
  absl::StatusOr<v1::StudyStatus> status =
      core_.StopStudy(request->study_hash());
  if (status.ok()) *response = std::move(*status);
  return ToGrpc(status.status());
}

grpc::Status AdminService::ExportStudy(grpc::ServerContext* context,
                                       const v1::ExportStudyRequest* request,
                                       v1::ExportStudyResponse* response) {
  absl::StatusOr<std::vector<std::string>> files = core_.ExportStudy(
      request->study_hash(), request->directory(), request->partial());
  if (!files.ok()) return ToGrpc(files.status());
  response->mutable_files()->Add(files->begin(), files->end());
  absl::StatusOr<v1::StudyStatus> status =
      core_.StatusOf(request->study_hash());
  if (status.ok()) response->set_warning(status->warning());
  return ToGrpc(status.status());
}

}  // namespace hilum
