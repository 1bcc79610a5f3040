// SPDX-License-Identifier: Apache-2.0
// Reads one file into the data that a case store keeps. Touches no store.
#ifndef HILUM_SITE_AGENT_INGEST_READ_IMAGE_H_
#define HILUM_SITE_AGENT_INGEST_READ_IMAGE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/film_words.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

// Longer side of the stored planes: twice the largest input of a study.
inline constexpr int kKeptSide = 1024;
inline constexpr int kFingerprintBins = 64;

// The reason why a file is no case.
enum class Refusal {
  kNone,
  kUnreadable,  // could not be read; a retry may succeed
  kDamaged,     // a retry fails unless the content changes
  kNotChosen,   // whole, but not known as a frontal chest radiograph
};

// A file's own ids of patient and study. Kept in memory only.
struct ImageIds {
  std::string sop_instance;  // (0008,0018)
  std::string accession;     // (0008,0050)
  std::string patient;       // (0010,0020)
  std::string issuer;        // (0010,0021)
  std::string study;         // (0020,000d)
};

struct ReadImage {
  Refusal refusal = Refusal::kNone;
  std::string reason;  // reason of a refusal; never quotes the file's free text
  ImageIds ids;        // as far as known, also if refused
  // The following only if the image is accepted.
  std::string digest;        // SHA-256 of size and stored values; 32 raw bytes
  std::string image_digest;  // CaseRecord's
  std::string view;          // "AP", "PA"; empty: not known
  bool told = false;         // it has a Patient Orientation
  std::string look;          // why it surely is not upright; else empty
  // For people: display settings in the file that were not used.
  std::vector<std::string> notes;
  int rows = 0;  // as displayed
  int columns = 0;
  SizedPlane whole;
  SizedPlane segmented;  // rows 0: no mask
  std::string lungs;     // LungBits of the whole plane; empty: no mask
  double lung_share = 0;
  // Histogram of the displayed grays before stretching, from every fourth row:
  // shares of a million in bins of equal width from 0 to 1.
  std::array<uint32_t, kFingerprintBins> histogram = {};
};

struct ReadOptions {
  std::string mask;         // path; empty: none
  std::string mask_folder;  // for MaskFileAt SOPINSTANCEUID; empty: none
  bool chosen = false;      // by a person: skips SelectPcxr
  const FilmWords* words = nullptr;  // for SelectPcxr; null: built-in words
};

// Returns STEM.png or else STEM.dcm, if it exists; else empty.
std::string MaskFileAt(const std::string& stem);

// Reads a DICOM, PNG or JPEG file, told by its bytes. Opens only regular files.
// Memory: a few times kMaxImageFileBytes at most; only one image over 16 M
// pixels is held at a time, whatever the threads. Thread-safe.
ReadImage ReadImageFile(const std::string& path, const ReadOptions& options);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_READ_IMAGE_H_
