// SPDX-License-Identifier: Apache-2.0
// Takes uncompressed 2k x 2k radiographs of 16 bits into a case store; prints
// images a second, processor time an image and peak memory.
//   hilum-bench-ingest FOLDER [IMAGES] [THREADS]
#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/malloc.h"
#include "common/base/rng.h"
#include "common/crypto/secure_rng.h"
#include "site_agent/ingest/folder.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr int kSide = 2048;

// Returns smooth shapes under noise, with 12 bits stored, like a detector's.
std::string Film(int number) {
  Rng rng(number, "film");
  std::string pixels;
  for (int row = 0; row < kSide; ++row) {
    const double down = std::cos(row / 200.0);
    for (int column = 0; column < kSide; ++column) {
      const double shape = 2048 + 1500 * std::sin(column / 300.0) * down;
      const int value =
          static_cast<int>(shape) + static_cast<int>(rng.Below(128));
      pixels += static_cast<char>(value & 0xff);
      pixels += static_cast<char>(value >> 8);
    }
  }
  DicomMaker maker = SmallChest();
  return maker.Text(0x00080018, "UI", absl::StrCat("1.2.3.", number))
      .Text(0x00100020, "LO", absl::StrCat("P", number))
      .Words(0x00280010, "US", {kSide})
      .Words(0x00280011, "US", {kSide})
      .Bytes(kPixelDataTag, "OW", pixels)
      .File();
}

double ProcessorSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

absl::Status Measure(const std::string& folder, int images, int threads) {
  const std::string films = absl::StrCat(folder, "/films");
  std::filesystem::create_directories(films);
  for (int i = 0; i < images; ++i) {
    const absl::Status written = WriteFileAtomically(
        absl::StrCat(films, "/", i, ".dcm"), Film(i), Durability::kNone);
    if (!written.ok()) return written;
  }
  const absl::Time begun = RealClock().Now();
  const double before = ProcessorSeconds();
  const absl::Status status =
      IngestFolder({.folder = films,
                    .store = absl::StrCat(folder, "/store"),
                    .threads = threads},
                   std::cout, std::cerr, RealClock(), RealSecureRng());
  const double wall = absl::ToDoubleSeconds(RealClock().Now() - begun);
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "%d images, %d threads: %.1f/s, %.1f ms of processor each, peak %ld MB\n",
      images, threads, images / wall,
      (ProcessorSeconds() - before) * 1000 / images, usage.ru_maxrss >> 10);
  return status;
}

}  // namespace
}  // namespace hilum

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: hilum-bench-ingest FOLDER [IMAGES] [THREADS]\n");
    return 2;
  }
  hilum::TuneMallocForTraining();
  const absl::Status status =
      hilum::Measure(argv[1], argc > 2 ? std::atoi(argv[2]) : 100,
                     argc > 3 ? std::atoi(argv[3]) : 2);
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
