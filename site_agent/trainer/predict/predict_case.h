// SPDX-License-Identifier: Apache-2.0
// Reads one case for a trained model, and decides whether the model may answer.
#ifndef HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICT_CASE_H_
#define HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICT_CASE_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/model/model_facts.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/lungs/lung_mask.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/data/case_list.h"
#include "site_agent/trainer/data/load_case.h"

namespace hilum {

// GrayDistance above which a case is too far from the training images: of 1,044
// radiographs of three hospitals, none is so far from the mean of all
// (docs/predict.md).
inline constexpr double kFarFromTraining = 0.25;

struct CaseReadOptions {
  bool segmented = false;  // shows the model the lungs alone
  // Answers also where the header or the orientation speaks against the image,
  // where a store holds the case back, and far from the training images.
  bool every_case = false;
};

// Finds the lungs of an image without a mask.
using LungFinder = std::function<absl::StatusOr<BinaryMask>(const GrayImage&)>;

// A case as the model gets it.
struct ReadCase {
  Plane plane;               // [size * size]; empty: no answer
  std::string sop_instance;  // of a DICOM file; empty: none
  // Why there is no answer; empty: there is one. Quotes no text of the file.
  std::string abstained;
  bool failed = false;  // `abstained` is a fault of the file or the manifest
};

// Reads cases for models with the same facts. Thread-safe.
class CaseReader {
 public:
  // `facts` outlives this object.
  CaseReader(absl::Span<const ListedCase> cases, const ModelFacts& facts,
             const CaseReadOptions& options);

  // `find_lungs`: used where the case has no mask; null: abstains there.
  ReadCase Read(const ListedCase& one, const LungFinder& find_lungs) const;

 private:
  // Return a fault of the file, or set `out.abstained` or `loaded`'s plane.
  absl::Status ReadFileOf(const ListedCase& one, const LungFinder& find_lungs,
                          LoadedCase& loaded, ReadCase& out) const;
  absl::Status ReadEntry(const ListedCase& one, const LungFinder& find_lungs,
                         LoadedCase& loaded, ReadCase& out) const;
  absl::Status FindLungs(const GrayImage& image, const LungFinder& find_lungs,
                         LoadedCase& loaded, ReadCase& out) const;
  absl::Status CheckUpright(const GrayImage& image, const LoadedCase& loaded,
                            bool told, ReadCase& out) const;
  std::string WhyFar(const LoadedCase& loaded) const;
  CasePlanes Planes() const;
  // Returns whether the case's own lungs are not enough.
  bool MustFindLungs(const ListedCase& one, const LungFinder& find_lungs) const;

  const CaseLoader loader_;
  const ModelFacts& facts_;
  const CaseReadOptions options_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICT_CASE_H_
