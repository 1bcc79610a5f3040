// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/gateway/followed_study.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/config/cohort_rules.h"
#include "common/config/study.h"
#include "common/config/track_choice.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/sums_at_work.h"

namespace hilum {
namespace {

using Step = HonestSum::Step;

const SiteId kSelf("a");
constexpr uint32_t kExamples = 10;  // of each site and track
constexpr uint32_t kTried = 4;      // for validation

// Returns a validation loss of `round`, in which track 0's grows, track 1's
// falls, and track 2 is not tried before round 3.
double LossOf(int track, uint32_t round) {
  return track == 0 ? 0.5 * round : track == 1 ? 2.0 / round : 1.0;
}

// Returns small deltas, counts and losses.
std::vector<uint32_t> RandomUpdate(const VectorLayout& layout, uint32_t round,
                                   const std::vector<uint64_t>& examples,
                                   const std::string& stream) {
  Rng rng(9, stream);
  std::vector<uint32_t> words;
  for (int64_t i = 0; i < layout.tail(); ++i) {
    words.push_back(static_cast<uint32_t>(rng.Next()) % (1u << 24) -
                    (1u << 23));
  }
  for (int track = 0; track < layout.num_tracks; ++track) {
    const uint64_t total = examples.at(static_cast<size_t>(track));
    words.push_back(total == 0 ? 0 : kExamples);
    if (!layout.validates) continue;
    const bool tried = total > 0 && (track < 2 || round >= 3);
    words.push_back(tried ? kTried : 0);
    words.push_back(
        tried ? EncodeLoss(kTried * LossOf(track, round), kTried, total) : 0);
  }
  for (int arm = 0; arm < layout.num_arms; ++arm) words.push_back(1000);
  return words;
}

}  // namespace

FollowedStudyTest::FollowedStudyTest() {
  folder_ = absl::StrCat(
      testing::TempDir(), "/followed-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  Open(StudyOfFour());
}

void FollowedStudyTest::Open(const v1::Study& study) {
  std::filesystem::remove_all(folder_);
  study_ = study;
  hash_ = Sha256Of(SerializeStudy(study));
  blobs_.clear();
  PutBlob(blobs_, StartingWeights());
  sums_.emplace(study_, hash_, folder_ + "/published", blobs_);
  ASSERT_TRUE(MakeDirectories(folder_ + "/state").ok());
  state_path_ = absl::StrCat(folder_, "/state/", ToHex(hash_), ".chain");
  Restart();
}

void FollowedStudyTest::Restart() {
  follower_.reset();
  transfer_.reset();
  cache_.emplace(BlobCache::Open(folder_ + "/cache").value());
  transfer_.emplace(
      [this](absl::string_view, const google::protobuf::Message& request,
             google::protobuf::Message* response) {
        return Serve(dynamic_cast<const v1::FetchBlobRequest&>(request),
                     dynamic_cast<v1::FetchBlobResponse&>(*response));
      },
      *cache_);
  follower_ = std::make_unique<StudyFollower>(
      StudyFollower::Options{.study_hash = hash_,
                             .study = study_,
                             .parameters = StudyLayout(study_).value(),
                             .layout = LayoutOf(study_),
                             .site = kSelf,
                             .credentials = &CredentialsOf(kSelf),
                             .blobs = &*cache_,
                             .transfer = &*transfer_,
                             .state_path = state_path_});
}

absl::Status FollowedStudyTest::Serve(const v1::FetchBlobRequest& request,
                                      v1::FetchBlobResponse& response) {
  {
    absl::MutexLock lock(&mutex_);
    fetched_.insert(request.sha256());
  }
  const auto blob = blobs_.find(request.sha256());
  if (blob == blobs_.end() || hidden_.contains(request.sha256())) {
    return absl::NotFoundError("no such blob");
  }
  if (request.offset() > blob->second.size()) {
    return absl::OutOfRangeError("past the blob's end");
  }
  response.set_data(blob->second.substr(request.offset(), request.max_bytes()));
  response.set_total_size(blob->second.size());
  return absl::OkStatus();
}

bool FollowedStudyTest::WasFetched(const std::string& sha256) const {
  absl::MutexLock lock(&mutex_);
  return fetched_.contains(sha256);
}

v1::Task FollowedStudyTest::TaskOf(uint32_t round, const PublishedSums& sums,
                                   v1::Task::Kind kind) const {
  v1::Task task;
  task.mutable_header()->set_study_hash(hash_);
  task.mutable_header()->set_round(round);
  task.set_kind(kind);
  sums.Fill(task);
  return task;
}

absl::Status FollowedStudyTest::FollowShown(uint32_t round,
                                            const v1::SumOpening& opening) {
  v1::Task task = TaskOf(round, *sums_);
  *task.mutable_last_opening() = sums_->Put(opening);
  return Follow(task);
}

PublishedSums::Vectors FollowedStudyTest::VectorsOf(uint32_t round) const {
  PublishedSums::Vectors vectors;
  std::vector<uint64_t> examples;
  if (round > 0) {
    examples = TrackExamples(study_, sums_->cohort());
    LeaveOutStopped(sums_->chain().choices(), examples);
  }
  for (const std::string& name : study_.sites()) {
    vectors[SiteId(name)] =
        round == 0 ? EncodeCensus(study_, FakeCensus(study_)).value()
                   : RandomUpdate(LayoutOf(study_), round, examples,
                                  absl::StrCat(name, "/", round));
  }
  return vectors;
}

void FollowedStudyTest::MakeSum(uint32_t round, PublishedSums& sums,
                                const std::set<SiteId>& lost,
                                const std::set<SiteId>& absent) {
  const v1::Task task =
      TaskOf(round, sums, round == 0 ? v1::Task::PREPARE : v1::Task::TRAIN);
  plain_ = VectorsOf(round);
  const std::string folder = absl::StrCat(folder_, "/sum-", ++sums_made_);
  std::map<SiteId, std::unique_ptr<SumSite>> sites;
  for (const auto& [site, vector] : plain_) {
    if (absent.contains(site)) continue;
    sites[site] =
        std::make_unique<SumSite>(site, absl::StrCat(folder, "/", site.name()));
    sites[site]->SetVector(vector);
  }
  HonestSum sum(sums.ContextOf(task), std::string(32, 's'));
  while (sum.server().step() != Step::kDone) {
    for (auto& [site, part] : sites) {
      if (sum.server().step() >= Step::kMaskedInput && lost.contains(site)) {
        continue;
      }
      v1::Task asked = task;
      *asked.mutable_secure() = sum.StepFor(site);
      auto said = part->Answer(asked, sum.context());
      ASSERT_TRUE(said.ok()) << site.name() << ": " << said.status();
      ASSERT_TRUE(sum.On(site, *said).ok());
    }
    ASSERT_TRUE(sum.Close().ok());
  }
  PublishedSums::Vectors masked;
  for (const SiteId& site : sum.server().survivors()) {
    masked[site] = sites.at(site)->Masked();
  }
  sums.Publish(task.kind(), sum, masked);
  const auto own = sites.find(kSelf);
  if (own != sites.end()) masked_path_ = own->second->masked_path;
}

v1::Roster FollowedStudyTest::Roster() const {
  v1::Roster roster;
  for (const std::string& name : study_.sites()) {
    v1::Roster::Entry& entry = *roster.add_entries();
    entry.set_site(name);
    entry.mutable_keys()->set_checksum(sums_->ChecksumOf(SiteId(name)));
  }
  return roster;
}

void FollowedStudyTest::ExpectUntrusted(const absl::Status& status,
                                        const std::string& why) {
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(why));
}

void FollowedStudyTest::ExpectAtTheSame() {
  EXPECT_EQ(follower_->chain().SerializeAsString(),
            sums_->chain().SerializeAsString());
  const v1::Task task = TaskOf(1, *sums_);
  auto path = follower_->ModelPath(task.header(), task.kind());
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_TRUE(ReadFile(*path).value() ==
              blobs_.at(sums_->chain().model_sha256()));
}

}  // namespace hilum
