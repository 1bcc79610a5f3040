// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/phantom_set.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/base/status_macros.h"
#include "sim/phantoms/phantom.h"
#include "site_agent/imaging/pictures/write_png.h"

namespace hilum {
namespace {

constexpr int kLabels = 4;
constexpr const char* kLabelNames[kLabels] = {"covid19", "normal", "bacterial",
                                              "viral"};
// The label mix of each site, in turn, in percent.
constexpr int kMix[3][kLabels] = {
    {40, 25, 20, 15}, {15, 35, 35, 15}, {20, 20, 20, 40}};

absl::Status CheckOptions(const PhantomSetOptions& options) {
  if (options.count < 1 || options.count > 1000000) {
    return absl::InvalidArgumentError("count: 1 to 1000000");
  }
  if (options.sites < 1 || options.sites > 26) {
    return absl::InvalidArgumentError("sites: 1 to 26");
  }
  if (options.size < 32 || options.size > 4096) {
    return absl::InvalidArgumentError("size: 32 to 4096 pixels");
  }
  return absl::OkStatus();
}

// Divides `total` in the proportions of `mix`, by rounding the running sum.
std::vector<int> Apportion(int total, absl::Span<const int> mix) {
  std::vector<int> counts;
  int percent = 0, given = 0;
  for (int share : mix) {
    percent += share;
    const int upto = (total * percent + 50) / 100;
    counts.push_back(upto - given);
    given = upto;
  }
  return counts;
}

std::string SiteName(int site) {
  return absl::StrCat("site-", std::string(1, static_cast<char>('a' + site)));
}

std::string FileName(int index) { return absl::StrFormat("%05d.png", index); }

absl::Status WriteCase(const PhantomSetOptions& options,
                       const PhantomCase& phantom_case, int index,
                       const std::string& directory) {
  const Phantom phantom = DrawPhantom({.seed = options.seed,
                                       .patient = phantom_case.patient,
                                       .exposure = phantom_case.exposure,
                                       .label = phantom_case.label,
                                       .site = phantom_case.site,
                                       .size = options.size});
  HILUM_ASSIGN_OR_RETURN(
      std::string image,
      EncodePng16(phantom.size, phantom.size, phantom.pixels));
  HILUM_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(directory, "/images/", FileName(index)),
                          image, Durability::kNone));
  HILUM_ASSIGN_OR_RETURN(std::string mask,
                         EncodePng8(phantom.size, phantom.size, phantom.mask));
  return WriteFileAtomically(
      absl::StrCat(directory, "/masks/", FileName(index)), mask,
      Durability::kNone);
}

std::string ManifestOf(const std::vector<PhantomCase>& cases) {
  std::string text = "file,label,patient_id,mask,site,view\n";
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string name = FileName(static_cast<int>(i) + 1);
    absl::StrAppendFormat(&text, "images/%s,%s,phantom-%05d,masks/%s,%s,AP\n",
                          name, cases[i].label, cases[i].patient, name,
                          SiteName(cases[i].site));
  }
  return text;
}

}  // namespace

std::vector<PhantomCase> PlanPhantomSet(const PhantomSetOptions& options) {
  Rng rng(options.seed, "phantom-set");
  std::vector<PhantomCase> cases;
  uint64_t patient = 0;
  for (int site = 0; site < options.sites; ++site) {
    const int total = options.count * (site + 1) / options.sites -
                      options.count * site / options.sites;
    const std::vector<int> counts = Apportion(total, kMix[site % 3]);
    for (int label = 0; label < kLabels; ++label) {
      uint64_t exposure = 0;
      for (int i = 0; i < counts[label]; ++i) {
        const bool again = i > 0 && exposure == 0 && rng.Below(3) == 0;
        exposure = again ? 1 : 0;
        if (!again) ++patient;
        cases.push_back({.label = kLabelNames[label],
                         .site = site,
                         .patient = patient,
                         .exposure = exposure});
      }
    }
  }
  return cases;
}

absl::Status WritePhantomSet(const PhantomSetOptions& options,
                             const std::string& directory,
                             const std::function<void(int)>& progress) {
  HILUM_RETURN_IF_ERROR(CheckOptions(options));
  HILUM_RETURN_IF_ERROR(MakeDirectories(absl::StrCat(directory, "/images")));
  HILUM_RETURN_IF_ERROR(MakeDirectories(absl::StrCat(directory, "/masks")));
  const std::vector<PhantomCase> cases = PlanPhantomSet(options);
  const int total = static_cast<int>(cases.size());
  std::atomic<int> next{0};
  std::atomic<int> done{0};
  absl::Mutex mutex;
  absl::Status failure;
  const auto draw = [&] {
    for (int i; (i = next.fetch_add(1)) < total;) {
      absl::Status status = WriteCase(options, cases[i], i + 1, directory);
      if (!status.ok()) {
        absl::MutexLock lock(&mutex);
        failure.Update(status);
        next = total;
        return;
      }
      if (progress) progress(done.fetch_add(1) + 1);
    }
  };
  const int cores = options.threads > 0
                        ? options.threads
                        : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (int i = 0; i < std::min(cores, total); ++i) threads.emplace_back(draw);
  for (std::thread& thread : threads) thread.join();
  HILUM_RETURN_IF_ERROR(failure);
  return WriteFileAtomically(absl::StrCat(directory, "/manifest.csv"),
                             ManifestOf(cases));
}

}  // namespace hilum
