// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_ADMIN_SERVICE_H_
#define HILUM_COORDINATOR_SERVICE_ADMIN_SERVICE_H_

#include "coordinator/federation_core.h"
#include "hilum/v1/admin.grpc.pb.h"

namespace hilum {

// Serves hilum.v1.Admin on a Unix socket that only the coordinator's user can
// reach. Thread-safe.
class AdminService final : public v1::Admin::Service {
 public:
  explicit AdminService(FederationCore& core) : core_(core) {}

  grpc::Status SubmitStudy(grpc::ServerContext* context,
                           const v1::SubmitStudyRequest* request,
                           v1::SubmitStudyResponse* response) override;
  grpc::Status ListStudies(grpc::ServerContext* context,
                           const v1::ListStudiesRequest* request,
                           v1::ListStudiesResponse* response) override;
  grpc::Status WatchStudy(grpc::ServerContext* context,
                          const v1::StudyRequest* request,
                          grpc::ServerWriter<v1::StudyStatus>* writer) override;
  grpc::Status StopStudy(grpc::ServerContext* context,
                         const v1::StudyRequest* request,
                         v1::StudyStatus* response) override;
  grpc::Status ExportStudy(grpc::ServerContext* context,
                           const v1::ExportStudyRequest* request,
                           v1::ExportStudyResponse* response) override;

 private:
  FederationCore& core_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_ADMIN_SERVICE_H_
