// SPDX-License-Identifier: Apache-2.0
// Compares loading the 553 MB of VGG-16 from the page cache with reading them
// into a buffer: as a safetensors file from a user (ReadWeights: found, checked
// for NaN, put into registry order) and as the blob of a frozen trunk with
// which a trainer starts. Also prints how much stays in memory.
//   hilum-bench-load FOLDER
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/base/malloc.h"
#include "common/config/study.h"
#include "common/model/blobs.h"
#include "common/model/safetensors.h"
#include "common/model/weights_file.h"
#include "site_agent/trainer/classification/module.h"

namespace hilum {
namespace {

constexpr int kTurns = 5;

double Seconds(absl::FunctionRef<void()> call) {
  std::vector<double> times;
  for (int turn = 0; turn < kTurns; ++turn) {
    const auto before = std::chrono::steady_clock::now();
    call();
    times.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - before)
            .count());
  }
  std::sort(times.begin(), times.end());
  return times[kTurns / 2];
}

int64_t PeakMegabytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

v1::Study FrozenVgg16() {
  v1::Study study;
  study.set_name("bench");
  for (const char* label : {"a", "b"}) study.add_classes(label);
  study.add_sites("here");
  study.mutable_model()->set_architecture("vgg16");
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  FillStudyDefaults(study);
  return study;
}

// Reads the file's `bytes` into memory that is allocated already.
double ReadSeconds(const std::string& path, size_t bytes) {
  std::string buffer(bytes, '\0');
  return Seconds([&] {
    ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!ReadAt(fd.get(), 0, buffer.data(), bytes, path).ok()) std::abort();
  });
}

void Say(const char* what, double seconds, double reading, size_t bytes) {
  absl::PrintF("%-26s %.0f MB in %.3f s; reading alone %.3f s: %.2f of it\n",
               what, static_cast<double>(bytes) / 1e6, seconds, reading,
               reading / seconds);
}

void MeasureBlob(const std::string& folder, const v1::Study& study,
                 const ParameterLayout& layout) {
  const std::string path = absl::StrCat(folder, "/frozen");
  const size_t bytes = static_cast<size_t>(layout.frozen_size) * sizeof(float);
  {
    const std::vector<float> values(static_cast<size_t>(layout.frozen_size));
    if (!WriteFileAtomically(path, BlobBytes(values), Durability::kNone).ok()) {
      std::abort();
    }
  }
  auto module = Module::Create(layout, study);
  const int64_t before = PeakMegabytes();
  const double seconds = Seconds([&] {
    if (!(*module)->LoadFrozenFile(path).ok()) std::abort();
  });
  const int64_t after = PeakMegabytes();
  Say("a trunk's blob", seconds, ReadSeconds(path, bytes), bytes);
  absl::PrintF("  memory beside the parameters: %d MB\n", after - before);
}

void MeasureFile(const std::string& folder, const Architecture& architecture) {
  const std::string path = absl::StrCat(folder, "/vgg16.safetensors");
  size_t bytes = 0;
  {
    std::vector<float> values;
    for (const TensorSpec& spec : architecture.tensors) {
      values.resize(values.size() + static_cast<size_t>(spec.size()), 0.5f);
    }
    bytes = values.size() * sizeof(float);
    if (!WriteSafetensors(path, architecture, values, {}).ok()) std::abort();
  }
  const double seconds = Seconds([&] {
    auto file = WeightsFile::Open(path);
    if (!file.ok() || !ReadWeights(*file, architecture, {}).ok()) std::abort();
  });
  Say("a file of safetensors", seconds, ReadSeconds(path, bytes), bytes);
}

}  // namespace
}  // namespace hilum

int main(int argc, char** argv) {
  hilum::TuneMallocForTraining();
  if (argc != 2) {
    std::cerr << "hilum-bench-load FOLDER\n";
    return 2;
  }
  const hilum::v1::Study study = hilum::FrozenVgg16();
  const auto layout = hilum::StudyLayout(study);
  hilum::MeasureBlob(argv[1], study, *layout);
  hilum::MeasureFile(argv[1], layout->architecture);
}
