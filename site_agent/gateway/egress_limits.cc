// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress_limits.h"

namespace hilum {
namespace {

struct FieldLimit {
  absl::string_view field;
  int occurrences;
};

// A study has at most two arms, 20 folds, 32 classes and 1000 sites.
constexpr FieldLimit kFieldLimits[] = {
    {"hilum.v1.NextTaskRequest.approved_studies", kMaxStudiesTold},
    {"hilum.v1.NextTaskRequest.known_studies", kMaxStudiesTold},
    {"hilum.v1.NextTaskRequest.refused_studies", kMaxStudiesTold},
    {"hilum.v1.SubmitCensusRequest.arms", 2},
    {"hilum.v1.SubmitEvaluationRequest.tracks", 40},
    {"hilum.v1.TrackEvaluation.classes", 32},
    {"hilum.v1.TrackEvaluation.overlaps", 33},
    {"hilum.v1.SealedShares.shares", 1000},
    {"hilum.v1.RevealedShares.shares", 1000},
};

struct MessageLimit {
  absl::string_view message;
  uint64_t bytes;
};

constexpr MessageLimit kMessageLimits[] = {
    {"hilum.v1.NextTaskRequest", 112 << 10},
    {"hilum.v1.FetchBlobRequest", 256},
    {"hilum.v1.UploadChunkRequest", (4 << 20) + 256},
    {"hilum.v1.SubmitCensusRequest", 32 << 10},
    {"hilum.v1.SubmitUpdateRequest", 256},
    {"hilum.v1.SubmitEvaluationRequest", 8 << 20},
    {"hilum.v1.SubmitSecureStepRequest", 264 << 10},
};

}  // namespace

std::optional<int> MaxOccurrences(
    const google::protobuf::FieldDescriptor& field) {
  for (const FieldLimit& limit : kFieldLimits) {
    if (limit.field == field.full_name()) return limit.occurrences;
  }
  return std::nullopt;
}

std::optional<uint64_t> MaxMessageBytes(
    const google::protobuf::Descriptor& type) {
  for (const MessageLimit& limit : kMessageLimits) {
    if (limit.message == type.full_name()) return limit.bytes;
  }
  return std::nullopt;
}

}  // namespace hilum
