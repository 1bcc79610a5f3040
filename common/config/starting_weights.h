// SPDX-License-Identifier: Apache-2.0
// What a study says of its starting weights: their file, and the images that
// they learned from. An image is named by the first kDigestPrefix bytes of its
// PixelDigest (site_agent/imaging/image.h), a hash of its decoded pixels, so
// that a copy in another file or lossless compression has the same name.
//
// A list of n names calls a new image seen with probability n / 2^64.
#ifndef HILUM_COMMON_CONFIG_STARTING_WEIGHTS_H_
#define HILUM_COMMON_CONFIG_STARTING_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

inline constexpr size_t kDigestPrefix = 8;
// Most images that all sets of a file list together: 512 KiB of digests.
inline constexpr uint64_t kMaxListedImages = 65536;
// Most images of a set, listed or not.
inline constexpr uint64_t kMaxTrainedImages = uint64_t{1} << 40;
inline constexpr int kMaxTrainedOn = 16;
inline constexpr size_t kMaxDataText = 100;

using TrainedOnList = google::protobuf::RepeatedPtrField<v1::TrainedOn>;

// Checks the sets of a file or of a study. INVALID_ARGUMENT names the set and
// its field: too many sets; a text that is too long, not printable or, as a
// name, empty; digests of another length, not ascending, of other images than
// `images` says, or over kMaxListedImages.
absl::Status CheckTrainedOn(const TrainedOnList& data);

// Checks the same of a study, and the file's name and hash. Unset: OK.
absl::Status CheckStartingWeights(const v1::Study& study);

// Joins prefixes of kDigestPrefix bytes as TrainedOn.digests has them: sorted,
// each once.
std::string JoinDigests(std::vector<std::string> prefixes);

// Returns whether `digests`, as TrainedOn has them, contain `prefix`, which has
// kDigestPrefix bytes.
bool ListsDigest(absl::string_view digests, absl::string_view prefix);

// Returns whether the starting weights list any image that they learned from.
bool ListsImages(const v1::Study& study);

// Returns whether the evaluation leaves out cases that the starting weights
// learned from.
bool ExcludesSeen(const v1::Study& study);

// Returns whether the starting weights come from a file whose images are not
// all listed, so that a case may be one of them and nobody knows.
bool MayHaveSeenMore(const v1::Study& study);

// Describes a set: "pcxr (481 images, CC BY 4.0)", with "not listed" where it
// has no digests.
std::string DescribeTrainedOn(const v1::TrainedOn& data);
// Describes the sets of a file; "data that its file does not name" for none.
std::string DescribeTrainedOn(const TrainedOnList& data);

// Describes the starting weights for logs and reports: "file hilum_small.
// safetensors (SHA-256 ...), which learned from ..."; "drawn from the seed 7".
std::string DescribeStartingWeights(const v1::Study& study);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_STARTING_WEIGHTS_H_
