// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/rpc/status.h"
#include "common/rpc/unix_target.h"
#include "coordinator/service/server.h"
#include "hilum/v1/admin.grpc.pb.h"

namespace hilum {

struct AdminClient::Stub {
  std::unique_ptr<v1::Admin::Stub> admin;
};

AdminClient::AdminClient(const std::string& admin_socket)
    : socket_(admin_socket),
      stub_(std::make_unique<Stub>(Stub{v1::Admin::NewStub(grpc::CreateChannel(
          UnixTarget(admin_socket), grpc::InsecureChannelCredentials()))})) {}

AdminClient::~AdminClient() = default;

absl::Status AdminClient::Explain(const absl::Status& status) const {
  if (!absl::IsUnavailable(status)) return status;
  return absl::UnavailableError(absl::StrCat(
      "no coordinator answers at ", socket_,
      "; start it with `hilum-coordinator serve`, and be its user"));
}

absl::StatusOr<std::string> AdminClient::SubmitStudy(
    const v1::Study& study, const std::string& weights_path,
    const SubmissionOptions& options, std::vector<std::string>* warnings) {
  v1::SubmitStudyRequest request;
  request.set_study(SerializeStudy(study));
  request.set_initial_weights(weights_path);
  request.set_sum_input_channels(options.weights.sum_input_channels);
  request.set_fresh_head(options.weights.fresh_head);
  for (const std::string& certificate : options.site_certificates) {
    request.add_site_certificates(certificate);
  }
  grpc::ClientContext context;
  v1::SubmitStudyResponse response;
  HILUM_RETURN_IF_ERROR(Explain(
      FromGrpc(stub_->admin->SubmitStudy(&context, request, &response))));
  if (warnings != nullptr) {
    *warnings = {response.warnings().begin(), response.warnings().end()};
  }
  return response.study_hash();
}

absl::StatusOr<std::vector<v1::StudyStatus>> AdminClient::ListStudies() {
  grpc::ClientContext context;
  v1::ListStudiesResponse response;
  HILUM_RETURN_IF_ERROR(
      Explain(FromGrpc(stub_->admin->ListStudies(&context, {}, &response))));
  return std::vector<v1::StudyStatus>(response.studies().begin(),
                                      response.studies().end());
}

absl::StatusOr<v1::StudyStatus> AdminClient::WatchStudy(
    const std::string& hash_prefix,
    const std::function<void(const v1::StudyStatus&)>& on_status) {
  v1::StudyRequest request;
  request.set_study_hash(hash_prefix);
  grpc::ClientContext context;
  auto reader = stub_->admin->WatchStudy(&context, request);
  v1::StudyStatus status;
  while (reader->Read(&status)) on_status(status);
  HILUM_RETURN_IF_ERROR(Explain(FromGrpc(reader->Finish())));
  return status;
}

absl::StatusOr<v1::StudyStatus> AdminClient::StopStudy(
    const std::string& hash_prefix) {
  v1::StudyRequest request;
  request.set_study_hash(hash_prefix);
  grpc::ClientContext context;
  v1::StudyStatus status;
  HILUM_RETURN_IF_ERROR(
      Explain(FromGrpc(stub_->admin->StopStudy(&context, request, &status))));
  return status;
}

absl::StatusOr<v1::ExportStudyResponse> AdminClient::ExportStudy(
    const std::string& hash_prefix, const std::string& directory,
    bool partial) {
  v1::ExportStudyRequest request;
  request.set_partial(partial);
  request.set_study_hash(hash_prefix);
  request.set_directory(directory);
  grpc::ClientContext context;
  v1::ExportStudyResponse response;
  HILUM_RETURN_IF_ERROR(Explain(
      FromGrpc(stub_->admin->ExportStudy(&context, request, &response))));
  return response;
}

}  // namespace hilum
