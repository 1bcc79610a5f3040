// SPDX-License-Identifier: Apache-2.0
// The sum of n vectors of 32-bit words over the integers, as a file. The
// coordinator publishes it so that sites can check it
// (common/secagg/vector_checksum.h).
//
// Little-endian, without a header, for vectors of `size` words:
//   low words: [size] uint32, the sum mod 2^32;
//   carries: [size] floor(sum / 2^32), CarryBits(n) bits each, packed from the
//   lowest bit of each 32-bit word on; zeros fill the last word.
// A word is at most 2^32 - 1, so that a carry is below n and fits.
//
// The file holds the sum of masked vectors. Reading takes the remaining masks
// off the low words; carries are of no use then.
#ifndef HILUM_COMMON_AGGREGATION_SUM_FILE_H_
#define HILUM_COMMON_AGGREGATION_SUM_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/aggregation/blob_file.h"
#include "common/aggregation/ring.h"
#include "common/base/file.h"
#include "common/crypto/hashed_file.h"

namespace hilum {

// Returns ceil(log2(num_vectors)): 0 for one vector, 10 for kMaxSites.
int CarryBits(int num_vectors);

// Returns the bytes of the whole file.
uint64_t SumFileBytes(int64_t size, int num_vectors);

// Returns the content of the file for a small sum. Equal lengths; carries <
// num_vectors.
std::string SumFileContent(absl::Span<const uint32_t> low,
                           absl::Span<const uint32_t> carries, int num_vectors);

// Packs carries, in pieces of any length.
class CarryPacker {
 public:
  explicit CarryPacker(int num_vectors) : bits_(CarryBits(num_vectors)) {}

  // Appends to `packed` the words that are full.
  void Add(absl::Span<const uint32_t> carries, std::vector<uint32_t>& packed);
  // Appends the last word, filled with zeros, where one has begun.
  void Finish(std::vector<uint32_t>& packed);

 private:
  int bits_;
  uint64_t open_ = 0;  // bits that fill no word yet
  int filled_ = 0;     // how many, < 32
};

// Writes a sum file from blocks that come in order. Memory: a block's carries.
// One object is one file: Create Append* Commit. Without Commit nothing stays.
class SumFileWriter {
 public:
  SumFileWriter(const std::string& path, int64_t size, int num_vectors);

  absl::Status Create() { return file_.Create(); }

  // Appends the next elements: the sum mod 2^32 and its carries, each <
  // num_vectors. Equal lengths; all blocks together have `size` elements.
  absl::Status Append(absl::Span<const uint32_t> low,
                      absl::Span<const uint32_t> carries);

  // Renames the file into place. Reads the carries again, for the digest.
  absl::StatusOr<WrittenFile> Commit(Durability durability);

 private:
  absl::Status PlaceCarries();

  HashedFile file_;
  CarryPacker packer_;
  std::vector<uint32_t> packed_;  // not in the file yet
  uint64_t carries_end_;          // where they go, in bytes
  const uint64_t num_bytes_;      // of the whole file
};

// A sum file read in pieces. Errors name the path.
class SumFile {
 public:
  // Pieces of carries begin at a multiple of this many elements.
  static constexpr int64_t kCarryStep = 32;

  // INVALID_ARGUMENT: the file does not have SumFileBytes bytes (the message
  // has both numbers); size or num_vectors (1 to kMaxSites) is out of range.
  // NOT_FOUND and others: opening the file failed.
  static absl::StatusOr<SumFile> Open(const std::string& path, int64_t size,
                                      int num_vectors);

  int64_t size() const { return size_; }

  absl::Status ReadLow(int64_t element, absl::Span<uint32_t> low) const {
    return file_.Read(element, low);
  }

  // Reads the carries of the elements from `element` on, a multiple of
  // kCarryStep. INVALID_ARGUMENT: a carry that so many vectors cannot have; in
  // the last piece, a bit behind the last carry.
  absl::Status ReadCarries(int64_t element, absl::Span<uint32_t> carries) const;

 private:
  SumFile(const std::string& path, BlobFile file, int64_t size,
          int num_vectors);

  std::string path_;
  BlobFile file_;
  int64_t size_;
  int num_vectors_;
};

// Returns the low words of a small sum, without the masks that `unmask` takes
// off. Does not look at the carries. AggregateUpdates reads a large sum.
// INVALID_ARGUMENT: the same as SumFile::Open. Other errors of files name the
// path.
absl::StatusOr<std::vector<uint32_t>> ReadSum(const std::string& sum_path,
                                              int64_t size, int num_vectors,
                                              const VectorMask& unmask);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_SUM_FILE_H_
