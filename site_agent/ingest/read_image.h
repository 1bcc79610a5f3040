// SPDX-License-Identifier: Apache-2.0
// One file into what a case store keeps of it. Touches no store.
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

// Of the longer side of what is kept: twice the largest input of a study.
inline constexpr int kKeptSide = 1024;
inline constexpr int kFingerprintBins = 64;

// Why a file is no case.
enum class Refusal {
  kNone,
  kUnreadable,  // could not be read; another try may do
  kDamaged,     // its content; only another content will do
  kNotChosen,   // a whole image, but not said to be a frontal chest radiograph
};

// What a file says of its patient and study, as it says it. For memory alone.
struct ImageIds {
  std::string sop_instance;  // (0008,0018)
  std::string accession;     // (0008,0050)
  std::string patient;       // (0010,0020)
  std::string issuer;        // (0010,0021)
  std::string study;         // (0020,000d)
};

struct ReadImage {
  Refusal refusal = Refusal::kNone;
  std::string reason;  // of a refusal; never quotes the file's free text
  ImageIds ids;        // as far as they are known, refused or not
  // The rest only of an image that is taken.
  std::string digest;  // SHA-256 of size and stored values; 32 raw bytes
  std::string view;    // "AP", "PA"; empty: not known
  bool told = false;   // how the patient lies: it has a Patient Orientation
  std::string look;    // why it surely is not upright; empty: it may be
  // For people: what of the file was not used for its display.
  std::vector<std::string> notes;
  int rows = 0;  // as displayed
  int columns = 0;
  SizedPlane whole;
  SizedPlane segmented;  // rows 0: no mask
  std::string lungs;     // LungBits of the whole plane; empty: no mask
  double lung_share = 0;
  // Of displayed grays, before they are stretched: every fourth row's shares
  // of a million, in bins of equal width from 0 to 1.
  std::array<uint32_t, kFingerprintBins> histogram = {};
};

struct ReadOptions {
  std::string mask;         // path; empty: none
  std::string mask_folder;  // MaskFileAt SOPINSTANCEUID counts; empty: none
  bool chosen = false;      // by a person: SelectPcxr is not asked
  const FilmWords* words = nullptr;  // for SelectPcxr; null: those built in
};

// STEM.png, else STEM.dcm, which is there; else empty.
std::string MaskFileAt(const std::string& stem);

// A DICOM, PNG or JPEG file; what it is is told by its bytes. Only regular
// files are opened. Memory: a few times kMaxImageFileBytes at the most; of
// images over 16 M pixels one at a time is held, whatever the threads.
// Thread-safe.
ReadImage ReadImageFile(const std::string& path, const ReadOptions& options);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_READ_IMAGE_H_
