// SPDX-License-Identifier: Apache-2.0
// Checksums with which sites check a published sum of their vectors.
//
// Let p = 2^127 - 1, and rho in [1, p) a challenge, drawn when the sum is
// fixed. A vector w of integers has the checksum
//   C(w) = sum_i w_i rho^(i+1)   mod p,   i = 0 .. size - 1
// It is linear: C(a) + C(b) = C(a + b), where a + b is over the integers, and
// not mod 2^32. Each site u gives C(y_u) of its own vector; the sites compare
// sum_u C(y_u) with C(T) of the published sum T
// (common/aggregation/sum_file.h).
//
// Soundness. Let S = sum_u y_u and T != S. T_i - S_i are not all 0, and not
// mod p either: each is below 2^42 in absolute value for n <= kMaxSites = 1000
// < 2^10 vectors of 32-bit words. So C(T) - C(S) is a polynomial in rho, not
// zero and of degree `size` at most, which has no more than `size` roots. For
// a rho drawn evenly
//   P[C(T) = C(S)] <= size / (p - 1)
// It is below 2^-98 for vectors of 2^29 words (2 GiB). An error of a single
// word is always seen, since rho is not 0.
//
// Nobody draws rho: it comes from SHA-256 over the statement that fixes the sum
// (Fiat and Shamir 1986). A forger may try one sum after the other until one
// passes; q trials, each a SHA-256, pass with q * size / (p - 1) at most in the
// random oracle model. Hence the margin: 2^64 trials leave 2^-34. A field of 61
// bits would not do.
//
// The checksum does not stop a site that lies for the coordinator: it may give
// any checksum, and so make any T pass, as it could by uploading any vector.
// The checksum binds the coordinator to what the sites sent, not the sites to
// what they should have sent. Nothing here is secret, and time may depend on
// values.
//
// Source: polynomial hashing, Carter and Wegman 1981; den Boer 1993;
// Bernstein 2005 (Poly1305), section 3, for the bound.
#ifndef HILUM_COMMON_SECAGG_VECTOR_CHECKSUM_H_
#define HILUM_COMMON_SECAGG_VECTOR_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"

namespace hilum {

inline constexpr size_t kChecksumChallengeSize = 32;
inline constexpr size_t kVectorChecksumSize = 16;

// An element of F_p; starts as 0. A value type.
class VectorChecksum {
 public:
  VectorChecksum() = default;

  // Reads 16 bytes, little-endian. INVALID_ARGUMENT: another length, or not
  // below p.
  static absl::StatusOr<VectorChecksum> FromBytes(absl::string_view bytes);
  std::string ToBytes() const;

  // Computes this = this + other mod p.
  void Add(const VectorChecksum& other);

  friend bool operator==(const VectorChecksum& a, const VectorChecksum& b) {
    return a.value_ == b.value_;
  }

 private:
  friend class SumChecksum;
  unsigned __int128 value_ = 0;  // < p
};

// Computes C(T) of a sum, or C(y) of a vector, from pieces in any order: Create
// Add* Sum. Several threads may call Add.
class SumChecksum {
 public:
  static constexpr int64_t kStep = 512;

  // kBest: with AVX2 where the processor has it. Both give the same checksum.
  enum class Path { kBest, kPlain };

  // INVALID_ARGUMENT: the challenge does not have 32 bytes.
  static absl::StatusOr<std::unique_ptr<SumChecksum>> Create(
      absl::string_view challenge, Path path = Path::kBest);
  ~SumChecksum();

  // Adds the elements from `first` on, T_i = low_i + carry_i * 2^32. `first` is
  // a multiple of kStep; equal lengths, or no carries, which are zeros then.
  // Carries are below kMaxSites, which keeps the words below 2^48. Each element
  // comes once.
  void Add(int64_t first, absl::Span<const uint32_t> low,
           absl::Span<const uint32_t> carries) ABSL_LOCKS_EXCLUDED(mutex_);

  // Returns the checksum of the elements that came.
  VectorChecksum Sum() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Powers;
  explicit SumChecksum(std::unique_ptr<const Powers> powers);

  const std::unique_ptr<const Powers> powers_;
  mutable absl::Mutex mutex_;
  VectorChecksum sum_ ABSL_GUARDED_BY(mutex_);
};

// Returns C(w) of words of up to 64 bits. INVALID_ARGUMENT: the challenge does
// not have 32 bytes; here and below.
absl::StatusOr<VectorChecksum> ChecksumOfWords(absl::Span<const uint64_t> words,
                                               absl::string_view challenge);

// Returns C(y) of a file of `size` little-endian 32-bit words. Memory: a block.
// INVALID_ARGUMENT: a file of another length. NOT_FOUND and other errors of
// files name the path.
absl::StatusOr<VectorChecksum> ChecksumOfVector(const std::string& path,
                                                int64_t size,
                                                absl::string_view challenge);

// Returns C(T) of a sum file of `num_vectors` vectors, T_i = low_i + carry_i *
// 2^32. Memory: a block. INVALID_ARGUMENT: a file of another length, a carry
// that so many vectors cannot have, bits behind the last carry.
absl::StatusOr<VectorChecksum> ChecksumOfSum(const std::string& path,
                                             int64_t size, int num_vectors,
                                             absl::string_view challenge);

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_VECTOR_CHECKSUM_H_
