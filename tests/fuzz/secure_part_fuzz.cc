// SPDX-License-Identifier: Apache-2.0
// Fuzzes a site's answers to the steps of masked sums: one site of four, whose
// coordinator begins sums and shows steps in any order, changed or not, and
// restarts of the sites. In each round the site reveals one set of shares,
// which are on disk before.
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fuzz/input.h"
#include "tests/site_agent/gateway/honest_sum.h"

namespace hilum {
namespace {

using Said = v1::SubmitSecureStepRequest;
using Step = HonestSum::Step;

const SiteId kSelf("a");
constexpr const char* kSites[] = {"a", "b", "c", "d"};
constexpr int kMostMoves = 40;

class Folder {
 public:
  Folder() { HILUM_CHECK(mkdtemp(path_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ =
      (std::filesystem::temp_directory_path() / "secure-part-XXXXXX").string();
};

class FuzzedPart {
 public:
  explicit FuzzedPart(FuzzInput& input) : input_(input) {
    for (const char* name : kSites) {
      sites_[SiteId(name)] = std::make_unique<SumSite>(
          SiteId(name), absl::StrCat(folder_.path(), "/", name));
      sites_[SiteId(name)]->SetVector({1, 2, 3, 4, 5});
    }
    Begin();
  }

  void Run() {
    for (int i = 0; i < kMostMoves && !input_.empty(); ++i) Move();
  }

 private:
  void Move() {
    switch (input_.Byte() % 7) {
      case 0:
        (void)Ask(Shown());
        return;
      case 1:
        All();
        return;
      case 2:
        Begin();
        return;
      case 3:
        sites_[kSelf]->Restart();
        return;
      case 4:
        (void)Ask(earlier_[input_.Byte() % earlier_.size()]);
        return;
      case 5: {
        v1::Task task = Shown();
        task.mutable_header()->set_round(input_.Byte() % 4);
        (void)Ask(task);
        return;
      }
      default: {
        std::string bytes = Shown().SerializeAsString();
        const size_t at = input_.Byte() << 8 | input_.Byte();
        bytes[at % bytes.size()] ^= static_cast<char>(input_.Byte());
        v1::Task task;
        if (task.ParseFromString(bytes)) (void)Ask(task);
      }
    }
  }

  // Few ids and rounds (two and four), so that they repeat.
  void Begin() {
    const uint8_t how = input_.Byte();
    SecAggContext context{.study_hash = std::string(32, 'h'),
                          .round = how % 4u,
                          .question = std::string(32, 'q')};
    for (const auto& [site, part] : sites_) context.cohort.insert(site);
    sum_ = std::make_unique<HonestSum>(
        context, std::string(32, static_cast<char>('x' + how / 4 % 2)));
    earlier_.push_back(Shown());
  }

  v1::Task TaskOf(const SiteId& site) const {
    v1::Task task;
    task.mutable_header()->set_study_hash(sum_->context().study_hash);
    task.mutable_header()->set_round(sum_->context().round);
    *task.mutable_secure() = sum_->StepFor(site);
    return task;
  }
  v1::Task Shown() const { return TaskOf(kSelf); }

  // Shows the honest step of the current sum to all sites.
  void All() {
    if (sum_->server().step() == Step::kDone) return;
    const std::set<SiteId> expected = sum_->server().expected();
    for (const SiteId& site : expected) {
      const v1::Task task = TaskOf(site);
      // A peer may be lost on the way to Confirm.
      if (site != kSelf && sum_->server().step() == Step::kMaskedInput &&
          site == SiteId("d") && input_.Byte() % 2 == 1) {
        continue;
      }
      auto said = site == kSelf ? Ask(task)
                                : sites_[site]->Answer(task, sum_->context());
      if (said.ok()) (void)sum_->On(site, *said);
    }
    if (!sum_->Close().ok()) Begin();
  }

  absl::StatusOr<Said> Ask(const v1::Task& task) {
    earlier_.push_back(task);
    SecAggContext context = sum_->context();
    context.study_hash = task.header().study_hash();
    context.round = task.header().round();
    auto said = sites_[kSelf]->Answer(task, context);
    if (!said.ok()) return said;
    HILUM_CHECK(said->sum_id() == task.secure().sum_id());
    const RoundOfSum round = {context.study_hash, context.round};
    if (said->has_keys()) began_[said->sum_id()] = round;
    if (said->has_confirmation()) {
      confirmed_[said->sum_id()] = ListOf(task.secure().survivors());
    }
    if (!said->has_revealed()) return said;
    CheckOneList(*said, task.kind());
    // The shares are noted under the round for which the keys were given.
    HILUM_CHECK(began_.at(said->sum_id()) == round);
    HILUM_CHECK(!sites_[kSelf]->part().CheckRound(task.header()).ok());
    std::set<std::string>& revealed = revealed_[round];
    revealed.insert(said->revealed().SerializeAsString());
    HILUM_CHECK(revealed.size() == 1);
    return said;
  }

  static std::set<std::string> ListOf(const v1::Survivors& survivors) {
    return {survivors.sites().begin(), survivors.sites().end()};
  }

  // All sums are about one model: two consecutive sums of one kind have the
  // same sites.
  void CheckOneList(const Said& said, int kind) {
    const bool again = last_.sum_id == said.sum_id();
    const std::set<std::string>& list = confirmed_.at(said.sum_id());
    if (again) return;
    HILUM_CHECK(last_.sum_id.empty() || last_.kind != kind ||
                last_.list == list);
    last_ = {said.sum_id(), kind, list};
  }

  struct LastRevealed {
    std::string sum_id;
    int kind = 0;
    std::set<std::string> list;
  };
  using RoundOfSum = std::pair<std::string, uint32_t>;

  FuzzInput& input_;
  const Folder folder_;
  std::map<SiteId, std::unique_ptr<SumSite>> sites_;
  std::unique_ptr<HonestSum> sum_;
  std::vector<v1::Task> earlier_;
  std::map<std::string, RoundOfSum> began_;  // by sum id
  std::map<RoundOfSum, std::set<std::string>> revealed_;
  std::map<std::string, std::set<std::string>> confirmed_;  // by sum id
  LastRevealed last_;
};

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hilum::FuzzInput input(data, size);
  hilum::FuzzedPart(input).Run();
  return 0;
}
