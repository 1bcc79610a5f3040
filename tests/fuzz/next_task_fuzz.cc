// SPDX-License-Identifier: Apache-2.0
// Fuzzes answers to NextTask. The first byte says whether the others are a
// whole answer or change a valid one. An answer that passes the border stays
// within the bounds of its study.
#include <cstdlib>
#include <filesystem>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/consent.h"
#include "site_agent/gateway/inbound_checks.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

// Site "a", which was offered one study of three sites and has approved it.
struct Site {
  Site() {
    v1::Study study;
    study.set_name("tiny");
    for (const char* label : {"sick", "well"}) study.add_classes(label);
    for (const char* site : {"a", "b", "c"}) study.add_sites(site);
    study.set_protocol_version(kProtocolVersion);
    study.add_arms(v1::ARM_WHOLE);
    study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
    study.mutable_cross_validation()->set_folds(2);
    FillStudyDefaults(study);
    bytes = SerializeStudy(study);
    hash = Sha256Of(bytes);
    HILUM_CHECK(approvals.PutOffer(hash, bytes).ok());
    HILUM_CHECK(approvals.Approve(hash, AcceptEverything(study)).ok());
    shape = facts.Study(hash).value();
  }

  static std::string NewFolder() {
    std::string path =
        (std::filesystem::temp_directory_path() / "next-task-XXXXXX").string();
    HILUM_CHECK(mkdtemp(path.data()) != nullptr);
    return path;
  }

  const std::string folder = NewFolder();
  const Approvals approvals = Approvals::Open(folder).value();
  EgressFacts facts{{.site = "a"}, approvals, RealClock()};
  InboundChecks checks{approvals, facts};
  std::string bytes, hash;
  std::shared_ptr<const StudyFacts> shape;
};

// Returns a task with every field that a task can have.
v1::NextTaskResponse Right(const Site& site, uint8_t how) {
  v1::NextTaskResponse next;
  if (how % 3 == 0) {
    next.mutable_ended()->mutable_header()->set_study_hash(site.hash);
    next.mutable_ended()->set_reason("it is over");
    return next;
  }
  v1::Task& task = *next.mutable_task();
  task.mutable_header()->set_protocol_version(kProtocolVersion);
  task.mutable_header()->set_study_hash(site.hash);
  task.mutable_header()->set_round(1);
  task.set_kind(v1::Task::TRAIN);
  task.mutable_global()->set_sha256(std::string(32, 'g'));
  task.mutable_global()->set_size(site.shape->model_bytes);
  task.mutable_census_opening()->set_sha256(std::string(32, 'c'));
  task.mutable_census_opening()->set_size(1000);
  task.mutable_last_opening()->set_sha256(std::string(32, 'o'));
  task.mutable_last_opening()->set_size(1000);
  task.mutable_census()->add_sites("a");
  task.mutable_census()->add_arms()->add_fold_class_counts(3);
  for (uint32_t track = 0; track < 3; ++track) {
    v1::TrackChoice& choice = *task.add_choices();
    choice.set_tried(true);
    choice.set_best_round(track);
    choice.set_stopped_after(track);
  }
  v1::SecureStep& step = *task.mutable_secure();
  step.set_sum_id(std::string(32, 's'));
  if (how % 3 == 1) {
    v1::Roster::Entry& entry = *step.mutable_roster()->add_entries();
    entry.set_site("b");
    entry.mutable_keys()->set_question(std::string(32, 'q'));
    entry.mutable_keys()->set_checksum(std::string(16, 'k'));
  } else {
    step.mutable_survivors()->add_sites("b");
    step.mutable_survivors()->add_vectors()->set_sha256(std::string(32, 'v'));
  }
  return next;
}

bool IsPrintable(absl::string_view text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

void CheckTask(const Site& site, const v1::Task& task) {
  HILUM_CHECK(task.header().study_hash() == site.hash);
  HILUM_CHECK(task.header().protocol_version() == kProtocolVersion);
  HILUM_CHECK(task.header().round() <= site.shape->last_round);
  HILUM_CHECK(v1::Task::Kind_IsValid(task.kind()));
  HILUM_CHECK(task.global().size() <= site.shape->initial_bytes ||
              task.global().size() == site.shape->model_bytes);
  HILUM_CHECK(task.census_opening().size() <= InboundChecks::kMostOpeningBytes);
  HILUM_CHECK(task.last_opening().size() <= InboundChecks::kMostOpeningBytes);
  HILUM_CHECK(task.secure().roster().entries_size() <= 3);
  HILUM_CHECK(task.secure().inbox().shares_size() <= 3);
  HILUM_CHECK(task.secure().survivors().sites_size() <= 3);
  HILUM_CHECK(task.secure().confirmations().entries_size() <= 3);
  HILUM_CHECK(task.census().sites_size() <= 3);
  HILUM_CHECK(task.choices_size() <= 3);
  if (task.global().size() > 0) {
    HILUM_CHECK(site.facts.SizeOf(site.hash, task.global().sha256()).ok());
  }
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  static Site& site = *new Site;
  static const bool removed =
      std::atexit([] { std::filesystem::remove_all(site.folder); }) == 0;
  HILUM_CHECK(removed);
  site.facts.Forget(site.hash);
  FuzzInput input(data, size);
  const uint8_t how = input.Byte();
  v1::NextTaskResponse next;
  if (how & 1) {
    std::string bytes = Right(site, how >> 1).SerializeAsString();
    while (!input.empty()) {
      const size_t at = static_cast<size_t>(input.Byte() << 8 | input.Byte());
      bytes[at % bytes.size()] ^= static_cast<char>(input.Byte());
    }
    if (!next.ParseFromString(bytes)) return 0;
  } else if (!next.ParseFromString(input.Rest())) {
    return 0;
  }
  const absl::Status taken = site.checks.Take(v1::NextTaskRequest(), next);
  HILUM_CHECK(taken.ok() || absl::IsInvalidArgument(taken));
  if (!taken.ok()) return 0;
  if (next.has_task()) CheckTask(site, next.task());
  if (!next.has_ended()) return 0;
  HILUM_CHECK(next.ended().header().study_hash() == site.hash);
  HILUM_CHECK(next.ended().reason().size() <= InboundChecks::kMaxReason);
  HILUM_CHECK(IsPrintable(next.ended().reason()));
  return 0;
}
